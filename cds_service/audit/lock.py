"""One writer at a time, over all threads and processes that share an audit directory."""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_NAME: Final = "audit.lock"

# The holder prepares and writes one batch: a fraction of a millisecond, unless its process waits for a processor.
_FIRST_PAUSE: Final = 0.00005
_LONGEST_PAUSE: Final = 0.002

_descriptors: set[int] = set()


class WriterLock:
    """The lock of a directory, taken and released for every batch on one open file. Not safe for threads.

    Its file also grows with every log file that is begun. `generation` tells which file it is and how long: a writer
    who finds it as it was need not look for newer log files. Other contents of the file mean nothing.
    """

    def __init__(self, directory: Path) -> None:
        self._path = _path(directory)
        self._descriptor = -1
        self._file = (0, 0)
        self.generation = (0, 0, 0)

    def acquire(self, seconds: float) -> None:
        """Hold the directory for writing.

        Raises TimeoutError when another process holds it for `seconds` (one that was stopped, or waits for its disk),
        and OSError when the directory is missing or refuses the lock.
        """
        deadline = time.monotonic() + seconds
        try:
            while not self._take(deadline):
                self.close()
        except TimeoutError:
            raise
        except OSError:
            self.close()
            raise

    def _take(self, deadline: float) -> bool:
        """Take the lock; False where the locked file is not the one that other processes would lock."""
        if self._descriptor < 0:
            self._open()
        _wait(self._descriptor, fcntl.LOCK_EX, deadline)
        try:
            status = os.stat(self._path)  # noqa: PTH116  for every batch: faster than a Path
        except FileNotFoundError:
            # Someone has deleted it meanwhile.
            return False
        self.generation = (*self._file, status.st_size)
        return (status.st_dev, status.st_ino) == self._file

    def release(self) -> None:
        """Let go. A copy of the descriptor in a process forked meanwhile would keep a lock that is only closed."""
        if self._descriptor >= 0:
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def announce(self, name: str) -> None:
        """Tell the other processes that a log file is about to be begun. To be called while the lock is held."""
        os.pwrite(self._descriptor, f"{name}\n".encode("ascii"), self.generation[2])
        self.generation = (*self._file, os.fstat(self._descriptor).st_size)

    def close(self) -> None:
        """Close the file, and let go of the lock if it is held. It is opened again when needed."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            _release(descriptor)

    def forget(self) -> None:
        """Begin anew in a forked process, where the descriptor is closed already: the lock is the parent's."""
        self._descriptor = -1

    def __del__(self, close: Callable[[int], None] = os.close, descriptors: set[int] = _descriptors) -> None:
        """Leave no open file behind; names of modules may be gone at the end of the process."""
        if self._descriptor in descriptors:
            descriptors.discard(self._descriptor)
            close(self._descriptor)

    def _open(self) -> None:
        try:
            self._descriptor = _open(self._path, os.O_RDWR)
        except FileNotFoundError:
            # Asked for only where it is needed: on a disk that stalls it waits, even for a file that is there.
            self._descriptor = _open(self._path, os.O_RDWR | os.O_CREAT)
        status = os.fstat(self._descriptor)
        self._file = (status.st_dev, status.st_ino)


@contextmanager
def writer_lock(directory: Path, seconds: float) -> Iterator[None]:
    """Hold the directory for writing once. Raises as `WriterLock.acquire` does."""
    lock = WriterLock(directory)
    try:
        lock.acquire(seconds)
        yield
    finally:
        lock.close()


@contextmanager
def reader_lock(directory: Path, seconds: float) -> Iterator[None]:
    """Keep writers out while the files are listed, so that no line is seen half written.

    A directory without lock file (an archived copy) has no writers. Raises as `WriterLock.acquire` does.
    """
    try:
        descriptor = _open(_path(directory), os.O_RDONLY)
    except FileNotFoundError:
        yield
        return
    try:
        _wait(descriptor, fcntl.LOCK_SH, time.monotonic() + seconds)
        yield
    finally:
        _release(descriptor)


def _path(directory: Path) -> str:
    return f"{directory}/{_NAME}"


def _open(path: str, flags: int) -> int:
    descriptor = os.open(path, flags | os.O_CLOEXEC, 0o600)
    _descriptors.add(descriptor)
    return descriptor


def _release(descriptor: int) -> None:
    """Let go and close, unless that was done at a fork."""
    if descriptor in _descriptors:
        _descriptors.discard(descriptor)
        fcntl.flock(descriptor, fcntl.LOCK_UN)
        os.close(descriptor)


def _close_inherited() -> None:
    """Close what the parent had open at the fork: if the parent is killed while it holds a lock, that must end too."""
    while _descriptors:
        os.close(_descriptors.pop())


os.register_at_fork(after_in_child=_close_inherited)


def _wait(descriptor: int, mode: int, deadline: float) -> None:
    """Take the lock before the deadline. Python cannot wait for flock with a limit, so it is asked again."""
    pause = _FIRST_PAUSE
    while True:
        try:
            return fcntl.flock(descriptor, mode | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise TimeoutError("another process holds the audit directory") from None
        time.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)
