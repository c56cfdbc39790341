"""Work shared out to processes: forked ones, which have the tables already, or this one alone."""

from __future__ import annotations

import os
import signal
import threading
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context, parent_process
from typing import TYPE_CHECKING, Any, Final, TypeVar

from cds_service.errors import CohortRunError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from concurrent.futures import Future

_Task = TypeVar("_Task")
_Result = TypeVar("_Result")

_FORK: Final = get_context("fork")
_SECONDS_BETWEEN_LOOKS: Final = 0.2


class StoppedError(Exception):
    """The run ends: whoever works for it stops."""


class Counters:
    """What all processes count together, and whether they are to stop."""

    def __init__(self) -> None:
        self._bytes = _FORK.Value("q", 0)
        self._patients = _FORK.Value("q", 0)
        self._stop = _FORK.Value("b", 0)
        self._parent = os.getpid()

    def add(self, size: int, patients: int = 0) -> None:
        """Count. Raises StoppedError where the run ends, or its process is gone."""
        if self._stop.value or os.getpid() != self._parent != os.getppid():
            raise StoppedError
        with self._bytes.get_lock():
            self._bytes.value += size
        if patients:
            with self._patients.get_lock():
                self._patients.value += patients

    def stop(self) -> None:
        """Let every process stop at its next step."""
        self._stop.value = 1

    @property
    def told(self) -> tuple[int, int]:
        """Bytes and patients so far."""
        return self._bytes.value, self._patients.value


class Workers:
    """Runs functions over tasks in so many processes; one is this very process."""

    def __init__(self, number: int, counters: Counters, look: Callable[[], None]) -> None:
        """Start nothing yet. `look` is called every now and then while work goes on."""
        self._number = number
        self._counters = counters
        self._look = look

    def run(self, function: Callable[[_Task], _Result], tasks: Iterable[_Task]) -> Iterator[_Result]:
        """Yield what becomes of each task, in no order. Raises what the function raises, or CohortRunError."""
        if self._number == 1:
            for task in tasks:
                result = function(task)
                self._look()
                yield result
            return
        # The function reaches the processes by being there when they are made: it need not be something to send.
        pool = ProcessPoolExecutor(self._number, _FORK, _begin, (function,))
        try:
            yield from self._results({pool.submit(_call, task) for task in tasks})
        except BrokenProcessPool as error:
            raise CohortRunError("a process of the run was killed; there may be too little memory") from error
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _results(self, waiting: set[Future[Any]]) -> Iterator[Any]:
        try:
            while waiting:
                done, waiting = wait(waiting, _SECONDS_BETWEEN_LOOKS, FIRST_COMPLETED)
                self._look()
                for future in done:
                    yield future.result()
        finally:
            if waiting:
                self._counters.stop()
                wait(waiting)


_function: Callable[[Any], Any]


def _begin(function: Callable[[Any], Any]) -> None:
    """Begin a process: whoever started the run ends it, and it ends the processes."""
    global _function
    _function = function
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    threading.Thread(target=_end_with_the_run, daemon=True).start()


def _end_with_the_run() -> None:
    """Leave when the process of the run was killed: one that waits for its next task would wait forever."""
    run = parent_process()
    if run is not None:
        run.join()
        os._exit(1)


def _call(task: Any) -> Any:
    return _function(task)
