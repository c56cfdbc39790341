"""What stands between the server and the application in a worker: slow clients wait here, not in the application.

The server hands a request over as soon as its header is complete; the thread that then reads the body waits as
long as the sender takes. So there are many such threads, few of which are let into the application at a time, and
reading a body gives the place in the application back. What never ends is ended by closing the connection: one
on which nothing was sent for `IDLE_SECONDS` is idle, silent, or so slow that nobody waits for its answer.
"""

from __future__ import annotations

import io
import os
import signal
import socket
import struct
import threading
import time
from collections.abc import Callable
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from cds_service.errors import BodyTooLargeError, MalformedRequestError

if TYPE_CHECKING:
    from collections.abc import Iterator

# Longer than the 60 seconds for which proxies and HTTP clients usually keep an idle connection: whoever closes
# first must be the client, or a request sent at that moment is lost.
IDLE_SECONDS: Final = 75
_CHECK_SECONDS: Final = 2
_STARTING_SECONDS: Final = 0.02
_DISCARD_BYTES: Final = 65536
# Offset of tcpi_last_data_sent (milliseconds) in struct tcp_info of linux/tcp.h.
_LAST_DATA_SENT: Final = 44


@dataclass(frozen=True, slots=True)
class RequestLimits:
    """How many requests run in the application of one worker at a time, and how large a body may be."""

    threads: int
    max_request_bytes: int


# A WSGI application whose answer is a list, which the server sends in one piece.
_Gated = Callable[..., list[bytes]]


class _ByteSource(Protocol):
    def read(self, size: int, /) -> bytes: ...


def gate(application: Callable[..., Any], limits: RequestLimits) -> _Gated:
    """Let `threads` requests into the application at a time; the answer is complete when its place is given back."""
    places = threading.BoundedSemaphore(limits.threads)

    def gated(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        body = BodyInput(environ, limits.max_request_bytes, places)
        environ["wsgi.input"] = body
        with places:
            answer = _complete(application(environ, start_response))
        body.discard()
        return answer

    return gated


def _complete(answer: Any) -> list[bytes]:
    try:
        return list(answer)
    finally:
        if hasattr(answer, "close"):
            answer.close()


class BodyInput(io.RawIOBase):
    """`wsgi.input` that fetches the whole body at the first read, outside the application's places.

    Reading raises BodyTooLargeError above the limit, also where no Content-Length announced it, and
    MalformedRequestError when the connection ended before the announced length: the server passes such a body on
    as if it were complete.
    """

    def __init__(self, environ: dict[str, Any], limit: int, places: threading.BoundedSemaphore) -> None:
        """Read nothing yet: the application may refuse the request by its header."""
        self._source: _ByteSource = environ["wsgi.input"]
        self._announced: str | None = environ.get("CONTENT_LENGTH")
        self._awaits_permission = "HTTP_EXPECT" in environ
        self._limit = limit
        self._places = places
        self._body: io.BytesIO | None = None

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Copy what comes next; 0 at the end."""
        return self._received().readinto(buffer)

    def readall(self) -> bytes:
        """Return all that was not read yet."""
        return self._received().read()

    def discard(self) -> None:
        """Take in a body that the application did not want, up to the limit.

        Otherwise the server closes the connection while the client still sends, and the client learns of a broken
        connection instead of the reason. A client that asked before sending (Expect) is spared the sending.
        """
        left = 0 if self._body is not None or self._awaits_permission else self._limit
        while left > 0 and (part := self._source.read(_DISCARD_BYTES)):
            left -= len(part)

    def _received(self) -> io.BytesIO:
        if self._body is None:
            with self._place_given_back():
                self._body = io.BytesIO(self._receive())
        return self._body

    def _receive(self) -> bytes:
        if self._announced is None:
            body = self._source.read(self._limit + 1)
        elif (length := int(self._announced)) > self._limit:
            raise BodyTooLargeError
        else:
            body = self._source.read(length) if length else b""
            if len(body) < length:
                raise MalformedRequestError(log_detail="body shorter than its Content-Length")
        if len(body) > self._limit:
            raise BodyTooLargeError
        return body

    @contextmanager
    def _place_given_back(self) -> Iterator[None]:
        self._places.release()
        try:
            yield
        finally:
            self._places.acquire()


@dataclass(frozen=True, slots=True)
class WorkerWatch:
    """A thread that watches over a worker: that it answers, its connections, and its end.

    `ready` is the descriptor of a pipe that is told when `address` and `port` answer. SIGTERM must be blocked: the
    thread takes it and calls the server's handler, once, so that a second signal cannot interrupt the first. The
    worker also stops when the process `parent_pid` that started it is gone.
    """

    address: str
    port: int
    parent_pid: int
    ready: int

    def start(self) -> None:
        """Start it, before the server sets its signal handlers and listens."""
        arguments = (signal.getsignal(signal.SIGTERM),)
        threading.Thread(target=self._run, args=arguments, name="watch", daemon=True).start()

    def _run(self, inherited_handler: object) -> None:
        is_ready = False
        while signal.sigtimedwait({signal.SIGTERM}, self._pause(is_ready)) is None and os.getppid() == self.parent_pid:
            is_ready = is_ready or self._tell_when_ready()
            close_stalled_connections(self.port, IDLE_SECONDS)
        while (handler := signal.getsignal(signal.SIGTERM)) is inherited_handler:
            time.sleep(_STARTING_SECONDS)
        if callable(handler):
            handler(signal.SIGTERM, None)

    @staticmethod
    def _pause(is_ready: bool) -> float:
        return _CHECK_SECONDS if is_ready else _STARTING_SECONDS

    def _tell_when_ready(self) -> bool:
        try:
            socket.create_connection((self.address, self.port), timeout=1).close()
        except OSError:
            return False
        os.write(self.ready, b"1")
        return True


def close_stalled_connections(port: int, idle_seconds: float) -> int:
    """Shut down accepted connections on which nothing was sent for so long; return how many there were.

    The server keeps its connections to itself, so they are found among the process's open files. Answers take
    seconds, so a connection with a running request is never among them. Without /proc nothing is done.
    """
    folder = Path("/proc/self/fd")
    if not folder.is_dir():
        return 0
    return sum(_close_if_stalled(int(entry.name), port, idle_seconds) for entry in folder.iterdir())


def _close_if_stalled(descriptor: int, port: int, idle_seconds: float) -> bool:
    with suppress(OSError), _duplicate(descriptor) as connection:
        is_tcp = connection.family in (socket.AF_INET, socket.AF_INET6) and connection.type == socket.SOCK_STREAM
        if is_tcp and connection.getsockname()[1] == port and connection.getpeername():
            state = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _LAST_DATA_SENT + 4)
            (idle_milliseconds,) = struct.unpack_from("I", state, _LAST_DATA_SENT)
            if idle_milliseconds >= idle_seconds * 1000:
                connection.shutdown(socket.SHUT_RDWR)
                return True
    return False


@contextmanager
def _duplicate(descriptor: int) -> Iterator[socket.socket]:
    """A second handle, so that the file behind it cannot change between the check and the closing."""
    second = os.dup(descriptor)
    try:
        connection = socket.socket(fileno=second)
    except OSError:
        os.close(second)
        raise
    with connection:
        yield connection
