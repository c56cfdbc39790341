"""The thread of a worker that looks after it: its signals, its connections, and its end."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from cds_service.server.connections import IDLE_SECONDS, close_stalled_connections

_CHECK_SECONDS: Final = 2
_STARTING_SECONDS: Final = 0.02


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
