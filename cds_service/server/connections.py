"""The connections of this worker. The server keeps them to itself, so they are found among the open files.

Three things need them: a connection that stalls is closed, one that was refused stays until its sender has the reason
(`lingering.py`), and a body in chunks that was cut off is told from a whole one. Without /proc none of it is done.
"""

from __future__ import annotations

import ipaddress
import os
import socket
import stat
import struct
from contextlib import suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

# Longer than the 60 seconds for which proxies and HTTP clients usually keep an idle connection: whoever closes
# first must be the client, or a request sent at that moment is lost.
IDLE_SECONDS: Final = 75
_OPEN_FILES: Final = "/proc/self/fd"
# Offset of tcpi_last_data_sent (milliseconds) in struct tcp_info of linux/tcp.h. The state is its first byte.
_LAST_DATA_SENT: Final = 44

# States of net/tcp_states.h.
ESTABLISHED: Final = 1
CLOSE_WAIT: Final = 8
# We have said that nothing more will come; what the other side sends still arrives.
WE_ENDED: Final = frozenset({4, 5, 9, 11})  # FIN_WAIT1, FIN_WAIT2, LAST_ACK, CLOSING


def open_sockets() -> Iterator[tuple[int, int]]:
    """Yield descriptor and inode of every socket that this process has open."""
    try:
        # Not by way of pathlib, which takes longer than the questions that follow.
        names = os.listdir(_OPEN_FILES)  # noqa: PTH208
    except OSError:
        return
    for name in names:
        with suppress(OSError):
            status = os.fstat(int(name))
            if stat.S_ISSOCK(status.st_mode):
                yield int(name), status.st_ino


def accepted(port: int, known: frozenset[int] | set[int] = frozenset()) -> Iterator[tuple[int, socket.socket]]:
    """Yield the inode and a second handle of each accepted connection, except the known inodes.

    The handle is the caller's, to be closed. It is a second one, so that the file behind it cannot change between a
    check and what follows from it. Of sockets only: to close any handle of a file takes all locks (fcntl) of this
    process off that file. SQLite would lose those of the state store, and the next process to close it would delete its
    log under our hands.
    """
    for descriptor, inode in open_sockets():
        if inode not in known:
            handle = _accepted_handle(descriptor, port)
            if handle is not None:
                yield inode, handle


def _accepted_handle(descriptor: int, port: int) -> socket.socket | None:
    with suppress(OSError):
        second = os.dup(descriptor)
        if not stat.S_ISSOCK(os.fstat(second).st_mode):
            # Another file took the number in this very moment. An open handle too many is the lesser harm.
            return None
        connection = socket.socket(fileno=second)
        with suppress(OSError):
            is_tcp = connection.family in (socket.AF_INET, socket.AF_INET6) and connection.type == socket.SOCK_STREAM
            if is_tcp and connection.getsockname()[1] == port and connection.getpeername():
                return connection
        connection.close()
    return None


def state_of(connection: socket.socket) -> int:
    """Return the state that TCP is in (net/tcp_states.h). Raises OSError."""
    return connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]


def close_stalled_connections(port: int, idle_seconds: float) -> int:
    """Shut down accepted connections on which nothing was sent for so long; return how many there were.

    Answers take seconds, so a connection with a running request is never among them.
    """
    return sum(_close_if_stalled(connection, idle_seconds) for connection in _accepted_once(port))


def _accepted_once(port: int) -> Iterator[socket.socket]:
    for _, connection in accepted(port):
        with connection:
            yield connection


def _close_if_stalled(connection: socket.socket, idle_seconds: float) -> bool:
    with suppress(OSError):
        state = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _LAST_DATA_SENT + 4)
        (idle_milliseconds,) = struct.unpack_from("I", state, _LAST_DATA_SENT)
        if idle_milliseconds >= idle_seconds * 1000:
            connection.shutdown(socket.SHUT_RDWR)
            return True
    return False


def has_ended(port: int, address: str) -> bool:
    """Whether a sender at this address has ended a connection on which it waits for an answer.

    The server does not say which connection a request came over, and answers nobody who ended a connection after a
    whole request. So one that is ended and still open is one whose request was cut off.
    """
    wanted = _plain(address)
    return any(_is_ended_by(connection, wanted) for connection in _accepted_once(port))


def _is_ended_by(connection: socket.socket, address: str) -> bool:
    with suppress(OSError):
        return state_of(connection) == CLOSE_WAIT and _plain(connection.getpeername()[0]) == address
    return False


def _plain(address: str) -> str:
    """An IPv4 address is the same whether or not the socket is an IPv6 one."""
    with suppress(ValueError):
        parsed = ipaddress.ip_address(address.partition("%")[0])
        mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
        return str(mapped or parsed)
    return address
