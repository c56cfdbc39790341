"""Answering "who saw what of whom, and when" from the log.

Feedback is joined with its card here: it is found with the patient and the user of the hook call that made the card.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from cds_service.audit.chain import ChainKey, read_line
from cds_service.audit.decoding import KINDS, UNREADABLE, decode_record, glance_at
from cds_service.audit.files import first_record, look, read_lines
from cds_service.audit.keys import PSEUDONYM_PREFIX, encounter_pseudonym, pseudonym
from cds_service.audit.records import DecisionRecord, FeedbackRecord, HookRecord, ViewRecord
from cds_service.audit.users import may_be

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from cds_service.audit.decoding import Glance
    from cds_service.audit.files import Extent

_SOUGHT: Final = frozenset({"hook", "view", "feedback"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What to look for; None stands for any. `since` and `until` are aware and both inclusive.

    `patients` are the forms a patient id may have in the log (see `patient_forms`), and `user_forms` those of the user
    (see `users.user_forms`), with pseudonyms under the keys that have `key_ids`; `encounters` those of an encounter.
    `request` is a request id or a hook instance, `reason` the code of a reason of the outcome or of an override.
    `shown` asks for what was seen alone: calls whose card was shown, and pages of the trend app that were.
    """

    patients: frozenset[str] | None = None
    key_ids: frozenset[str] = frozenset()
    user: str | None = None
    user_forms: frozenset[str] = frozenset()
    encounters: frozenset[str] | None = None
    request: str | None = None
    card: str | None = None
    reason: str | None = None
    shown: bool = False
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
    record: HookRecord | ViewRecord | FeedbackRecord
    card_of: CardOf | None


class Unreadable(NamedTuple):
    """A line that could not be read: an answer without it may be incomplete."""

    file: str
    line: int


class Concealed(NamedTuple):
    """A file with pseudonyms of a key that is not at hand: the person looked for may be behind one of them."""

    file: str


def patient_forms(patient: str, keys: Sequence[bytes]) -> frozenset[str]:
    """Return a patient id as it may stand in the log: plain, and as the pseudonym under each key."""
    return frozenset({patient, *(pseudonym(key, patient) for key in keys)})


def encounter_forms(encounter: str, keys: Sequence[bytes]) -> frozenset[str]:
    """Return an encounter id as it may stand in the log: plain, and as the pseudonym under each key."""
    return frozenset({encounter, *(encounter_pseudonym(key, encounter) for key in keys)})


def ids_of(keys: Sequence[bytes]) -> frozenset[str]:
    """Return the ids of keys as the files made with them name them."""
    return frozenset(filter(None, (ChainKey(key).key_id for key in keys)))


def clients_of(directory: Path) -> set[str]:
    """Name the clients that a log knows; lines that cannot be read name none. Raises OSError as `search` does."""
    clients = set[str]()
    for extent in look(directory):
        for raw in read_lines(extent):
            with suppress(*UNREADABLE):
                clients.add(glance_at(raw).client)
    return clients - {""}


def search(directory: Path, query: Query) -> Iterator[Found | Unreadable | Concealed]:
    """Yield the matching hook calls, views and feedback in the order of the log, and every line that cannot be read.

    At the end come the files that may hold more. Only what matches is decoded whole. Memory grows with the feedback
    that may match, not with the log. Raises OSError when the directory is missing or cannot be read.
    """
    extents = look(directory)
    asks_for_a_person = any(asked is not None for asked in (query.patients, query.encounters, query.user))
    concealing = _concealing(extents, query.key_ids) if asks_for_a_person else frozenset()
    # Whom a feedback belongs to, its card tells. Of a patient all cards are remembered, else those with feedback.
    wanted = None
    if query.patients is None or concealing:
        wanted = frozenset(_cards_of_feedback(extents, query))
    reader = _Reader(query, wanted)
    for extent in extents:
        name = extent.path.name
        reader.begin(name if name in concealing else "")
        for number, raw in enumerate(read_lines(extent), start=1):
            try:
                found = reader.look_into(raw)
            except UNREADABLE:
                yield Unreadable(name, number)
            else:
                if found is not None:
                    yield found
    yield from map(Concealed, sorted(reader.concealed))


def _concealing(extents: Sequence[Extent], key_ids: frozenset[str]) -> frozenset[str]:
    """Name the files whose pseudonyms, if they hold any, were not made with the keys at hand."""
    firsts = {extent.path.name: first_record(extent.path) for extent in extents}
    return frozenset(name for name, opened in firsts.items() if opened is None or opened.key_id not in (None, *key_ids))


def _cards_of_feedback(extents: Sequence[Extent], query: Query) -> Iterator[str]:
    """Name the cards whose feedback may match; lines that cannot be read are told of later."""
    for extent in extents:
        for raw in read_lines(extent):
            line = read_line(raw)
            if line is not None and line.kind == "feedback":
                with suppress(*UNREADABLE):
                    glance = glance_at(raw)
                    if glance.card is not None and _may_match(glance, query):
                        yield glance.card


class _Call(NamedTuple):
    """A hook call or view; `concealed_in` names its file when nobody can tell whom a pseudonym in it stands for."""

    patient: str
    user: str
    encounter: str
    concealed_in: str


class _Reader:
    """Goes over the log once and remembers cards; `concealed` are the files that may hold more than was found."""

    def __init__(self, query: Query, wanted: frozenset[str] | None) -> None:
        self._query = query
        self._wanted = wanted
        self._needles = [msgspec.json.encode(text) for text in (query.request, query.card, query.reason) if text]
        self._cards: dict[str, _Call] = {}
        self._concealing = ""
        self.concealed: set[str] = set()

    def begin(self, concealing: str) -> None:
        """Go on with the next file; its name is given when its pseudonyms cannot be compared, else nothing."""
        self._concealing = concealing

    def look_into(self, raw: bytes) -> Found | None:
        """Return the record of a line if it matches. Raises one of UNREADABLE for a line that cannot be read."""
        line = read_line(raw)
        if line is None:
            raise ValueError("no line of the log")
        glance = glance_at(raw)
        if line.kind not in KINDS:
            raise ValueError("no kind of record")
        if line.kind not in _SOUGHT:
            return None
        call = self._call_of(line.kind, glance)
        if not self._may_match(raw, glance) or not self._matches_person(glance, call):
            return None
        record = decode_record(raw)
        if not isinstance(record, DecisionRecord | FeedbackRecord):
            raise ValueError("no record")  # noqa: TRY004  of the line, not of a type
        if not _matches(record, self._query):
            return None
        card_of = CardOf(call.patient, call.user) if call is not None and line.kind == "feedback" else None
        return Found(line.sequence, record, card_of)

    def _may_match(self, raw: bytes, glance: Glance) -> bool:
        return _may_match(glance, self._query) and all(needle in raw for needle in self._needles)

    def _call_of(self, kind: str, glance: Glance) -> _Call | None:
        """Return the call behind a line: of feedback that of its card, None where the log does not know it."""
        if kind == "hook":
            return self._note(glance)
        # The card that led to a view was another record's.
        return self._call(glance) if kind == "view" else self._cards.get(glance.card or "")

    def _note(self, glance: Glance) -> _Call:
        """Remember whom a card is about; it is always recorded before its feedback."""
        call = self._call(glance)
        if glance.card is None:
            return call
        if glance.card in self._wanted if self._wanted is not None else self._is_of_patient(call):
            self._cards[glance.card] = call
        else:
            self._cards.pop(glance.card, None)
        return call

    def _call(self, glance: Glance) -> _Call:
        return _Call(glance.patient, glance.user or "", glance.encounter, self._concealing)

    def _matches_person(self, glance: Glance, call: _Call | None) -> bool:
        """Compare patient and user; where only a pseudonym forbids it, remember the file."""
        query = self._query
        user = glance.user or (call.user if call is not None else "")
        of_patient = self._is_of_patient(call) and self._is_of_encounter(call)
        by_user = query.user is None or user == query.user or user in query.user_forms
        if of_patient and by_user:
            return True
        if (
            call is not None
            and call.concealed_in
            and (of_patient or self._may_be_of(call))
            and (by_user or may_be(user, query.user or ""))
        ):
            self.concealed.add(call.concealed_in)
        return False

    def _may_be_of(self, call: _Call) -> bool:
        """Tell whether only pseudonyms keep a call from being the one of the patient and the encounter."""
        patient = self._is_of_patient(call) or call.patient.startswith(PSEUDONYM_PREFIX)
        return patient and (self._is_of_encounter(call) or call.encounter.startswith(PSEUDONYM_PREFIX))

    def _is_of_encounter(self, call: _Call | None) -> bool:
        encounters = self._query.encounters
        return encounters is None or (call is not None and call.encounter in encounters)

    def _is_of_patient(self, call: _Call | None) -> bool:
        patients = self._query.patients
        return patients is None or (call is not None and call.patient in patients)


def _may_match(glance: Glance, query: Query) -> bool:
    """Compare what does not depend on the card."""
    return (
        (query.since is None or glance.time >= query.since)
        and (query.until is None or glance.time <= query.until)
        and (query.outcome is None or glance.outcome == query.outcome)
        and (query.client is None or glance.client == query.client)
    )


def _matches(record: DecisionRecord | FeedbackRecord, query: Query) -> bool:
    """Compare what only the whole record tells."""
    calls = (record.request_id, record.hook_instance) if isinstance(record, HookRecord) else (record.request_id,)
    return (
        (query.request is None or query.request in calls)
        and (query.card is None or query.card == record.card)
        and (query.reason is None or query.reason in reasons_of(record))
        and (not query.shown or (isinstance(record, DecisionRecord) and record.shown))
    )


def reasons_of(record: DecisionRecord | FeedbackRecord) -> tuple[str, ...]:
    """Return the codes that say why: of the outcome, of missing data, of a refused view, of an override."""
    if isinstance(record, FeedbackRecord):
        return (record.reason_code,) if record.reason_code else ()
    refused = (record.refused,) if isinstance(record, ViewRecord) and record.refused else ()
    return (*record.reasons, *record.missing, *refused)
