"""Clients that open a connection and then take all the time in the world."""

import socket
import threading
from contextlib import suppress
from types import TracebackType

_HEADER = b"POST /length HTTP/1.1\r\nHost: cds\r\n"
# What a client sends at once, and then again and again, one piece a second.
BEHAVIORS: dict[str, tuple[bytes, bytes]] = {
    "silent": (b"", b""),
    "half header": (_HEADER, b""),
    "slow header": (_HEADER + b"X-Slow: ", b"a"),
    "silent body": (_HEADER + b"Content-Length: 5000\r\n\r\n{", b""),
    "slow body": (_HEADER + b"Content-Length: 5000\r\n\r\n{", b" "),
    "slow chunks": (_HEADER + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
}


class SlowClients:
    """Open connections of several behaviors, fed once a second from a thread."""

    def __init__(self, address: tuple[str, int], counts: dict[str, int]) -> None:
        """Open `counts` connections of each behavior."""
        self._stop = threading.Event()
        self._connections = [
            (self._open(address, BEHAVIORS[name][0]), BEHAVIORS[name][1])
            for name, count in counts.items()
            for _ in range(count)
        ]
        self._thread = threading.Thread(target=self._feed)

    def __enter__(self) -> None:
        """Begin to feed."""
        self._thread.start()

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        """Close all connections."""
        self._stop.set()
        self._thread.join()
        for connection, _piece in self._connections:
            connection.close()

    @staticmethod
    def _open(address: tuple[str, int], first: bytes) -> socket.socket:
        connection = socket.create_connection(address, timeout=5)
        connection.sendall(first)
        return connection

    def _feed(self) -> None:
        while not self._stop.wait(1):
            for connection, piece in self._connections:
                with suppress(OSError):
                    connection.sendall(piece)
