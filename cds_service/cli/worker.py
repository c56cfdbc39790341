"""What stands between the server and the application in a worker: slow clients wait here, not in the application.

The server hands a request over as soon as its header is complete; the thread that then reads the body waits as
long as the sender takes. So there are many such threads, few of which are let into the application at a time, and
reading a body gives the place in the application back. What never ends is ended by closing the connection: one
on which nothing was sent for `IDLE_SECONDS` is idle, silent, or so slow that nobody waits for its answer.
"""

from __future__ import annotations

import io
import math
import os
import signal
import socket
import stat
import struct
import threading
import time
from collections.abc import Callable
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cds_service.cli.body_memory import SMALL_BODY_BYTES, BodyMemory, BodyShare

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


@dataclass(frozen=True, slots=True)
class WorkerWatch:
    """A thread that watches over a worker: that it answers, its connections, its signals, and its end.

    `ready` is the descriptor of a pipe that is told when `address` and `port` answer. SIGTERM and SIGHUP must be
    blocked: the thread takes them and calls their handlers. Python's own way would lose some: a signal that the kernel
    gives to another thread does not wake the main thread, which waits in the server. SIGTERM is taken once, so that a
    second signal cannot interrupt the first. The worker also stops when the process `parent_pid` that started it is
    gone.
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
        while not self._is_told_to_stop(self._pause(is_ready)) and os.getppid() == self.parent_pid:
            is_ready = is_ready or self._tell_when_ready()
            # Where no file can be opened, not even the list of open files, the next round tries again.
            with suppress(OSError):
                close_stalled_connections(self.port, IDLE_SECONDS)
        while (handler := signal.getsignal(signal.SIGTERM)) is inherited_handler:
            time.sleep(_STARTING_SECONDS)
        if callable(handler):
            handler(signal.SIGTERM, None)

    @staticmethod
    def _is_told_to_stop(seconds: float) -> bool:
        """Wait for a signal; pass SIGHUP on."""
        found = signal.sigtimedwait({signal.SIGTERM, signal.SIGHUP}, seconds)
        if found is None or found.si_signo == signal.SIGTERM:
            return found is not None
        handler = signal.getsignal(signal.SIGHUP)
        if callable(handler):
            handler(signal.SIGHUP, None)
        return False

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
    """A second handle, so that the file behind it cannot change between the check and the closing.

    Of sockets only. To close any handle of a file takes all locks (fcntl) of this process off that file: SQLite would
    lose those of the state store, and the next process to close it would delete its log under our hands.
    """
    if not stat.S_ISSOCK(os.fstat(descriptor).st_mode):
        raise NotASocketError
    second = os.dup(descriptor)
    if not stat.S_ISSOCK(os.fstat(second).st_mode):
        # Another file took the number in this very moment. An open handle too many is the lesser harm.
        raise NotASocketError
    with socket.socket(fileno=second) as connection:
        yield connection


class NotASocketError(OSError):
    """A file that is none of our connections."""
