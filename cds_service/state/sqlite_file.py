"""What SQLite needs besides: a file for its owner alone, and readers and the one writer that do not wait.

Nothing here opens the database file by itself. POSIX takes all locks of a process off a file as soon as any handle of
it is closed, and with them those that SQLite holds.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
import stat
import time
from pathlib import Path
from typing import ClassVar, Final

_log = logging.getLogger(__name__)

_OWNER_ALONE: Final = 0o600
_OF_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
# SQLite makes the two beside it with the permissions that the database file has in that moment.
_ENDINGS: Final = ("", "-wal", "-shm")


class SQLiteFile:
    """A database in a file; another connection's write is waited for `wait_seconds` at most."""

    failures: ClassVar[tuple[type[Exception], ...]] = (sqlite3.Error,)
    find_table: ClassVar[str] = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = :name"

    def __init__(self, path: Path, wait_seconds: float) -> None:
        self._path = path
        self._wait_seconds = wait_seconds

    def connect(self, *, creates: bool) -> sqlite3.Connection:
        """Open a connection; where it `creates`, make the file for its owner alone and set it up for writing."""
        if creates:
            keep_for_owner(self._path)
        connection = sqlite3.connect(
            self._path, timeout=self._wait_seconds, isolation_level=None, check_same_thread=False
        )
        try:
            if creates:
                _use_write_ahead_log(connection, self._wait_seconds)
                # A commit does not wait for the disk: a power cut may forget the last moments, and tokens live for
                # minutes.
                connection.execute("PRAGMA synchronous = NORMAL")
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def spelled(self, statement: str) -> str:
        """Return a statement as it is."""
        return statement


def sqlite_path(url: str) -> Path | None:
    """Return the file of a database of SQLite; None for a database elsewhere. What follows a `?` is not read."""
    scheme, _, place = url.partition(":///")
    return Path(place.partition("?")[0]) if scheme in ("sqlite", "sqlite+pysqlite") and place else None


def database_files(path: Path) -> tuple[Path, ...]:
    """Return the database file and the two that SQLite makes beside it, whether they are there or not."""
    return tuple(path.with_name(path.name + ending) for ending in _ENDINGS)


def keep_for_owner(path: Path) -> None:
    """Make the database file, if there is none, and let nobody but its owner read it or the two beside it.

    What cannot be changed is logged: the database is of use all the same.
    """
    # Made without a handle, before SQLite makes it readable by all. Where that is not allowed, or the file is there
    # already, the permissions are mended below.
    with contextlib.suppress(OSError):
        os.mknod(path, stat.S_IFREG | _OWNER_ALONE)
    for file in database_files(path):
        try:
            mode = stat.S_IMODE(file.stat().st_mode)
            if mode & _OF_OTHERS:
                file.chmod(_OWNER_ALONE)
                _log.warning("state file %s could be read by others (mode %04o); it is 0600 now", file, mode)
        except FileNotFoundError:
            continue
        except OSError as error:
            _log.warning("state file %s can be read by others: %s", file, error.strerror)


def identity(path: Path | None) -> tuple[int, int] | None:
    """Return device and inode of the file at the path: an open connection goes on writing to one that was deleted."""
    if path is None:
        return None
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _use_write_ahead_log(connection: sqlite3.Connection, wait_seconds: float) -> None:
    """Let readers and the one writer not wait for each other.

    Workers that start together meet here, and SQLite refuses at once what it would otherwise wait for.
    """
    deadline = time.monotonic() + wait_seconds
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return
