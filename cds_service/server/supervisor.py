"""The process that `sii-cds serve` started: it has workers, replaces them while it lives, and ends when it is told.

It does nothing else in its main thread, and never waits for a worker or a disk. It is granian's multi-process server
with another loop, another start of workers and one listening socket for all of them. A test names the private members
that this relies on: tests/unit/server/test_granian_members.py.

| what happens | what follows |
|---|---|
| a worker ends, by whatever cause and however often | its place gets another, after the pauses of `backoff.py` |
| a worker says nothing for 10 seconds | it is killed, and replaced; after 30 where it computes all the while |
| no worker could ever build its application | the start has failed: exit status 1 |
| SIGTERM, SIGINT | no new connections; running requests finish, at most `DRAIN_SECONDS`; exit status 0 |
| SIGHUP | the configuration is read again |

Why so: docs/decisions/0025-supervision.md.
"""

from __future__ import annotations

import logging
import os
import select
import signal
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

from granian._granian import SocketHolder
from granian.server.mp import MPServer

from cds_service.server.channel import Word, channel
from cds_service.server.slot import Slot, Worker

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator

    from cds_service.server.reload import Reload

_LOGGER = logging.getLogger(__name__)

_SIGNALS: Final = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGHUP})
_LOOK_SECONDS: Final = 0.5
_BUSY_SECONDS: Final = 0.05
# A pause of this process itself, as when the machine was suspended: nobody could be heard then.
_OWN_PAUSE_SECONDS: Final = 5.0


class Supervisor(MPServer):
    """Granian's server with a supervision that does not give up."""

    def __init__(
        self,
        listener: socket.socket,
        reload: Reload,
        on_listening: Callable[[], None],
        run_worker: Callable[[Slot], Callable[..., Any]],
        **options: Any,
    ) -> None:
        """Know what to supervise. `run_worker` builds the application in a new worker; `options` are the server's."""
        super().__init__("", **options)
        self._listener = listener
        self._reload_of_configuration = reload
        self._on_listening = on_listening
        self._run_worker = run_worker
        self._slots = [Slot(index, time.monotonic()) for index in range(self.workers)]
        self._was_ready = False
        self._has_failed = False
        self._woken, self._wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    # What granian calls.

    def _init_shared_socket(self) -> None:
        """One listening socket for all: a worker that was stopped keeps no queue of connections of its own."""
        self._ssp = None
        self._sso = None
        self._shd: Any = SocketHolder(self._listener.fileno(), False, self.backlog)  # type: ignore[call-arg]  # stub without

    def _drop_shared_socket(self) -> None:
        self._listener.close()

    def _spawn_workers(self, _spawn_target: Any, _target_loader: Any) -> None:
        """Start none here: the loop does."""

    def signal_handler_interrupt(self, *_: object, **__: object) -> None:
        """Take note only: the loop may be anywhere."""
        self.interrupt_signal = True

    def signal_handler_reload(self, *_: object, **__: object) -> None:
        """Take note only."""
        self.reload_signal = True

    def _serve_loop(self, spawn_target: Any, _target_loader: Any) -> None:
        signal.set_wakeup_fd(self._wake, warn_on_full_buffer=False)
        looked = time.monotonic()
        while not (self.interrupt_signal or self._has_failed):
            now = time.monotonic()
            if now - looked > _OWN_PAUSE_SECONDS:
                self._excuse_silence(now)
            looked = now
            self._look(now, spawn_target)
            self._wait()
        self.wrks = [worker.process for worker in self._workers()]
        if self._has_failed:
            self.shutdown(1)  # type: ignore[no-untyped-call]  # untyped in the library

    # One round.

    def _look(self, now: float, spawn_target: Any) -> None:
        for worker in self._workers():
            self._listen(worker, now)
        for slot in self._slots:
            self._bury(slot, now)
        if self.reload_signal:
            self.reload_signal = False
            self._reload_of_configuration.tell()
        self._reload_of_configuration.go_on(self._workers(), now)
        if not self._reload_of_configuration.is_reading(now):
            for slot in self._slots:
                if slot.is_due(now) and not self._has_failed:
                    self._start(slot, now, spawn_target)

    def _workers(self) -> list[Worker]:
        return [slot.worker for slot in self._slots if slot.worker is not None]

    def _wait(self) -> None:
        workers = self._workers()
        unsent = [worker for worker in workers if worker.channel.flush()]
        is_busy = bool(unsent) or self._reload_of_configuration.is_busy
        due = min((slot.due for slot in self._slots if slot.worker is None), default=float("inf"))
        pause = min(_BUSY_SECONDS if is_busy else _LOOK_SECONDS, max(due - time.monotonic(), _BUSY_SECONDS))
        poll = select.poll()
        for descriptor in (self._woken, *(end for worker in workers for end in worker.descriptors())):
            poll.register(descriptor, select.POLLIN)
        poll.poll(pause * 1000)
        with suppress(BlockingIOError):
            os.read(self._woken, 4096)

    def _listen(self, worker: Worker, now: float) -> None:
        for word in worker.channel.words():
            worker.heard = now
            if word is Word.READY:
                worker.is_ready = True
                if not self._was_ready:
                    self._was_ready = True
                    # Whoever was to be told may have gone; that ends no service.
                    with suppress(OSError):
                        self._on_listening()
            elif word in (Word.APPLIED, Word.REFUSED):
                self._reload_of_configuration.answered(worker, is_applied=word is Word.APPLIED)
        if worker.hangs(now) and not worker.has_exited:
            _LOGGER.error("worker hangs and is killed", extra={"fields": {"worker": worker.pid}})
            worker.kill()
            worker.heard = now

    def _bury(self, slot: Slot, now: float) -> None:
        worker = slot.worker
        if worker is None or not worker.has_exited:
            return
        code = worker.process.inner.exitcode
        pause = slot.empty(now, now - worker.started)
        self._reload_of_configuration.gone(worker)
        fields = {"worker": worker.pid, "exit": code, "replaced_in_seconds": pause}
        worker.close()
        # A worker that ends of itself before any was ever ready could not build its application.
        self._has_failed = self._has_failed or (not self._was_ready and code is not None and code > 0)
        _LOGGER.error("worker ended", extra={"fields": fields})

    def _start(self, slot: Slot, now: float, spawn_target: Any) -> None:
        try:
            above, below = channel()
        except OSError as error:
            self._tell_not_started(slot, now, error)
            return
        process = self._spawn_worker(slot.index, spawn_target, lambda: self._run_worker(slot))
        # Whatever ends this process ends them too: Python would wait for others for ever.
        process.inner.daemon = True
        slot.worker = Worker(process, above, below, self._reload_of_configuration.held, now)
        try:
            with _signals_blocked():
                # Not `process.start()`, which would leave a thread here.
                process.inner.start()
        except OSError as error:
            above.close()
            self._tell_not_started(slot, now, error)
        below.close()

    @staticmethod
    def _tell_not_started(slot: Slot, now: float, error: OSError) -> None:
        pause = slot.empty(now, 0)
        fields = {"reason": error.strerror, "tried_again_in_seconds": pause}
        _LOGGER.error("no worker could be started", extra={"fields": fields})

    def leave_to(self, slot: Slot) -> Worker:
        """Forget in a new worker what belongs to others; return what is known of it."""
        signal.set_wakeup_fd(-1)
        os.close(self._woken)
        os.close(self._wake)
        for worker in self._workers():
            worker.channel.close()
        assert slot.worker is not None  # noqa: S101  it is running here
        return slot.worker

    def _excuse_silence(self, now: float) -> None:
        for worker in self._workers():
            worker.heard = now


@contextmanager
def _signals_blocked() -> Iterator[None]:
    """A worker is forked with them blocked; it takes SIGTERM in a thread of its own."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
