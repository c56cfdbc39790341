"""Bytes on the disk: written whole or not at all, and synced before anyone relies on them."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class WrittenBytes:
    """Bytes written to a file that may not be on the disk yet. To be closed."""

    def __init__(self, descriptor: int, offset: int, data: bytes) -> None:
        """Take over an open file in which `data` stands at `offset`."""
        self._descriptor = descriptor
        self._offset = offset
        self._data = data
        self.inode = os.fstat(descriptor).st_ino

    def sync(self) -> None:
        """Return when the bytes, and all before them in the file, are on the disk. Raises OSError."""
        os.fdatasync(self._descriptor)

    def take_back(self) -> None:
        """Remove the bytes after a failed sync. To be called under the lock. Raises OSError.

        Where another process has gone on from them they are written again instead: after a failed sync the kernel
        counts them as written, so that a later sync of that process would leave a hole.
        """
        if os.fstat(self._descriptor).st_size == self._offset + len(self._data):
            os.ftruncate(self._descriptor, self._offset)
        else:
            os.pwrite(self._descriptor, self._data, self._offset)

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)


def write_at(path: str, offset: int, data: bytes, flags: int = 0, keep: int = 0) -> WrittenBytes:
    """Write to a file. Raises OSError; then the file is cut back to `offset` plus `keep`, if the disk lets it be."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC | flags, 0o600)
    try:
        written = 0
        while written < len(data):
            written += os.pwrite(descriptor, data[written:], offset + written)
        return WrittenBytes(descriptor, offset, data)
    except OSError:
        with contextlib.suppress(OSError):
            os.ftruncate(descriptor, offset + keep)
        os.close(descriptor)
        raise


def write_durably(path: str, offset: int, data: bytes, flags: int = 0, keep: int = 0) -> int:
    """Write to a file and sync it; return its inode number. To be called under the lock. Raises OSError."""
    written = write_at(path, offset, data, flags, keep)
    try:
        written.sync()
    except OSError:
        with contextlib.suppress(OSError):
            written.take_back()
        raise
    finally:
        written.close()
    return written.inode


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
