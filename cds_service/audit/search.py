"""Answering "who saw what of whom, and when" from the log.

Feedback is joined with its card here: it is found with the patient and the user of the hook call that made the card.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from cds_service.audit.chain import read_line
from cds_service.audit.files import look, read_lines
from cds_service.audit.glance import GLANCE_DECODER
from cds_service.audit.keys import pseudonym
from cds_service.audit.records import FeedbackRecord, HookRecord

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from cds_service.audit.files import Extent
    from cds_service.audit.glance import Glance


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


class CardOf(NamedTuple):
    """Whom a card was about, and to whom it was shown."""

    patient: str
    user: str


class Found(NamedTuple):
    """A record that answers the query. `card_of` tells about the card of a feedback record, None if it is not known."""

    sequence: int
    record: HookRecord | FeedbackRecord
    card_of: CardOf | None


class Unreadable(NamedTuple):
    """A line that could not be read: an answer without it may be incomplete."""

    file: str
    line: int


_RECORD: Final = msgspec.json.Decoder(HookRecord | FeedbackRecord)


def patient_forms(patient: str, keys: Sequence[bytes]) -> frozenset[str]:
    """Return a patient id as it may stand in the log: plain, and as the pseudonym under each key."""
    return frozenset({patient, *(pseudonym(key, patient) for key in keys)})


def search(directory: Path, query: Query) -> Iterator[Found | Unreadable]:
    """Yield the matching hook and feedback records in the order of the log, and every line that cannot be read.

    Only what matches is decoded whole. Memory grows with the feedback that may match, not with the log. Raises
    OSError when the directory is missing or cannot be read.
    """
    extents = look(directory)
    # Whom a feedback belongs to, its card tells. Of a patient all cards are remembered, else those with feedback.
    wanted = frozenset(_cards_of_feedback(extents, query)) if query.patients is None else None
    cards: dict[str, CardOf] = {}
    for extent in extents:
        for number, raw in enumerate(read_lines(extent), start=1):
            try:
                found = _look_into(raw, query, wanted, cards)
            except (msgspec.DecodeError, UnicodeDecodeError):
                yield Unreadable(extent.path.name, number)
            else:
                if found is not None:
                    yield found


def _cards_of_feedback(extents: Sequence[Extent], query: Query) -> Iterator[str]:
    """Name the cards whose feedback may match; lines that cannot be read are told of later."""
    for extent in extents:
        for raw in read_lines(extent):
            line = read_line(raw)
            if line is not None and line.kind == "feedback":
                with suppress(msgspec.DecodeError, UnicodeDecodeError):
                    glance = GLANCE_DECODER.decode(raw)
                    if glance.card is not None and _may_match(glance, query):
                        yield glance.card


def _look_into(raw: bytes, query: Query, wanted: frozenset[str] | None, cards: dict[str, CardOf]) -> Found | None:
    line = read_line(raw)
    if line is None:
        raise msgspec.DecodeError("this is no line of the log")
    glance = GLANCE_DECODER.decode(raw)
    call: CardOf | None
    card_of = None
    if line.kind == "hook":
        call = CardOf(glance.patient, glance.user or "")
        _remember(glance.card, call, query, wanted, cards)
    elif line.kind == "feedback":
        card_of = cards.get(glance.card or "")
        call = card_of
    else:
        return None
    if not _may_match(glance, query) or not _matches_person(glance, call, query):
        return None
    return Found(line.sequence, _RECORD.decode(raw), card_of)


def _remember(
    card: str | None, call: CardOf, query: Query, wanted: frozenset[str] | None, cards: dict[str, CardOf]
) -> None:
    """Remember whom a card is about; it is always recorded before its feedback."""
    if card is None:
        return
    if card in wanted if wanted is not None else call.patient in (query.patients or ()):
        cards[card] = call
    else:
        cards.pop(card, None)


def _may_match(glance: Glance, query: Query) -> bool:
    """Compare what does not depend on the card."""
    return (
        (query.since is None or glance.time >= query.since)
        and (query.until is None or glance.time <= query.until)
        and (query.outcome is None or glance.outcome == query.outcome)
        and (query.client is None or glance.client == query.client)
    )


def _matches_person(glance: Glance, call: CardOf | None, query: Query) -> bool:
    user = glance.user or (call.user if call is not None else None)
    return (query.patients is None or (call is not None and call.patient in query.patients)) and (
        query.user is None or user == query.user
    )
