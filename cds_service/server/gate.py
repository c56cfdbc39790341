"""What stands between the server and the application in a worker: slow clients wait here, not in the application.

The server hands a request over as soon as its header is complete; the thread that then reads the body waits as
long as the sender takes. So there are many such threads, few of which are let into the application at a time, and
reading a body gives the place in the application back. Who is refused without a look at his body holds no thread at
all: the answer leaves at once, and what still comes is thrown away elsewhere (`lingering.py`).
"""

from __future__ import annotations

import io
import math
import threading
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

from cds_service.errors import MalformedRequestError
from cds_service.server.body_memory import SMALL_BODY_BYTES, BodyMemory, BodyShare
from cds_service.server.connections import has_ended
from cds_service.server.lingering import Lingering
from cds_service.web.paths import LIVENESS, READINESS

if TYPE_CHECKING:
    from collections.abc import Iterator

# Asked by whatever decides whether this process lives: they must not wait behind hooks.
_HEALTH: Final = frozenset({LIVENESS, READINESS})
_HEALTH_PLACES: Final = 2


@dataclass(frozen=True, slots=True)
class RequestLimits:
    """How many requests run in the application of one worker at a time, of what size, and where it listens."""

    threads: int
    max_request_bytes: int
    port: int = 0


# A WSGI application whose answer is a list, which the server sends in one piece.
_Gated = Callable[..., list[bytes]]


def gate(application: Callable[..., Any], limits: RequestLimits) -> _Gated:
    """Let `threads` requests into the application at a time; the answer is complete when its place is given back."""
    hook_places = threading.BoundedSemaphore(limits.threads)
    health_places = threading.BoundedSemaphore(_HEALTH_PLACES)
    memory = BodyMemory(limits.max_request_bytes)
    lingering = Lingering(limits.port, limits.max_request_bytes)

    def gated(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        places = health_places if environ.get("PATH_INFO") in _HEALTH else hook_places
        body = BodyInput(environ, places, memory, limits.port)
        environ["wsgi.input"] = body
        try:
            body.wait_for_place()
            try:
                answer = _complete(application(environ, start_response))
            finally:
                places.release()
        finally:
            body.share.release()
        if body.is_unread:
            lingering.keep()
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

    Its limits are the application's affair, and whether a body of announced length is complete: the server ends a body
    that broke off as if it were.
    """

    def __init__(
        self, environ: dict[str, Any], places: threading.BoundedSemaphore, memory: BodyMemory, port: int = 0
    ) -> None:
        self._source: Any = environ["wsgi.input"]
        self._places = places
        self.waited_seconds = 0.0
        self._largest = memory.largest
        self._taken = 0
        self.share = BodyShare(memory)
        announced = environ.get("CONTENT_LENGTH")
        is_chunked = "HTTP_TRANSFER_ENCODING" in environ
        self._sender = (port, environ.get("REMOTE_ADDR", "")) if is_chunked else None
        # Bytes that may still come; without an announced length, until a read gives less than was asked for.
        self._left: float = float(announced) if announced else math.inf if is_chunked else 0
        self._awaits_permission = "HTTP_EXPECT" in environ

    def wait_for_place(self) -> None:
        """Take a place in the application; `waited_seconds` tells how long all such waits of the request took."""
        if not self._places.acquire(blocking=False):
            began = perf_counter()
            self._places.acquire()
            self.waited_seconds += perf_counter() - began

    def read(self, size: int = -1) -> bytes:
        """Return up to `size` bytes, fewer only at the end of the body; all that is left when negative.

        Raises OverloadedError when there is no memory for a large body, MalformedRequestError when a body in chunks was
        cut off.
        """
        with self._place_given_back():
            part = self._receive(size)
            self._taken += len(part)
            self._left = 0 if size < 0 or len(part) < size else self._left - len(part)
            if not self._left:
                self._check_end()
                self.share.received(self._taken)
        return part

    def _check_end(self) -> None:
        if self._sender is not None and has_ended(*self._sender):
            raise MalformedRequestError("The body ends early.")

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

    @property
    def is_unread(self) -> bool:
        """Whether a sender still sends. One that asked before sending (Expect) is spared it."""
        return self._left > 0 and not self._awaits_permission

    @contextmanager
    def _place_given_back(self) -> Iterator[None]:
        self._places.release()
        try:
            yield
        finally:
            self.wait_for_place()
