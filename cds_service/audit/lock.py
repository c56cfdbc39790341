"""One writer at a time, over all threads and processes that share an audit directory."""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_NAME: Final = "audit.lock"
_NAME_BYTES: Final = 255

# The holder writes and syncs one batch: a fraction of a millisecond on an SSD, some milliseconds on a disk.
_FIRST_PAUSE: Final = 0.00005
_LONGEST_PAUSE: Final = 0.002

_descriptors: set[int] = set()


class WriterLock:
    """The held lock. Its file also names the log file last written to, as a hint for the other processes.

    The hint is no evidence: a reader who finds another name than expected looks at the directory.
    """

    def __init__(self, descriptor: int) -> None:
        """Take over a locked descriptor of the lock file."""
        self._descriptor = descriptor
        self._current_file = os.pread(descriptor, _NAME_BYTES, 0).rstrip(b"\x00").decode("ascii", "replace")

    @property
    def current_file(self) -> str:
        """Name of the log file last written to; empty when none was."""
        return self._current_file

    @current_file.setter
    def current_file(self, name: str) -> None:
        os.pwrite(self._descriptor, name.encode("ascii").ljust(_NAME_BYTES, b"\x00"), 0)
        self._current_file = name


@contextmanager
def writer_lock(directory: Path, seconds: float) -> Iterator[WriterLock]:
    """Hold the directory for writing.

    Raises TimeoutError when another process holds it for `seconds` (one that was stopped, or waits for its disk),
    and OSError when the directory is missing or refuses the lock.
    """
    descriptor = _acquire(_path(directory), os.O_RDWR | os.O_CREAT, fcntl.LOCK_EX, seconds)
    try:
        yield WriterLock(descriptor)
    finally:
        _release(descriptor)


@contextmanager
def reader_lock(directory: Path, seconds: float) -> Iterator[None]:
    """Keep writers out while the files are listed, so that no line is seen half written.

    A directory without lock file (an archived copy) has no writers. Raises as `writer_lock` does.
    """
    try:
        descriptor = _acquire(_path(directory), os.O_RDONLY, fcntl.LOCK_SH, seconds)
    except FileNotFoundError:
        yield
        return
    try:
        yield
    finally:
        _release(descriptor)


def _path(directory: Path) -> str:
    # Taken for every batch: joining texts is many times faster than joining paths.
    return f"{directory}/{_NAME}"


def _acquire(path: str, flags: int, mode: int, seconds: float) -> int:
    deadline = time.monotonic() + seconds
    while True:
        descriptor = os.open(path, flags | os.O_CLOEXEC, 0o600)
        _descriptors.add(descriptor)
        try:
            _wait(descriptor, mode, deadline)
            if _is_still_at(descriptor, path):
                return descriptor
        except OSError:
            _release(descriptor)
            raise
        _release(descriptor)


def _release(descriptor: int) -> None:
    """Let go. A copy of the descriptor in a process forked meanwhile would keep a lock that is only closed."""
    fcntl.flock(descriptor, fcntl.LOCK_UN)
    _descriptors.discard(descriptor)
    os.close(descriptor)


def _close_inherited() -> None:
    """Close what another thread of the parent held at the fork: if the parent is killed, its lock must end too."""
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


def _is_still_at(descriptor: int, path: str) -> bool:
    """Tell whether the locked file is the one other processes would lock; someone may have deleted it meanwhile."""
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(path))  # noqa: PTH116  faster than a Path
    except FileNotFoundError:
        return False
