"""Connections to FHIR servers that keep a time limit.

`requests` limits the time between two bytes, not the whole: a server that sends a byte a second would hold a thread
for ever. So every read asks the limit of its exchange how long it may still wait.
"""

from __future__ import annotations

import io
import socket
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Any, ClassVar, Final

from requests import Response
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from cds_service.outgoing import FinalAnswerAdapter, FinalResponse

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator


class TimeLimit:
    """The end of one search or read, however many pages it takes. The thread that waits asks how long it may.

    Giving up wakes a thread that waits on a socket, so that a silent server holds none behind an answered hook.
    """

    def __init__(self, deadline: float) -> None:
        """End at `deadline` (monotonic seconds), unless given up before."""
        self._deadline = deadline
        self._whole = deadline - monotonic()
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self.is_given_up = False
        self._end = threading.Event()

    def seconds_left(self) -> float:
        """Return the time left, more than nothing. Raises TimeoutError when there is none."""
        left = self._deadline - monotonic()
        if self.is_given_up or left <= 0:
            raise TimeoutError
        return left

    def wait(self, seconds: float) -> bool:
        """Wait where that leaves time for more; tell whether it did."""
        if self.is_given_up or seconds >= self._deadline - monotonic():
            return False
        return not self._end.wait(seconds) and not self.is_over

    @property
    def has_most_left(self) -> bool:
        """Tell whether at least half of the time is left: a request that is sent later cannot tell of its server."""
        return self._deadline - monotonic() >= self._whole / 2

    @property
    def is_over(self) -> bool:
        """Tell whether there is no time left."""
        return self.is_given_up or self.is_late

    @property
    def is_late(self) -> bool:
        """Tell whether the deadline has come."""
        return self._deadline <= monotonic()

    def wait_on(self, connection: socket.socket | None) -> None:
        """Take note of the socket that a thread reads from now on; None when it is done with it."""
        with self._lock:
            self._socket = connection

    def give_up(self) -> None:
        """End now."""
        with self._lock:
            self.is_given_up = True
            self._end.set()
            if self._socket is not None:
                # Not SSLSocket.shutdown: it takes the TLS state away from under the reading thread.
                with suppress(OSError):
                    socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


# Firewalls forget connections that rest, and what is sent on them then is lost without a word.
REST_SECONDS: Final = 20.0
# More than any site lists; beyond it, connections to the server asked longest ago are closed.
_SERVERS: Final = 100

# Linux has it. A server that writes header and body apart, and waits with the second until the first is acknowledged
# (RFC 896, which is how sockets come), would wait for our delayed acknowledgement: 40 ms for each answer.
_ACKNOWLEDGE_AT_ONCE: Final = getattr(socket, "TCP_QUICKACK", None)

_current = threading.local()


@dataclass(slots=True)
class Attempt:
    """One try of this thread: its limit, and whether a new connection was made for it."""

    limit: TimeLimit
    is_fresh: bool = False

    @contextmanager
    def on_this_thread(self) -> Iterator[None]:
        """Let the connection that this thread uses meanwhile know the limit."""
        _current.attempt = self
        try:
            yield
        finally:
            _current.attempt = None


class _LimitedInput(io.RawIOBase):
    """What a server sends, read within the limit; closed with the last byte of the answer."""

    def __init__(self, connection: socket.socket, source: io.RawIOBase, limit: TimeLimit) -> None:
        self._connection = connection
        self._source = source
        self._limit = limit
        _acknowledge_at_once(connection)
        limit.wait_on(connection)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int | None:
        self._connection.settimeout(self._limit.seconds_left())
        return self._source.readinto(buffer)

    def close(self) -> None:
        if not self.closed:
            # First: once the source is closed, the connection may serve another exchange.
            self._limit.wait_on(None)
            self._source.close()
        super().close()


def _acknowledge_at_once(connection: socket.socket) -> None:
    """Until the next request is sent. What is no TCP connection of Linux goes on as it does."""
    if _ACKNOWLEDGE_AT_ONCE is not None:
        with suppress(OSError):
            connection.setsockopt(socket.IPPROTO_TCP, _ACKNOWLEDGE_AT_ONCE, 1)


class _LimitedResponse(FinalResponse):
    def __init__(self, connection: socket.socket, *arguments: Any, **options: Any) -> None:
        super().__init__(connection, *arguments, **options)
        attempt: Attempt = _current.attempt
        self.fp = io.BufferedReader(_LimitedInput(connection, self.fp.detach(), attempt.limit))


class _Connection(HTTPConnection):
    response_class = _LimitedResponse
    _used = 0.0

    def connect(self) -> None:
        _current.attempt.is_fresh = True
        super().connect()

    def request(self, *arguments: Any, **options: Any) -> None:
        self._used = monotonic()
        super().request(*arguments, **options)

    @property
    def is_connected(self) -> bool:
        return super().is_connected and monotonic() - self._used < REST_SECONDS


class _SecureConnection(_Connection, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class LimitedAdapter(FinalAnswerAdapter):
    """Transport whose connections keep the limit of the attempt that uses them. Its pools are safe for threads."""

    pools: ClassVar[dict[str, type[HTTPConnectionPool]]] = {"http": _Pool, "https": _SecurePool}

    def __init__(self, tls: ssl.SSLContext, connections: int) -> None:
        self._tls = tls
        super().__init__(pool_connections=_SERVERS, pool_maxsize=connections)

    def build_connection_pool_key_attributes(self, request: Any, verify: Any, cert: Any = None) -> Any:
        """Use one TLS context for all: reading the CA bundle again takes longer than the rest of a connection."""
        host, _ = super().build_connection_pool_key_attributes(request, verify, cert)
        return host, {"ssl_context": self._tls}

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """Leave certificates to the TLS context."""

    def build_response(self, req: Any, resp: Any) -> Response:
        """Keep what is read of an answer: its status and its body. Cookies are not even looked for."""
        response = Response()
        response.url, response.status_code, response.raw = req.url, resp.status, resp
        return response
