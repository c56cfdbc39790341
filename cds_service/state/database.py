"""The database that all workers share: SQLite on one host, PostgreSQL for several."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeGuard, TypeVar

from sqlalchemy import Engine, MetaData, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import ArgumentError, IntegrityError, ProgrammingError, SQLAlchemyError
from sqlalchemy.schema import CreateTable

from cds_service.errors import ConfigurationError, StateUnavailableError
from cds_service.state.sqlite_file import configure, identity, keep_for_owner

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sqlalchemy import URL
    from sqlalchemy.engine.interfaces import DBAPICursor

_Taken = TypeVar("_Taken")

# Longest wait for the database or for another worker's write: a hook has about two seconds in all.
_WAIT_SECONDS: Final = 1.0
# PostgreSQL refuses a worker that creates a table in the same moment as another; the second time it exists.
_CREATION_ATTEMPTS: Final = 3
# So long nobody asks a database that kept one caller waiting in vain: the threads are needed to answer others.
_PAUSE_SECONDS: Final = 0.5


@dataclass(frozen=True, slots=True)
class _Ready:
    """An engine whose tables exist, the process it belongs to, and the database file it writes to, if it is one."""

    engine: Engine
    process: int
    file: tuple[int, int] | None


class StateStore:
    """Connections to one database whose tables are created at first use.

    The engine belongs to the process that made it: connections must not be shared over a fork. After an error, or when
    the file was replaced, it is made anew, so that a database that was away is found again without a restart. A file
    of SQLite can be read by its owner alone.
    """

    def __init__(self, url: str, tables: MetaData, *, creates: bool = True) -> None:
        """Connect to nothing yet. Raises ConfigurationError when no driver for the address is installed.

        Without `creates` nothing is made or changed: for those who only look, maybe as another user.
        """
        self.url = url
        self._tables = tables
        self._creates = creates
        self._lock = threading.Lock()
        self._ready: _Ready | None = None
        try:
            address = make_url(url)
            dialect: Any = address.get_dialect()
            failures = (SQLAlchemyError, dialect.import_dbapi().Error)
        except (ArgumentError, ImportError) as error:
            raise ConfigurationError(log_detail=f"state.url: no driver for this database: {error}") from None
        self._failures: tuple[type[Exception], ...] = failures
        self._paused_until = 0.0
        # Both drivers take parameters by name, which they spell in two ways.
        self._dialect = dialect(paramstyle="named" if dialect.name == "sqlite" else "pyformat")
        self._spelled: dict[str, str] = {}
        self.path = sqlite_path(address)

    def execute(self, statement: str, parameters: Mapping[str, object]) -> int:
        """Run one statement, committed by itself, and give the number of rows it changed.

        `:name` stands for a parameter. Raises StateUnavailableError, after about a second at most, or two where no
        connection can be made.
        """
        return self._run(lambda: self._executed(statement, parameters, lambda cursor: int(cursor.rowcount)))

    def first_row(self, statement: str, parameters: Mapping[str, object]) -> tuple[Any, ...] | None:
        """Run a query and give its first row, None where there is none. Raises as `execute` does."""
        return self._run(lambda: self._executed(statement, parameters, lambda cursor: cursor.fetchone()))

    def has_table(self, name: str) -> bool:
        """Tell whether the database has such a table. Raises as `execute` does."""
        return self._run(lambda: inspect(self._engine()).has_table(name))

    def _run(self, ask: Callable[[], _Taken]) -> _Taken:
        begun = time.monotonic()
        if begun < self._paused_until:
            raise StateUnavailableError(log_detail="state store: did not answer a moment ago")
        try:
            try:
                return ask()
            except self._failures:
                # A connection that the server closed while it lay in the pool says so at once: a new one may do.
                if time.monotonic() - begun > _WAIT_SECONDS / 2:
                    raise
                self.close()
                return ask()
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
        # By the driver itself: half the time that a statement takes through SQLAlchemy, and each token needs one.
        pooled = self._engine().raw_connection()
        try:
            cursor = pooled.cursor()
            cursor.execute(self._in_dialect(statement), parameters)
            return take(cursor)
        except self._failures:
            pooled.invalidate()
            raise
        finally:
            pooled.close()

    def _in_dialect(self, statement: str) -> str:
        """Spell the parameters as the driver wants them. Statements are constants of this package: few are kept."""
        spelled = self._spelled.get(statement)
        if spelled is None:
            spelled = self._spelled[statement] = str(text(statement).compile(dialect=self._dialect))
        return spelled

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
        made = _Ready(self._made_engine(), os.getpid(), identity(self.path))
        with self._lock:
            ready = self._ready
            if self._is_usable(ready):
                made.engine.dispose()
                return ready.engine
            self._ready = made
        return made.engine

    def _is_usable(self, ready: _Ready | None) -> TypeGuard[_Ready]:
        return ready is not None and ready.process == os.getpid() and ready.file == identity(self.path)

    def _made_engine(self) -> Engine:
        if self.path is not None and self._creates:
            keep_for_owner(self.path)
        engine = create_engine(
            self.url,
            isolation_level="AUTOCOMMIT",
            hide_parameters=True,
            pool_timeout=_WAIT_SECONDS,
        )
        if engine.dialect.name == "sqlite" and self._creates:
            event.listen(engine, "connect", lambda connection, _record: configure(connection, _WAIT_SECONDS))
        elif engine.dialect.name == "postgresql":
            # Imported where it is needed: the driver is installed for several hosts only.
            from cds_service.state.postgresql import bound_waits

            bound_waits(engine, _WAIT_SECONDS)
        if self._creates:
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


def sqlite_path(url: str | URL) -> Path | None:
    """Return the file of a database of SQLite; None for a database elsewhere or in memory."""
    address = make_url(url)
    name = address.database
    if address.get_backend_name() != "sqlite" or not name or name == ":memory:":
        return None
    return Path(name)


def _kind(error: Exception) -> str:
    cause = getattr(error, "orig", None)
    return type(error).__name__ if cause is None else f"{type(error).__name__} ({type(cause).__name__})"
