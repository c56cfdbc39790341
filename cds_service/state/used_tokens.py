"""Tokens that were used: each counts once, whichever worker and endpoint it reaches (requirement 173)."""

from __future__ import annotations

import hashlib
import math
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from cds_service.errors import StateUnavailableError
from cds_service.state.database import StateStore

if TYPE_CHECKING:
    from cds_service.authorization.token import TokenUse

_TABLES: Final = (
    "CREATE TABLE IF NOT EXISTS used_token"
    " (token_hash BLOB NOT NULL PRIMARY KEY, expires_at BIGINT NOT NULL) WITHOUT ROWID",
)
# One statement decides, so that of two workers with the same token one wins. A row whose time is over counts as gone.
_REMEMBER: Final = (
    "INSERT INTO used_token (token_hash, expires_at) VALUES (:token_hash, :expires_at) "
    "ON CONFLICT (token_hash) DO UPDATE SET expires_at = excluded.expires_at WHERE used_token.expires_at <= :now"
)
_FORGET: Final = (
    "DELETE FROM used_token WHERE token_hash IN "
    "(SELECT token_hash FROM used_token WHERE expires_at <= :now LIMIT :batch)"
)
# Expired rows go faster than new ones come, in batches small enough not to be felt by the request that meets one. No
# index leads to them: reading through some thousand rows now and then costs less than keeping one with each token.
_USES_BETWEEN_CLEANINGS: Final = 500
_BATCH: Final = 1000
_PROBE: Final = {"token_hash": b"readiness", "expires_at": 0, "now": 0}


class UsedTokens:
    """What was used is kept as a hash of issuer and `jti`; the database never holds a token or a part of one."""

    def __init__(self, url: str) -> None:
        """Connect to nothing yet. Raises ConfigurationError when no driver for the address is installed."""
        self.url = url
        self._store = StateStore(url, _TABLES)
        self._uses = 0

    def is_first_use(self, use: TokenUse, now: float) -> bool:
        """Remember a token until its time is over; tell whether it was unknown. Raises StateUnavailableError."""
        row = {"token_hash": _hash(use), "expires_at": math.ceil(use.until), "now": math.floor(now)}
        first = self._store.execute(_REMEMBER, row) == 1
        self._uses += 1
        if self._uses % _USES_BETWEEN_CLEANINGS == 0:
            # The token counts by now: its sender must not hear that it could not be checked, and be refused when it
            # comes again.
            with suppress(StateUnavailableError):
                self._store.execute(_FORGET, {"now": math.floor(now), "batch": _BATCH})
        return first

    def check_writable(self) -> None:
        """Prove by writing that uses can be remembered. Raises StateUnavailableError."""
        self._store.execute(_REMEMBER, _PROBE)

    def close(self) -> None:
        """Close the connections to the database; the next use opens new ones."""
        self._store.close()


def _hash(use: TokenUse) -> bytes:
    # The length keeps issuer and id apart: "ab" + "c" is another token than "a" + "bc".
    return hashlib.sha256(f"{len(use.issuer)}:{use.issuer}{use.token_id}".encode()).digest()
