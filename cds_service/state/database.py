"""The database that all workers share: SQLite on one host, PostgreSQL for several."""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Final, Protocol, TypeGuard, TypeVar

from cds_service.errors import ConfigurationError, StateUnavailableError
from cds_service.state.sqlite_file import SQLiteFile, identity, sqlite_path

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import psycopg

    Connection = sqlite3.Connection | psycopg.Connection[Any]
    Cursor = sqlite3.Cursor | psycopg.Cursor[Any]

_Taken = TypeVar("_Taken")

# Longest wait for the database or for another worker's write: a hook has about two seconds in all.
WAIT_SECONDS: Final = 1.0
# PostgreSQL refuses a worker that creates a table in the same moment as another; the second time it exists.
_CREATION_ATTEMPTS: Final = 3
# So long nobody asks a database that kept one caller waiting in vain: the threads are needed to answer others.
_PAUSE_SECONDS: Final = 0.5
_MOST_CONNECTIONS: Final = 15
_MOST_IDLE: Final = 5


class Database(Protocol):
    """What a kind of database does in its own way. Its driver raises `failures`."""

    failures: ClassVar[tuple[type[Exception], ...]]
    find_table: ClassVar[str]

    def connect(self, *, creates: bool) -> Connection:
        """Open a connection that commits each statement by itself."""

    def spelled(self, statement: str) -> str:
        """Return a statement, written for SQLite with parameters such as `:name`, as the database takes it."""


@dataclass(slots=True)
class _Pool:
    """Idle connections of one process to one database whose tables exist; `file` is the file it is, if it is one."""

    process: int
    file: tuple[int, int] | None
    idle: deque[Connection] = field(default_factory=deque)

    def take(self) -> Connection | None:
        """Take the connection that was used last; None when none is idle."""
        try:
            return self.idle.pop()
        except IndexError:
            return None

    def close(self) -> None:
        """Close the connections, unless they are those of a parent process, which goes on using them."""
        if self.process != os.getpid():
            _inherited.append(self)
            return
        while (connection := self.take()) is not None:
            connection.close()


# Kept for ever, since connections that nobody holds are closed.
_inherited: Final[list[_Pool]] = []


class StateStore:
    """Connections to one database whose tables are created at first use.

    Connections belong to the process that made them: they must not be shared over a fork. After an error, or when the
    file was replaced, they are made anew, so that a database that was away is found again without a restart. A file of
    SQLite can be read by its owner alone.
    """

    def __init__(self, url: str, tables: Sequence[str], *, creates: bool = True) -> None:
        """Connect to nothing yet. Raises ConfigurationError when no driver for the address is installed.

        `tables` are statements `CREATE TABLE IF NOT EXISTS`. Without `creates` nothing is made or changed: for those
        who only look, maybe as another user.
        """
        self.url = url
        self.path: Path | None = sqlite_path(url)
        self._tables = tables
        self._creates = creates
        self._database = _database(url)
        self._failures: tuple[type[Exception], ...] = (*self._database.failures, TimeoutError)
        self._lock = threading.Lock()
        self._pool: _Pool | None = None
        self._free = threading.BoundedSemaphore(_MOST_CONNECTIONS)
        self._paused_until = 0.0

    def execute(self, statement: str, parameters: Mapping[str, object]) -> int:
        """Run one statement, committed by itself, and give the number of rows it changed.

        `:name` stands for a parameter. Raises StateUnavailableError, after about a second at most, or two where no
        connection can be made.
        """
        return self._run(lambda: self._executed(statement, parameters, lambda cursor: cursor.rowcount))

    def first_row(self, statement: str, parameters: Mapping[str, object]) -> tuple[Any, ...] | None:
        """Run a query and give its first row, None where there is none. Raises as `execute` does."""
        return self._run(lambda: self._executed(statement, parameters, lambda cursor: cursor.fetchone()))

    def has_table(self, name: str) -> bool:
        """Tell whether the database has such a table. Raises as `execute` does."""
        return self.first_row(self._database.find_table, {"name": name}) is not None

    def close(self) -> None:
        """Close all connections; the next use opens new ones."""
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.close()

    def _run(self, ask: Callable[[], _Taken]) -> _Taken:
        begun = time.monotonic()
        if begun < self._paused_until:
            raise StateUnavailableError(log_detail="state store: did not answer a moment ago")
        try:
            try:
                return ask()
            except self._failures:
                # A connection that the server closed while it lay in the pool says so at once: a new one may do.
                if time.monotonic() - begun > WAIT_SECONDS / 2:
                    raise
                self.close()
                return ask()
        except self._failures as error:
            self.close()
            ended = time.monotonic()
            if ended - begun > WAIT_SECONDS / 2:
                self._paused_until = ended + _PAUSE_SECONDS
            # The text of the error may name hosts and statements; its kind is enough.
            raise StateUnavailableError(log_detail=f"state store: {type(error).__name__}") from None

    def _executed(self, statement: str, parameters: Mapping[str, object], take: Callable[[Cursor], _Taken]) -> _Taken:
        if not self._free.acquire(timeout=WAIT_SECONDS):
            raise TimeoutError
        try:
            pool = self._usable_pool()
            connection = pool.take() or self._database.connect(creates=self._creates)
            try:
                with closing(_asked(connection, self._database.spelled(statement), parameters)) as cursor:
                    answer = take(cursor)
            except self._failures:
                connection.close()
                raise
            self._give_back(connection, pool)
            return answer
        finally:
            self._free.release()

    def _give_back(self, connection: Connection, pool: _Pool) -> None:
        with self._lock:
            if is_kept := pool is self._pool and len(pool.idle) < _MOST_IDLE:
                pool.idle.append(connection)
        if not is_kept:
            connection.close()

    def _usable_pool(self) -> _Pool:
        pool = self._pool
        if self._is_usable(pool):
            return pool
        # Made without the lock: a database that does not answer must not line the threads up behind each other.
        made = self._made_pool()
        with self._lock:
            current = self._pool
            if self._is_usable(current):
                unwanted: _Pool | None = made
                made = current
            else:
                unwanted, self._pool = current, made
        if unwanted is not None:
            unwanted.close()
        return made

    def _is_usable(self, pool: _Pool | None) -> TypeGuard[_Pool]:
        return pool is not None and pool.process == os.getpid() and pool.file == identity(self.path)

    def _made_pool(self) -> _Pool:
        connection = self._database.connect(creates=self._creates)
        try:
            if self._creates:
                self._create_tables(connection)
        except self._failures:
            connection.close()
            raise
        return _Pool(os.getpid(), identity(self.path), deque([connection]))

    def _create_tables(self, connection: Connection) -> None:
        for attempts_left in reversed(range(_CREATION_ATTEMPTS)):
            try:
                for table in self._tables:
                    _asked(connection, self._database.spelled(table), {}).close()
            except self._database.failures:
                if not attempts_left:
                    raise
            else:
                return


def _asked(connection: Any, statement: str, parameters: Mapping[str, object]) -> Cursor:
    cursor: Cursor = connection.execute(statement, parameters)
    return cursor


def _database(url: str) -> Database:
    """Choose by the address. Raises ConfigurationError."""
    scheme, path = url.partition("://")[0], sqlite_path(url)
    if path is not None:
        return SQLiteFile(path, WAIT_SECONDS)
    if scheme in ("postgresql", "postgresql+psycopg"):
        try:
            # Imported where it is needed: the driver is installed for several hosts only.
            from cds_service.state.postgresql import PostgreSQLServer
        except ImportError as error:
            raise ConfigurationError(log_detail=f"state.url: no driver for this database: {error}") from None
        return PostgreSQLServer(url, WAIT_SECONDS)
    raise ConfigurationError(log_detail=f"state.url: no driver for this database: {scheme}")
