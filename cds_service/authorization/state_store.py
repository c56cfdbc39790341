"""The database that all workers share: SQLite on one host, PostgreSQL for several."""

from __future__ import annotations

import os
import re
import sqlite3
import threading
import time
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard, TypeVar

from sqlalchemy import Engine, MetaData, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, IntegrityError, ProgrammingError, SQLAlchemyError
from sqlalchemy.schema import CreateTable

from cds_service.errors import ConfigurationError, StateUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sqlalchemy.engine.interfaces import DBAPICursor

_Taken = TypeVar("_Taken")

# Longest wait for the database or for another worker's write: a hook has about two seconds in all.
_WAIT_SECONDS = 1.0
# PostgreSQL refuses a worker that creates a table in the same moment as another; the second time it exists.
_CREATION_ATTEMPTS = 3
# So long nobody asks a database that kept one caller waiting in vain: the threads are needed to answer others.
_PAUSE_SECONDS = 0.5


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
            failures = (SQLAlchemyError, dialect.import_dbapi().Error)
        except (ArgumentError, ImportError) as error:
            raise ConfigurationError(log_detail=f"state.url: no driver for this database: {error}") from None
        self._failures: tuple[type[Exception], ...] = failures
        self._paused_until = 0.0
        self._spelled = _spelled_by_name if dialect.name == "sqlite" else _spelled_with_percent
        self._path = Path(address.database) if dialect.name == "sqlite" and address.database else None

    def execute(self, statement: str, parameters: Mapping[str, object]) -> int:
        """Run one statement, committed by itself, and give the number of rows it changed.

        `:name` stands for a parameter. Raises StateUnavailableError, after about a second at most, or two where no
        connection can be made.
        """
        return self._run(statement, parameters, lambda cursor: int(cursor.rowcount))

    def first_row(self, statement: str, parameters: Mapping[str, object]) -> tuple[Any, ...] | None:
        """Run a query and give its first row, None where there is none. Raises as `execute` does."""
        return self._run(statement, parameters, lambda cursor: cursor.fetchone())

    def _run(self, statement: str, parameters: Mapping[str, object], take: Callable[[DBAPICursor], _Taken]) -> _Taken:
        begun = time.monotonic()
        if begun < self._paused_until:
            raise StateUnavailableError(log_detail="state store: did not answer a moment ago")
        try:
            try:
                return self._executed(statement, parameters, take)
            except self._failures:
                # A connection that the server closed while it lay in the pool says so at once: a new one may do.
                if time.monotonic() - begun > _WAIT_SECONDS / 2:
                    raise
                self.close()
                return self._executed(statement, parameters, take)
        except self._failures as error:
            self.close()
            ended = time.monotonic()
            if ended - begun > _WAIT_SECONDS / 2:
                self._paused_until = ended + _PAUSE_SECONDS
            # The text of the error may name hosts and statements; its kind is enough.
            raise StateUnavailableError(log_detail=f"state store: {_kind(error)}") from None

    def _executed(
        self, statement: str, parameters: Mapping[str, object], take: Callable[[DBAPICursor], _Taken]
    ) -> _Taken:
        # By the driver itself: a third of the time that a statement takes through SQLAlchemy.
        pooled = self._engine().raw_connection()
        try:
            cursor = pooled.cursor()
            cursor.execute(self._spelled(statement), parameters)
            return take(cursor)
        except self._failures:
            pooled.invalidate()
            raise
        finally:
            pooled.close()

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
        )
        if engine.dialect.name == "sqlite":
            event.listen(engine, "connect", _configure_sqlite)
        elif engine.dialect.name == "postgresql":
            # Imported where it is needed: the driver is installed for several hosts only.
            from cds_service.authorization.state_postgresql import bound_waits

            bound_waits(engine, _WAIT_SECONDS)
        self._create_tables(engine)
        return engine

    def _create_tables(self, engine: Engine) -> None:
        for attempts_left in reversed(range(_CREATION_ATTEMPTS)):
            try:
                with engine.connect() as connection:
                    for table in self._tables.sorted_tables:
                        connection.execute(CreateTable(table, if_not_exists=True))
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


def _spelled_by_name(statement: str) -> str:
    return statement


@lru_cache(maxsize=16)
def _spelled_with_percent(statement: str) -> str:
    return re.sub(r":([a-z_]+)", r"%(\1)s", statement)


def _kind(error: Exception) -> str:
    cause = getattr(error, "orig", None)
    return type(error).__name__ if cause is None else f"{type(error).__name__} ({type(cause).__name__})"
