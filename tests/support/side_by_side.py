"""Tests in several processes at a time: those that measure time have the machine to themselves.

A test marked `alone` waits until no other test of the run goes on, and none begins before it has ended.
"""

from __future__ import annotations

import fcntl
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import BufferedRandom
    from pathlib import Path

# Bytes of the lock file. Who waits for the machine keeps the gate, so that nobody overtakes.
_GATE, _MACHINE = 0, 1


@contextmanager
def place_among_tests(path: Path, *, alone: bool) -> Iterator[None]:
    """Hold the right to run one test, beside others or alone; `path` is a file that all processes of the run lock."""
    # POSIX locks: processes that a test forks do not inherit them.
    with path.open("r+b") as file:
        with _locked(file, _GATE, fcntl.LOCK_EX):
            fcntl.lockf(file, fcntl.LOCK_EX if alone else fcntl.LOCK_SH, 1, _MACHINE)
        yield


@contextmanager
def one_at_a_time(path: Path) -> Iterator[None]:
    """Keep other processes from what the file stands for, such as an installation in its folder."""
    path.touch()
    with path.open("r+b") as file, _locked(file, _GATE, fcntl.LOCK_EX):
        yield


@contextmanager
def _locked(file: BufferedRandom, byte: int, kind: int) -> Iterator[None]:
    fcntl.lockf(file, kind, 1, byte)
    try:
        yield
    finally:
        fcntl.lockf(file, fcntl.LOCK_UN, 1, byte)
