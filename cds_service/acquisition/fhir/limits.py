"""When an exchange with a FHIR server ends: at the deadline of its hook, or as soon as nobody needs the answer."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from time import monotonic


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
