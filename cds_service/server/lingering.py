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
_ROUND_SECONDS: Final = 0.02
_PIECE_BYTES: Final = 262_144
_PIECES_A_ROUND: Final = 16
_WANTED_FILES: Final = 4096
# Kept free for connections that the server accepts, files, FHIR connections.
_OTHER_FILES: Final = 896


@dataclass(slots=True)
class _Kept:
    connection: socket.socket
    ends: float
    left: int


class Lingering:
    """The refused connections of a worker that listens at `port`."""

    def __init__(self, port: int, max_request_bytes: int) -> None:
        """Keep none yet."""
        self._port = port
        self._most_bytes = LINGER_LIMITS * max_request_bytes
        self._most = _files_to_spare()
        self._kept: dict[int, _Kept] = {}
        self._looked = 0.0
        self._changed = threading.Condition()
        self._buffer = bytearray(_PIECE_BYTES)
        self._is_running = False

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
            if not self._is_running:
                self._is_running = True
                threading.Thread(target=self._run, name="lingering", daemon=True).start()
            self._changed.notify_all()

    def _look(self, ends: float) -> None:
        for kept in self._kept.values():
            if _state(kept.connection) == ESTABLISHED:
                kept.ends = ends
        for inode, connection in accepted(self._port, set(self._kept)):
            if inode in self._kept or len(self._kept) >= self._most:
                connection.close()
            else:
                self._kept[inode] = _Kept(connection, ends, self._most_bytes)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: bool(self._kept))
                kept = dict(self._kept)
            over = [inode for inode, one in kept.items() if not self._goes_on(one)]
            with self._changed:
                for inode in over:
                    self._kept.pop(inode).connection.close()
            self._wait(kept, over)

    def _goes_on(self, one: _Kept) -> bool:
        """Take in what has arrived. Only after our end: before it the bytes are the server's."""
        if time.monotonic() >= one.ends or one.left <= 0:
            return False
        state = _state(one.connection)
        if state in (ESTABLISHED, CLOSE_WAIT):
            return True
        return state in WE_ENDED and self._take_in(one)

    def _take_in(self, one: _Kept) -> bool:
        try:
            for _ in range(_PIECES_A_ROUND):
                received = one.connection.recv_into(self._buffer, 0, socket.MSG_DONTWAIT)
                one.left -= received
                if not received or one.left <= 0:
                    return False
        except BlockingIOError:
            return True
        except OSError:
            return False
        return True

    def _wait(self, kept: dict[int, _Kept], over: list[int]) -> None:
        """Wait for more to arrive, but not long: the server ends others meanwhile."""
        waiting = select.poll()
        ended = False
        for inode, one in kept.items():
            if inode not in over and _state(one.connection) in WE_ENDED:
                waiting.register(one.connection, select.POLLIN)
                ended = True
        if ended:
            waiting.poll(_ROUND_SECONDS * 1000)
        else:
            time.sleep(_ROUND_SECONDS)


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
