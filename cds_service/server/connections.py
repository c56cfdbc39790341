"""Connections that stall are closed: nothing was sent on them for so long that nobody waits for an answer.

The server has a timeout for headers, but none for bodies, and keeps its connections to itself.
"""

from __future__ import annotations

import os
import socket
import stat
import struct
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

# Longer than the 60 seconds for which proxies and HTTP clients usually keep an idle connection: whoever closes
# first must be the client, or a request sent at that moment is lost.
IDLE_SECONDS: Final = 75
# Offset of tcpi_last_data_sent (milliseconds) in struct tcp_info of linux/tcp.h.
_LAST_DATA_SENT: Final = 44


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
