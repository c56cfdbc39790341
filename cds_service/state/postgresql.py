"""What PostgreSQL needs besides: a server that is frozen, or cut off, must not hold a hook."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import psycopg
from sqlalchemy import event

if TYPE_CHECKING:
    from psycopg.abc import PQGen
    from sqlalchemy import Engine

# The shortest that libpq knows.
_CONNECT_SECONDS = 2

_Answer = TypeVar("_Answer")


def bound_waits(engine: Engine, seconds: float) -> None:
    """Give up a statement after so long, at both ends.

    The server is told, so that a statement behind a lock does not stay there and take up a connection. Where no answer
    comes at all, no setting of the server's helps: then this end gives up.
    """

    class BoundedConnection(psycopg.Connection[Any]):
        def wait(self, gen: PQGen[_Answer], interval: float = seconds, timeout: float | None = None) -> _Answer:
            return super().wait(gen, interval, 1.5 * seconds if timeout is None else timeout)

    @event.listens_for(engine, "do_connect")
    def connect(
        _dialect: object, _record: object, _arguments: object, parameters: dict[str, Any]
    ) -> psycopg.Connection:
        return BoundedConnection.connect(**{"connect_timeout": _CONNECT_SECONDS, **parameters})

    @event.listens_for(engine, "connect")
    def limit_statements(connection: psycopg.Connection, _record: object) -> None:
        connection.execute(f"SET statement_timeout = {seconds * 1000:.0f}".encode())
