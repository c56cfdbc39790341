"""A refusal leaves at once, and its sender learns of it although it still sends the body that nobody wants.

A connection that is closed while bytes arrive is reset, and a reset takes the answer with it. So a second handle of it
is kept: the server says that nothing more will come and forgets the connection, and one thread takes in and throws away
what arrives, for a while. No thread of a request waits for that.
"""

from __future__ import annotations

import resource
import select
import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from cds_service.server.connections import CLOSE_WAIT, ESTABLISHED, WE_ENDED, accepted, state_of

# Design section 7.
LINGER_SECONDS: Final = 2.0
# So many times server.max_request_bytes of one body.
LINGER_LIMITS: Final = 4
# How soon it is seen that the server has ended a connection, and that the time of one is over.
_ROUND_SECONDS: Final = 0.02
_EXPIRY_SECONDS: Final = 0.25
_PIECE_BYTES: Final = 262_144
_PIECES_A_TURN: Final = 16
# More at a time is no crowd of clients that made a mistake: their connections are closed as they are.
_MOST: Final = 1024
_WANTED_FILES: Final = 4096
# Kept free for connections that the server accepts, files, FHIR connections.
_OTHER_FILES: Final = 896


@dataclass(slots=True)
class _Kept:
    connection: socket.socket
    ends: float
    left: int
    is_ended: bool = False


class Lingering:
    """The refused connections of a worker that listens at `port`."""

    def __init__(self, port: int, max_request_bytes: int) -> None:
        self._port = port
        self._most_bytes = LINGER_LIMITS * max_request_bytes
        self._most = min(_MOST, _files_to_spare())
        self._kept: dict[int, _Kept] = {}
        self._looked = 0.0
        self._expired = 0.0
        self._changed = threading.Condition()
        self._buffer = bytearray(_PIECE_BYTES)
        self._poll: select.epoll | None = None

    def keep(self) -> None:
        """Keep the connection of the request that is refused now, before the answer leaves.

        Which one it is the server does not say: all are kept for a moment, and those that the server does not end are
        let go. A look of another thread that began after this call counts for this one too.
        """
        called = time.monotonic()
        with self._changed:
            if self._looked >= called:
                return
            self._looked = time.monotonic()
            self._look(self._looked + LINGER_SECONDS)
            if self._poll is None:
                self._poll = select.epoll()
                threading.Thread(target=self._run, args=(self._poll,), name="lingering", daemon=True).start()
            self._changed.notify_all()

    def _look(self, ends: float) -> None:
        for kept in self._kept.values():
            if not kept.is_ended:
                kept.ends = ends
        for inode, connection in accepted(self._port, set(self._kept)):
            if inode in self._kept or len(self._kept) >= self._most:
                connection.close()
            else:
                self._kept[inode] = _Kept(connection, ends, self._most_bytes)

    def _run(self, poll: select.epoll) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: bool(self._kept))
                waiting = [item for item in self._kept.items() if not item[1].is_ended]
                ended = {one.connection.fileno(): (inode, one) for inode, one in self._kept.items() if one.is_ended}
            for inode, one in waiting:
                self._see_end(poll, inode, one)
            for descriptor, _ in poll.poll(_ROUND_SECONDS if waiting else _EXPIRY_SECONDS):
                if descriptor in ended and not self._take_in(ended[descriptor][1]):
                    self._let_go(ended[descriptor][0])
            self._expire()

    def _see_end(self, poll: select.epoll, inode: int, one: _Kept) -> None:
        """Before the server has said that nothing more will come, what arrives is the server's."""
        state = _state(one.connection)
        if state in WE_ENDED:
            one.is_ended = True
            poll.register(one.connection, select.EPOLLIN)
        elif state not in (ESTABLISHED, CLOSE_WAIT):
            self._let_go(inode)

    def _take_in(self, one: _Kept) -> bool:
        """Throw away what has arrived; tell whether more is to be waited for."""
        try:
            for _ in range(_PIECES_A_TURN):
                received = one.connection.recv_into(self._buffer, 0, socket.MSG_DONTWAIT)
                one.left -= received
                if not received or one.left <= 0:
                    return False
        except BlockingIOError:
            return True
        except OSError:
            return False
        return True

    def _expire(self) -> None:
        now = time.monotonic()
        if now - self._expired >= _EXPIRY_SECONDS:
            self._expired = now
            with self._changed:
                over = [inode for inode, one in self._kept.items() if now >= one.ends]
            for inode in over:
                self._let_go(inode)

    def _let_go(self, inode: int) -> None:
        with self._changed:
            one = self._kept.pop(inode, None)
        if one is None:
            return
        if one.is_ended and self._poll is not None:
            # Closing this handle alone would not do it while the server has another.
            self._poll.unregister(one.connection)
        one.connection.close()


def _state(connection: socket.socket) -> int:
    """The state of TCP; 0, which is none, of a connection that is gone."""
    with suppress(OSError):
        return state_of(connection)
    return 0


def _files_to_spare() -> int:
    """Raise the limit of open files as far as this process may; return how many handles can be kept."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < _WANTED_FILES:
        wanted = _WANTED_FILES if hard == resource.RLIM_INFINITY else min(hard, _WANTED_FILES)
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        soft = wanted
    return max(_WANTED_FILES if soft == resource.RLIM_INFINITY else soft - _OTHER_FILES, 0)
