"""Which cards were shown and which are snoozed, for all workers and hosts."""

from __future__ import annotations

from typing import Final, NamedTuple

from cds_service.state.database import StateStore

_TABLES: Final = (
    "CREATE TABLE IF NOT EXISTS shown_card (card_hash BLOB NOT NULL PRIMARY KEY, subject_hash BLOB NOT NULL,"
    " sii VARCHAR(64) NOT NULL, expires_at BIGINT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS snoozed_card (subject_hash BLOB NOT NULL PRIMARY KEY,"
    " sii VARCHAR(64) NOT NULL, until BIGINT NOT NULL) WITHOUT ROWID",
)
_FIND: Final = "SELECT sii, until FROM snoozed_card WHERE subject_hash = :subject AND until > :now"
_NOTE: Final = (
    "INSERT INTO shown_card (card_hash, subject_hash, sii, expires_at) VALUES (:card, :subject, :sii, :expires)"
    " ON CONFLICT (card_hash) DO NOTHING"
)
# One statement: what was shown is looked up where the snooze is written. Of two overrides the later end stands.
_SNOOZE: Final = (
    "INSERT INTO snoozed_card (subject_hash, sii, until)"
    " SELECT subject_hash, sii, :until FROM shown_card WHERE card_hash = :card AND expires_at > :now"
    " ON CONFLICT (subject_hash) DO UPDATE SET sii = excluded.sii, until = excluded.until"
    " WHERE snoozed_card.until <= excluded.until"
)
# A card that was accepted keeps its time with the sign changed: it can snooze nothing any more, whatever a clock of
# another host says, and is still found when an acceptance that was carried out by half comes again.
_SUBJECT: Final = "SELECT subject_hash FROM shown_card WHERE card_hash = :card AND ABS(expires_at) > :now"
# First the card can snooze nothing any more, then its advice is not snoozed: the other way round, an override between
# the two would stand.
_WAKE: Final = (
    "UPDATE shown_card SET expires_at = -ABS(expires_at) WHERE card_hash = :card",
    "DELETE FROM snoozed_card WHERE subject_hash = :subject",
)
_NOTES_BETWEEN_CLEANINGS: Final = 20
_FORGET: Final = (
    "DELETE FROM shown_card WHERE expires_at BETWEEN -:now AND :now",
    "DELETE FROM snoozed_card WHERE until <= :now",
)


class Snooze(NamedTuple):
    """SII of the overridden card, empty where it had none, and when the snooze ends (seconds since 1970)."""

    sii: str
    until: int


class SnoozeStore:
    """Times are seconds since 1970. Every method raises StateUnavailableError when the database cannot be used."""

    def __init__(self, url: str) -> None:
        """Connect to nothing yet. Raises ConfigurationError when no driver for the address is installed."""
        self._store = StateStore(url, _TABLES)
        self._notes = 0

    def find(self, subject: bytes, now: int) -> Snooze | None:
        """Return the snooze that is in force for a subject."""
        row = self._store.first_row(_FIND, {"subject": subject, "now": now})
        return None if row is None else Snooze(*row)

    def note_shown(self, card: bytes, subject: bytes, sii: str, now: int, expires: int) -> None:
        """Remember a shown card; with the first of a process, and every twentieth, forget what is over."""
        self._store.execute(_NOTE, {"card": card, "subject": subject, "sii": sii, "expires": expires})
        if self._notes % _NOTES_BETWEEN_CLEANINGS == 0:
            for statement in _FORGET:
                self._store.execute(statement, {"now": now})
        self._notes += 1

    def snooze(self, card: bytes, now: int, until: int) -> None:
        """Snooze the subject of a shown card; nothing happens for a card that is not known, or no longer."""
        self._store.execute(_SNOOZE, {"card": card, "now": now, "until": until})

    def wake(self, card: bytes, now: int) -> None:
        """End the snooze of a shown card's subject, and let the card snooze nothing any more; else as `snooze`."""
        row = self._store.first_row(_SUBJECT, {"card": card, "now": now})
        if row is not None:
            for statement in _WAKE:
                self._store.execute(statement, {"card": card, "subject": row[0], "now": now})

    def close(self) -> None:
        """Close the connections to the database; the next use opens new ones."""
        self._store.close()
