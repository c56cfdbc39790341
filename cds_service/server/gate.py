"""What stands between the server and the application in a worker: slow clients wait here, not in the application.

The server hands a request over as soon as its header is complete; the thread that then reads the body waits as
long as the sender takes. So there are many such threads, few of which are let into the application at a time, and
reading a body gives the place in the application back.
"""

from __future__ import annotations

import io
import math
import threading
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from cds_service.server.body_memory import SMALL_BODY_BYTES, BodyMemory, BodyShare

if TYPE_CHECKING:
    from collections.abc import Iterator

_DISCARD_BYTES: Final = 65536


@dataclass(frozen=True, slots=True)
class RequestLimits:
    """How many requests run in the application of one worker at a time; how much of an unread body is taken in."""

    threads: int
    max_request_bytes: int


# A WSGI application whose answer is a list, which the server sends in one piece.
_Gated = Callable[..., list[bytes]]


def gate(application: Callable[..., Any], limits: RequestLimits) -> _Gated:
    """Let `threads` requests into the application at a time; the answer is complete when its place is given back."""
    places = threading.BoundedSemaphore(limits.threads)
    memory = BodyMemory(limits.max_request_bytes)

    def gated(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        body = BodyInput(environ, places, memory)
        environ["wsgi.input"] = body
        try:
            with places:
                answer = _complete(application(environ, start_response))
        finally:
            body.share.release()
        body.discard(limits.max_request_bytes)
        return answer

    return gated


def _complete(answer: Any) -> list[bytes]:
    try:
        return list(answer)
    finally:
        if hasattr(answer, "close"):
            answer.close()


class BodyInput(io.RawIOBase):
    """`wsgi.input` that gives the place in the application back while it waits for the body, or for memory for it.

    Its limits and its completeness are the application's affair: the server ends a body that broke off as if it
    were complete.
    """

    def __init__(self, environ: dict[str, Any], places: threading.BoundedSemaphore, memory: BodyMemory) -> None:
        """Read nothing yet: the application may refuse the request by its header."""
        self._source: Any = environ["wsgi.input"]
        self._places = places
        self._largest = memory.largest
        self._taken = 0
        self.share = BodyShare(memory)
        announced = environ.get("CONTENT_LENGTH")
        is_chunked = "HTTP_TRANSFER_ENCODING" in environ
        # Bytes that may still come; without an announced length, until a read gives less than was asked for.
        self._left: float = float(announced) if announced else math.inf if is_chunked else 0
        self._awaits_permission = "HTTP_EXPECT" in environ

    def read(self, size: int = -1) -> bytes:
        """Return up to `size` bytes, fewer only at the end of the body; all that is left when negative.

        Raises OverloadedError when there is no memory for a large body.
        """
        with self._place_given_back():
            part = self._receive(size)
            self._taken += len(part)
            self._left = 0 if size < 0 or len(part) < size else self._left - len(part)
            if not self._left:
                self.share.received(self._taken)
        return part

    def _receive(self, size: int) -> bytes:
        begin = b""
        if math.isfinite(self._left):
            self.share.expect(int(self._left))
        elif size < 0 or size > SMALL_BODY_BYTES:
            # Of what comes in chunks the size is not known; most of it is small.
            begin = bytes(self._source.read(SMALL_BODY_BYTES))
            if len(begin) < SMALL_BODY_BYTES:
                return begin
            self.share.expect(self._largest)
        rest: bytes = self._source.read() if size < 0 else self._source.read(size - len(begin))
        return begin + rest

    def readable(self) -> bool:
        """Say that it can be read; with `readinto` this makes the other methods that WSGI demands work."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer as far as `read` can."""
        part = self.read(len(buffer))
        buffer[: len(part)] = part
        return len(part)

    def discard(self, most: int) -> None:
        """Take in what the application did not want to read, up to `most` bytes.

        Otherwise the server closes the connection while the client still sends, and the client learns of a broken
        connection instead of the reason. A client that asked before sending (Expect) is spared the sending.
        """
        if self._awaits_permission:
            return
        most = int(min(most, self._left))
        while most > 0 and (part := self._source.read(min(most, _DISCARD_BYTES))):
            most -= len(part)

    @contextmanager
    def _place_given_back(self) -> Iterator[None]:
        self._places.release()
        try:
            yield
        finally:
            self._places.acquire()
