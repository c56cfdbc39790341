"""Bytes on the disk: written whole or not at all, and synced before anyone relies on them."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# Room for some records of usual size: a disk on which this does not fit is full.
_PROBE_BYTES: Final = 16_384


class WritableFile:
    """A file that is kept open from one write to the next. Not safe for threads."""

    def __init__(self, path: str, flags: int = 0) -> None:
        """Open it. Raises OSError."""
        self.path = path
        self._descriptor = -1
        self._descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC | flags, 0o600)
        self._identity = _identity(os.fstat(self._descriptor))

    def size(self) -> int | None:
        """Return the size of the file; None when another one stands at its path, or its permissions changed.

        Raises OSError, FileNotFoundError where nothing stands there.
        """
        status = os.stat(self.path)  # noqa: PTH116  for every batch: faster than a Path
        return status.st_size if _identity(status) == self._identity else None

    def write(self, offset: int, data: bytes, keep: int = 0) -> None:
        """Write. Raises OSError; then the file is cut back to `offset` plus `keep`, if the disk lets it be."""
        written = 0
        try:
            while written < len(data):
                written += os.pwrite(self._descriptor, data[written:] if written else data, offset + written)
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(self._descriptor, offset + keep)
            raise

    def read(self, offset: int, size: int) -> bytes:
        """Return up to so many bytes. Raises OSError."""
        return os.pread(self._descriptor, size, offset)

    def sync(self) -> None:
        """Return when all bytes of the file are on the disk. Raises OSError."""
        os.fdatasync(self._descriptor)

    def write_durably(self, offset: int, data: bytes, keep: int = 0) -> None:
        """Write and sync. To be called under the lock. Raises OSError."""
        self.write(offset, data, keep)
        try:
            self.sync()
        except OSError:
            with contextlib.suppress(OSError):
                self.take_back(offset, data)
            raise

    def take_back(self, offset: int, data: bytes) -> None:
        """Remove bytes written there after a failed sync. To be called under the lock. Raises OSError.

        Where another process has gone on from them they are written again instead: after a failed sync the kernel
        counts them as written, so that a later sync of that process would leave a hole.
        """
        if os.fstat(self._descriptor).st_size == offset + len(data):
            os.ftruncate(self._descriptor, offset)
        else:
            os.pwrite(self._descriptor, data, offset)

    def close(self) -> None:
        """Close it; a second time does nothing."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def __del__(self, close: Callable[[int], None] = os.close) -> None:
        """Leave no open file behind; names of modules may be gone at the end of the process."""
        if self._descriptor >= 0:
            close(self._descriptor)


def prove_writable(path: Path, flags: int) -> None:
    """Make a file of one's own at a path, write and sync it, and take it away again. Raises OSError."""
    probe = WritableFile(str(path), os.O_CREAT | flags)
    try:
        probe.write_durably(0, bytes(_PROBE_BYTES))
    finally:
        probe.close()
        path.unlink(missing_ok=True)


def _identity(status: os.stat_result) -> tuple[int, ...]:
    return status.st_dev, status.st_ino, status.st_mode, status.st_uid, status.st_gid


def sync_file(path: str) -> None:
    """Make durable what others wrote to a file and may not have synced yet. Raises OSError."""
    _sync(path, os.O_WRONLY)


def sync_directory(directory: Path) -> None:
    """Make the entry of a new file durable, as its bytes already are. Raises OSError."""
    _sync(str(directory), os.O_RDONLY | os.O_DIRECTORY)


def _sync(path: str, flags: int) -> None:
    descriptor = os.open(path, flags | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
