"""Connections that can be ended while a thread waits on them.

`requests` limits the time between two bytes, not the whole: a server that sends a byte a second would hold a thread
for ever. So every connection is reachable while it is in use, and ending it wakes the thread.
"""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

if TYPE_CHECKING:
    from collections.abc import Iterator


class Cancellation:
    """Ends the exchange it is handed to: shuts the socket in use down, now and for every later attempt."""

    def __init__(self) -> None:
        """Begin without a socket."""
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self.is_cancelled = False

    def watch(self, connection: socket.socket | None) -> None:
        """Take note of the socket in use; one that comes after the end is shut down at once."""
        with self._lock:
            self._socket = connection
            if self.is_cancelled:
                self._shut_down()

    def cancel(self) -> None:
        """End the exchange."""
        with self._lock:
            self.is_cancelled = True
            self._shut_down()

    def _shut_down(self) -> None:
        if self._socket is not None:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)


_current = threading.local()


@contextmanager
def watched_by(cancellation: Cancellation) -> Iterator[None]:
    """Let `cancellation` end whatever connection this thread uses meanwhile."""
    _current.cancellation = cancellation
    try:
        yield
    finally:
        cancellation.watch(None)
        _current.cancellation = None


def _report_socket(connection: HTTPConnection) -> None:
    cancellation: Cancellation | None = getattr(_current, "cancellation", None)
    if cancellation is not None:
        cancellation.watch(connection.sock)


class _Connection(HTTPConnection):
    def connect(self) -> None:
        super().connect()
        _report_socket(self)

    def request(self, *arguments: Any, **options: Any) -> None:
        # A connection that is used again was connected for another exchange.
        _report_socket(self)
        super().request(*arguments, **options)


class _SecureConnection(HTTPSConnection):
    def connect(self) -> None:
        super().connect()
        _report_socket(self)

    def request(self, *arguments: Any, **options: Any) -> None:
        _report_socket(self)
        super().request(*arguments, **options)


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


_POOLS: dict[str, type[HTTPConnectionPool]] = {"http": _Pool, "https": _SecurePool}


class WatchedAdapter(HTTPAdapter):
    """Transport whose connections tell the exchange of their thread which socket it waits on."""

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        """Watch direct connections."""
        super().init_poolmanager(*arguments, **options)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, *arguments: Any, **options: Any) -> Any:
        """Watch connections through the proxy as well."""
        manager = super().proxy_manager_for(*arguments, **options)
        manager.pool_classes_by_scheme = _POOLS
        return manager
