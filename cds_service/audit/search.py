"""Answering "who saw what of whom, and when" from the log.

Feedback is joined with its card here: it is found with the patient and the user of the hook call that made the card.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from cds_service.audit.keys import pseudonym
from cds_service.audit.reading import read_entries
from cds_service.audit.records import FeedbackRecord, HookRecord

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from cds_service.audit.reading import Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What to look for; None stands for any. `since` and `until` are aware and both inclusive.

    `patients` are the forms a patient id may have in the log (see `patient_forms`).
    """

    patients: frozenset[str] | None = None
    user: str | None = None
    client: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    outcome: str | None = None


class Found(NamedTuple):
    """A record that answers the query. `card_of` is the hook call that made the card of a feedback record."""

    sequence: int
    record: HookRecord | FeedbackRecord
    card_of: HookRecord | None


class Unreadable(NamedTuple):
    """A line that could not be read: an answer without it may be incomplete."""

    file: str
    line: int


def patient_forms(patient: str, keys: Sequence[bytes]) -> frozenset[str]:
    """Return a patient id as it may stand in the log: plain, and as the pseudonym under each key."""
    return frozenset({patient, *(pseudonym(key, patient) for key in keys)})


def search(directory: Path, query: Query) -> Iterator[Found | Unreadable]:
    """Yield the matching hook and feedback records in the order of the log, and every line that cannot be read.

    Raises OSError when the directory is missing or cannot be read.
    """
    cards: dict[str, HookRecord] = {}
    for entry in read_entries(directory):
        if entry.record is None:
            yield Unreadable(entry.file, entry.line)
        elif isinstance(entry.record, HookRecord | FeedbackRecord):
            found = _join(entry, entry.record, cards)
            if _matches(found, query):
                yield found


def _join(entry: Entry, record: HookRecord | FeedbackRecord, cards: dict[str, HookRecord]) -> Found:
    """Remember who saw a card, or find it for feedback: a card is always recorded before its feedback."""
    if isinstance(record, FeedbackRecord):
        return Found(entry.sequence, record, cards.get(record.card))
    if record.card is not None:
        cards[record.card] = record
    return Found(entry.sequence, record, None)


def _matches(found: Found, query: Query) -> bool:
    record = found.record
    call = record if isinstance(record, HookRecord) else found.card_of
    user = record.user or (call.user if call is not None else None)
    return (
        (query.patients is None or (call is not None and call.patient in query.patients))
        and (query.user is None or user == query.user)
        and (query.client is None or record.client == query.client)
        and (query.since is None or record.time >= query.since)
        and (query.until is None or record.time <= query.until)
        and (query.outcome is None or record.outcome == query.outcome)
    )
