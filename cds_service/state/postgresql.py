"""The shared database on a PostgreSQL server: one that is frozen, or cut off, must not hold a hook."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeVar

import psycopg
from psycopg.conninfo import conninfo_to_dict

from cds_service.errors import ConfigurationError

if TYPE_CHECKING:
    from psycopg.abc import PQGen

# The shortest that libpq knows.
_CONNECT_SECONDS: Final = 2
_PARAMETER: Final = re.compile(r":(\w+)")

_Answer = TypeVar("_Answer")


class PostgreSQLServer:
    """A database on a server. A statement is given up after `wait_seconds`, at both ends.

    The server is told, so that a statement behind a lock does not stay there and take up a connection. Where no answer
    comes at all, no setting of the server's helps: then this end gives up.
    """

    failures: ClassVar[tuple[type[Exception], ...]] = (psycopg.Error,)
    find_table: ClassVar[str] = "SELECT 1 WHERE to_regclass(:name) IS NOT NULL"

    def __init__(self, url: str, wait_seconds: float) -> None:
        """Keep the address. Raises ConfigurationError for one that PostgreSQL does not understand."""
        try:
            self._address: dict[str, Any] = {
                "connect_timeout": _CONNECT_SECONDS,
                **conninfo_to_dict(url.replace("postgresql+psycopg://", "postgresql://", 1)),
            }
        except psycopg.Error:
            # The text of the error repeats the address.
            raise ConfigurationError(log_detail="state.url: not an address of a PostgreSQL database") from None
        self._wait_seconds = wait_seconds
        self._kind = _bounded_connection(wait_seconds)

    def connect(self, *, creates: bool) -> psycopg.Connection[Any]:  # noqa: ARG002  a server has its database
        """Open a connection."""
        connection = self._kind.connect(**self._address, autocommit=True)
        try:
            connection.execute(f"SET statement_timeout = {self._wait_seconds * 1000:.0f}".encode())
        except psycopg.Error:
            connection.close()
            raise
        return connection

    def spelled(self, statement: str) -> str:
        """Return a statement in the words of PostgreSQL."""
        return _spelled(statement)


@cache
def _spelled(statement: str) -> str:
    """Translate a statement of this package; they are constants, so few are kept."""
    statement = statement.replace(" BLOB ", " BYTEA ").replace(" WITHOUT ROWID", "")
    return _PARAMETER.sub(r"%(\1)s", statement)


def _bounded_connection(seconds: float) -> type[psycopg.Connection[Any]]:
    class BoundedConnection(psycopg.Connection[Any]):
        def wait(self, gen: PQGen[_Answer], interval: float = seconds, timeout: float | None = None) -> _Answer:
            return super().wait(gen, interval, 1.5 * seconds if timeout is None else timeout)

    return BoundedConnection
