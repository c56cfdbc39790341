"""Connections to FHIR servers that keep a time limit.

`requests` limits the time between two bytes, not the whole: a server that sends a byte a second would hold a thread
for ever. So every read asks the limit of its exchange how long it may still wait.
"""

from __future__ import annotations

import io
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Any, ClassVar, Final

from requests import Response
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from cds_service.outgoing import FinalAnswerAdapter, FinalResponse

if TYPE_CHECKING:
    import socket
    import ssl
    from collections.abc import Iterator

    from cds_service.acquisition.fhir.limits import TimeLimit

# Firewalls forget connections that rest, and what is sent on them then is lost without a word.
REST_SECONDS: Final = 20.0
# More than any site lists; beyond it, connections to the server asked longest ago are closed.
_SERVERS: Final = 100

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
        """Keep up to so many connections to each server for the next hook, used last first."""
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
