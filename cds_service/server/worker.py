"""A worker: it builds its application from the configuration in force, and three threads look after it.

One takes SIGTERM, one says every second that the worker lives and listens to the process above, and one, when there is
something to apply, builds what a changed configuration asks for.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from typing import TYPE_CHECKING, Any, Final

from cds_service.errors import ConfigurationError
from cds_service.server.channel import Word
from cds_service.server.connections import IDLE_SECONDS, close_stalled_connections

if TYPE_CHECKING:
    from collections.abc import Callable

    from cds_service.server.channel import LowerEnd
    from cds_service.server.in_force import InForce, ServedApplication

_LOGGER = logging.getLogger(__name__)

BEAT_SECONDS: Final = 1.0
_STARTING_SECONDS: Final = 0.02


class WorkerLife:
    """What goes on in a worker beside its requests. `port` is where the service listens."""

    def __init__(self, channel: LowerEnd, port: int) -> None:
        """Begin before the application is built, with SIGTERM and SIGINT blocked."""
        self._channel = channel
        self._port = port
        self._parent = os.getppid()
        self._application: ServedApplication | None = None
        self._applied: InForce | None = None
        self._applying = threading.Lock()
        # The server's own handler, once it is there, means that the worker is about to answer.
        self._inherited = signal.getsignal(signal.SIGTERM)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        _in_background(self._take_signals)
        _in_background(self._beat)

    def build(self, in_force: InForce, build: Callable[[InForce], ServedApplication]) -> Callable[..., Any]:
        """Build the application. Exits with status 1, and one line in the log, when the configuration is no use."""
        with self._applying:
            try:
                self._application = build(in_force)
            except ConfigurationError as error:
                _LOGGER.critical("the service cannot start", extra={"fields": {"problem": str(error)}})
                raise SystemExit(1) from None
            self._applied = in_force
            if in_force.is_refused:
                self._application.note_refused()
            return self._application.wsgi

    @property
    def _is_ready(self) -> bool:
        return signal.getsignal(signal.SIGTERM) is not self._inherited

    def _take_signals(self) -> None:
        """Take SIGTERM once, so that a second one cannot interrupt the first.

        Python's own way would lose some: a signal that the kernel gives to another thread does not wake the main
        thread, which waits in the server.
        """
        signal.sigwait({signal.SIGTERM})
        self._stop()

    def _stop(self) -> None:
        while not self._is_ready:
            time.sleep(_STARTING_SECONDS)
        handler = signal.getsignal(signal.SIGTERM)
        if callable(handler):
            handler(signal.SIGTERM, None)

    def _beat(self) -> None:
        said_ready = False
        while os.getppid() == self._parent:
            if self._is_ready and not said_ready:
                said_ready = True
                self._channel.say(Word.READY)
            self._channel.say(Word.BEAT)
            for message in self._channel.messages(BEAT_SECONDS if said_ready else _STARTING_SECONDS):
                _in_background(self._apply, message)
            close_stalled_connections(self._port, IDLE_SECONDS)
        self._stop()

    def _apply(self, in_force: InForce) -> None:
        answer = Word.REFUSED
        try:
            with self._applying:
                answer = self._taken(in_force)
        finally:
            self._channel.say(answer)

    def _taken(self, in_force: InForce) -> Word:
        if self._application is None or self._applied is None:
            return Word.REFUSED
        if not (in_force.is_refused and in_force.is_like(self._applied)):
            try:
                self._application.apply(in_force)
            except ConfigurationError:
                return Word.REFUSED
        self._applied = in_force
        if in_force.is_refused:
            self._application.note_refused()
        return Word.APPLIED


def _in_background(function: Callable[..., None], *arguments: object) -> None:
    threading.Thread(target=function, args=arguments, name=function.__name__.strip("_"), daemon=True).start()
