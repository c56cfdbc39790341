"""The chain head outside the log: in the operational log and in the state store.

Someone who removes the newest records leaves a log that is whole in itself. The head kept elsewhere names the record
that is gone.
"""

from __future__ import annotations

import logging
import platform
from contextlib import closing
from typing import TYPE_CHECKING, Final

from cds_service.audit.chain import ChainHead
from cds_service.errors import StateUnavailableError
from cds_service.state.database import StateStore
from cds_service.state.sqlite_file import sqlite_path

if TYPE_CHECKING:
    from pathlib import Path

_log = logging.getLogger(__name__)

_HEADS: Final = "audit_head"
_TABLES: Final = (
    "CREATE TABLE IF NOT EXISTS audit_head (host VARCHAR(255) NOT NULL, directory VARCHAR(4096) NOT NULL,"
    " file VARCHAR(255) NOT NULL, sequence BIGINT NOT NULL, link VARCHAR(64) NOT NULL, PRIMARY KEY (host, directory))",
)
_FIND: Final = "SELECT file, sequence, link FROM audit_head WHERE host = :host AND directory = :directory"
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
        self._place = _place(state_url, directory)

    def keep(self, head: ChainHead) -> None:
        """Log the head and store it. A state store that cannot be used is logged; the next head tries again."""
        fields = {"file": head.file, "sequence": head.sequence, "link": head.link}
        _log.info("audit chain head", extra={"fields": fields})
        try:
            self._store.execute(_KEEP, {**self._place, **fields})
        except StateUnavailableError as error:
            _log.warning("audit chain head is not stored: %s", error.log_detail)

    def close(self) -> None:
        """Close the connections."""
        self._store.close()


def kept_head(state_url: str, directory: Path) -> ChainHead | None:
    """Return the head that the state store keeps for an audit directory; None when it keeps none.

    Nothing is created: an auditor may ask as another user than the service's. Raises StateUnavailableError when
    there is a state store and it cannot be read.
    """
    path = sqlite_path(state_url)
    if path is not None and not path.is_file():
        return None
    with closing(StateStore(state_url, _TABLES, creates=False)) as store:
        if not store.has_table(_HEADS):
            return None
        row = store.first_row(_FIND, _place(state_url, directory))
    return None if row is None else ChainHead(*row)


def _place(state_url: str, directory: Path) -> dict[str, str]:
    """Name a log within a state store. Hosts that share a database may use the same path for logs of their own."""
    host = "" if state_url.startswith("sqlite") else platform.node()
    return {"host": host, "directory": str(directory.absolute())}
