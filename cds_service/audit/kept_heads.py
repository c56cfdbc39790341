"""The chain head outside the log: in the operational log and in the state store.

Someone who removes the newest records leaves a log that is whole in itself. The head kept elsewhere names the record
that is gone.
"""

from __future__ import annotations

import logging
import platform
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import BigInteger, Column, MetaData, String, Table, create_engine, inspect, make_url, select
from sqlalchemy.exc import SQLAlchemyError

from cds_service.audit.chain import ChainHead
from cds_service.authorization.state_store import StateStore
from cds_service.errors import StateUnavailableError

if TYPE_CHECKING:
    from sqlalchemy import URL

_log = logging.getLogger(__name__)

_WAIT_SECONDS: Final = 1.0
_TABLES: Final = MetaData()
_HEADS: Final = Table(
    "audit_head",
    _TABLES,
    Column("host", String(255), primary_key=True),
    Column("directory", String(4096), primary_key=True),
    Column("file", String(255), nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("link", String(64), nullable=False),
)
# Workers report in any order: the head with the greatest number stays.
_KEEP: Final = (
    "INSERT INTO audit_head (host, directory, file, sequence, link) VALUES (:host, :directory, :file, :sequence, :link)"
    " ON CONFLICT (host, directory) DO UPDATE SET file = excluded.file, sequence = excluded.sequence,"
    " link = excluded.link WHERE audit_head.sequence <= excluded.sequence"
)


class HeadKeeper:
    """Keeps the heads of one audit directory; give `keep` to AuditLog as `on_head`."""

    def __init__(self, state_url: str, directory: Path) -> None:
        """Connect to nothing yet. Raises ConfigurationError when no driver for the address is installed."""
        self._store = StateStore(state_url, _TABLES)
        self._place = _place(make_url(state_url), directory)

    def keep(self, head: ChainHead) -> None:
        """Log the head and store it. A state store that cannot be used is logged; the next head tries again."""
        fields = {"file": head.file, "sequence": head.sequence, "link": head.link}
        _log.info("audit chain head", extra={"fields": fields})
        try:
            self._store.execute(_KEEP, {**self._place, **fields})
        except StateUnavailableError as error:
            _log.warning("audit chain head is not stored: %s", error.log_detail)

    def close(self) -> None:
        """Give the connections back."""
        self._store.close()


def kept_head(state_url: str, directory: Path) -> ChainHead | None:
    """Return the head that the state store keeps for an audit directory; None when it keeps none.

    Nothing is created: an auditor may ask as another user than the service's. Raises StateUnavailableError when
    there is a state store and it cannot be read.
    """
    url = make_url(state_url)
    if _is_sqlite(url) and not Path(url.database or "").is_file():
        return None
    place = _place(url, directory)
    wanted = select(_HEADS.c.file, _HEADS.c.sequence, _HEADS.c.link).where(
        _HEADS.c.host == place["host"], _HEADS.c.directory == place["directory"]
    )
    engine = create_engine(url, hide_parameters=True)
    if engine.dialect.name == "postgresql":
        # A worker asks at its start: a server that is frozen, or cut off, must not hold it.
        from cds_service.authorization.state_postgresql import bound_waits

        bound_waits(engine, _WAIT_SECONDS)
    try:
        with engine.connect() as connection:
            if not inspect(connection).has_table(_HEADS.name):
                return None
            row = connection.execute(wanted).one_or_none()
    except (SQLAlchemyError, engine.dialect.loaded_dbapi.Error) as error:
        raise StateUnavailableError(log_detail=f"state store: {type(error).__name__}") from None
    finally:
        engine.dispose()
    return None if row is None else ChainHead(row.file, row.sequence, row.link)


def _place(url: URL, directory: Path) -> dict[str, str]:
    """Name a log within a state store. Hosts that share a database may use the same path for logs of their own."""
    return {"host": "" if _is_sqlite(url) else platform.node(), "directory": str(directory.absolute())}


def _is_sqlite(url: URL) -> bool:
    return url.get_backend_name() == "sqlite"
