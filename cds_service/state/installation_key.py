"""A key that the installation makes once for itself, where the site gives none.

On one host it lies in a file of its own beside the database of SQLite: whoever reads the database alone cannot try out
patient ids. Several hosts need the same key, so theirs lies in the database that they share.
"""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING, Final

from cds_service.errors import StateUnavailableError
from cds_service.state.database import StateStore

if TYPE_CHECKING:
    from pathlib import Path

_KEY_BYTES: Final = 32
_TABLES: Final = (
    "CREATE TABLE IF NOT EXISTS installation_key (name VARCHAR(64) NOT NULL PRIMARY KEY, key BLOB NOT NULL)",
)
_NAME: Final = "snooze"
# Of two hosts that make one at the same time, one is kept.
_MAKE: Final = "INSERT INTO installation_key (name, key) VALUES (:name, :key) ON CONFLICT (name) DO NOTHING"
_FIND: Final = "SELECT key FROM installation_key WHERE name = :name"


class InstallationKey:
    """The key of one installation: read, or made, when it is first asked for."""

    def __init__(self, url: str) -> None:
        """Touch nothing yet. Raises ConfigurationError when no driver for the address is installed."""
        self._store = StateStore(url, _TABLES)
        self._key: bytes | None = None

    def __call__(self) -> bytes:
        """Return the key. Raises StateUnavailableError where it can neither be read nor made."""
        if self._key is None:
            path = self._store.path
            self._key = self._in_database() if path is None else _in_file(key_file(path))
        return self._key

    def close(self) -> None:
        """Close the connections to the database; the next use opens new ones."""
        self._store.close()

    def _in_database(self) -> bytes:
        self._store.execute(_MAKE, {"name": _NAME, "key": secrets.token_bytes(_KEY_BYTES)})
        row = self._store.first_row(_FIND, {"name": _NAME})
        if row is None:
            raise StateUnavailableError(log_detail="state store: the key of this installation is gone")
        return bytes(row[0])


def key_file(database: Path) -> Path:
    """Name the file that holds the key beside a database file."""
    return database.with_name(f"{database.name}.key")


def _in_file(path: Path) -> bytes:
    try:
        if not path.exists():
            _make(path)
        key = path.read_bytes()
    except OSError as error:
        raise StateUnavailableError(log_detail=f"state store: {path}: {error.strerror}") from None
    if len(key) < _KEY_BYTES:
        raise StateUnavailableError(log_detail=f"state store: {path}: holds no key; delete it, and one is made")
    return key


def _make(path: Path) -> None:
    """Put a new key in place, whole, unless another process was first. Raises OSError."""
    beginning = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(beginning, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(secrets.token_bytes(_KEY_BYTES))
            stream.flush()
            os.fsync(stream.fileno())
        path.hardlink_to(beginning)
    except FileExistsError:
        return
    finally:
        beginning.unlink()
