"""The database that all workers share: SQLite on one host, PostgreSQL for several."""

from __future__ import annotations

import math
import os
import sqlite3
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeGuard

from sqlalchemy import Connection, Engine, MetaData, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, IntegrityError, ProgrammingError, SQLAlchemyError
from sqlalchemy.schema import CreateIndex, CreateTable

from cds_service.errors import ConfigurationError, StateUnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator

# Longest wait for the database or for another worker's write: a hook has about two seconds in all.
_WAIT_SECONDS = 1.0
# PostgreSQL refuses a worker that creates a table in the same moment as another; the second time it exists.
_CREATION_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class _Ready:
    """An engine whose tables exist, the process it belongs to, and the database file it writes to, if it is one."""

    engine: Engine
    process: int
    file: tuple[int, int] | None


class StateStore:
    """Connections to one database whose tables are created at first use.

    The engine belongs to the process that made it: connections must not be shared over a fork. After an error, or when
    the file was replaced, it is made anew, so that a database that was away is found again without a restart.
    """

    def __init__(self, url: str, tables: MetaData) -> None:
        """Connect to nothing yet. Raises ConfigurationError when no driver for the address is installed."""
        self.url = url
        self._tables = tables
        self._lock = threading.Lock()
        self._ready: _Ready | None = None
        try:
            address = make_url(url)
            dialect = address.get_dialect()
            dialect.import_dbapi()
        except (ArgumentError, ImportError) as error:
            raise ConfigurationError(log_detail=f"state.url: no driver for this database: {error}") from None
        self._driver = dialect.driver
        self._path = Path(address.database) if dialect.name == "sqlite" and address.database else None

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """Give a connection on which every statement is committed by itself. Raises StateUnavailableError."""
        try:
            with self._engine().connect() as connection:
                yield connection
        except SQLAlchemyError as error:
            self.close()
            # The text of the error may name hosts and statements; its kind is enough.
            raise StateUnavailableError(log_detail=f"state store: {_kind(error)}") from None

    def close(self) -> None:
        """Give all connections back; the next use opens new ones."""
        with self._lock:
            ready, self._ready = self._ready, None
        if ready is not None:
            ready.engine.dispose(close=ready.process == os.getpid())

    def _engine(self) -> Engine:
        ready = self._ready
        if self._is_usable(ready):
            return ready.engine
        if ready is not None:
            # Inherited over a fork: let go of the parent's connections, do not close them.
            ready.engine.dispose(close=ready.process == os.getpid())
        # Made without the lock: a database that does not answer must not line the threads up behind each other.
        made = _Ready(self._made_engine(), os.getpid(), self._file_now())
        with self._lock:
            ready = self._ready
            if self._is_usable(ready):
                made.engine.dispose()
                return ready.engine
            self._ready = made
        return made.engine

    def _is_usable(self, ready: _Ready | None) -> TypeGuard[_Ready]:
        return ready is not None and ready.process == os.getpid() and ready.file == self._file_now()

    def _file_now(self) -> tuple[int, int] | None:
        """Which file stands at the path: an open connection goes on writing to one that was deleted."""
        if self._path is None:
            return None
        try:
            status = self._path.stat()
        except OSError:
            return None
        return status.st_dev, status.st_ino

    def _made_engine(self) -> Engine:
        engine = create_engine(
            self.url,
            isolation_level="AUTOCOMMIT",
            hide_parameters=True,
            pool_timeout=_WAIT_SECONDS,
            connect_args={"connect_timeout": math.ceil(_WAIT_SECONDS)} if "psycopg" in self._driver else {},
        )
        if engine.dialect.name == "sqlite":
            event.listen(engine, "connect", _configure_sqlite)
        self._create_tables(engine)
        return engine

    def _create_tables(self, engine: Engine) -> None:
        for attempts_left in reversed(range(_CREATION_ATTEMPTS)):
            try:
                with engine.connect() as connection:
                    for table in self._tables.sorted_tables:
                        connection.execute(CreateTable(table, if_not_exists=True))
                        for index in sorted(table.indexes, key=lambda index: str(index.name)):
                            connection.execute(CreateIndex(index, if_not_exists=True))
            except (IntegrityError, ProgrammingError):
                if not attempts_left:
                    raise
            else:
                return


def _configure_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.execute(f"PRAGMA busy_timeout = {_WAIT_SECONDS * 1000:.0f}")
    _use_write_ahead_log(connection)
    # A commit does not wait for the disk: a power cut may forget the last moments, and tokens live for minutes.
    connection.execute("PRAGMA synchronous = NORMAL")


def _use_write_ahead_log(connection: sqlite3.Connection) -> None:
    """Let readers and the one writer not wait for each other.

    Workers that start together meet here, and SQLite refuses at once what it would otherwise wait for.
    """
    deadline = time.monotonic() + _WAIT_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


def _kind(error: SQLAlchemyError) -> str:
    cause = getattr(error, "orig", None)
    return type(error).__name__ if cause is None else f"{type(error).__name__} ({type(cause).__name__})"
