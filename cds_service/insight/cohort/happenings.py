"""What happened to a patient: the procedures that begin follow-up, and the events that end it.

Recurrence and metastasis are what the rule's own reading of Conditions says they are. An event is dated after the
index day; what is dated on or before it is the rule's matter. What is recorded and can be placed nowhere in time makes
the patient undatable: a recurrence or death without a date, and a diagnosis of then whose clinical status says today
that the cancer came back.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from cds_service.acquisition.resources import Malformed
from cds_service.clinical.chart_facts import ConditionFact
from cds_service.clinical.eligibility import METASTASIS, RECURRENCE_CATEGORIES
from cds_service.insight.cohort.patient_record import with_death
from cds_service.insight.cohort.rows import DEATH, NO_EVENT, RECURRENCE
from cds_service.normalization.eligibility_facts import COMPLETED, FactReader
from cds_service.normalization.subject import SubjectMatcher

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date, timedelta

    from cds_service.decision.site import Site
    from cds_service.insight.cohort.adjudication import Adjudicated
    from cds_service.insight.cohort.patient_record import Known, PatientRecord


class IndexProcedure(NamedTuple):
    """A day on which a qualifying procedure was completed, and the therapies of that day."""

    day: date
    therapy: str


class FollowUp(NamedTuple):
    """The day on which follow-up ends, and how: 1 recurrence or metastasis, 2 death before, 0 neither."""

    end: date
    event: int


@dataclass(frozen=True, slots=True)
class Events:
    """The dated recurrences of a patient, and what cannot be dated.

    `recurrences` are days on which a recurrence or metastasis could first be known, `statuses` those of a cancer that
    is said to have come back: dated by its own record, so only a day after the procedure tells when. `followed_to` is
    the day until which others looked for recurrence, where they say so.
    """

    recurrences: Sequence[date]
    statuses: Sequence[date]
    death: date | None
    undated: bool
    last_contact: date | None
    followed_to: date | None = None

    def are_undatable(self, index_day: date) -> bool:
        """Tell whether something happened of which nobody knows whether it was after the procedure."""
        return self.undated or any(day <= index_day for day in self.statuses)

    def first_after(self, index_day: date, until: date | None = None) -> FollowUp | None:
        """Return the first event after a day and not later than another; None for none."""
        limits = [day for day in (until, self.followed_to) if day is not None]
        found = [FollowUp(day, RECURRENCE) for day in (*self.recurrences, *self.statuses)]
        if self.death is not None:
            found.append(FollowUp(self.death, DEATH))
        in_time = (one for one in found if one.end > index_day and all(one.end <= limit for limit in limits))
        return min(in_time, default=None)

    def follow_up(self, index_day: date, decision: date, longest: timedelta) -> FollowUp:
        """Return how follow-up from a decision ends: with an event, the last contact, or after the longest time."""
        latest = decision + longest
        event = self.first_after(index_day, latest)
        if event is not None:
            return event
        ends = [day for day in (latest, self.last_contact or decision, self.followed_to) if day is not None]
        return FollowUp(min(ends), NO_EVENT)

    def is_dead(self, day: date) -> bool:
        """Tell whether the patient had died by a day."""
        return self.death is not None and self.death <= day


def find_index_procedures(record: PatientRecord, site: Site, course: timedelta) -> tuple[IndexProcedure, ...]:
    """Return the index procedures in the order of their days: by code and status alone, weak codes too.

    A procedure that follows the one before within `course` belongs to it and begins nothing; all of one day are one.
    """
    reader = _reader(record, site)
    days: dict[date, set[str]] = {}
    for known in record.procedures:
        procedure = known.resource
        if isinstance(procedure, Malformed) or procedure.status != COMPLETED or known.day is None:
            continue
        found_row = reader.therapy_of(procedure.code)
        if found_row is not None:
            days.setdefault(known.day, set()).add(found_row[0].therapy)
    found: list[IndexProcedure] = []
    before: date | None = None
    for day in sorted(days):
        if before is None or day - before > course:
            found.append(IndexProcedure(day, "+".join(sorted(days[day]))))
        before = day
    return tuple(found)


def find_events(record: PatientRecord, site: Site, adjudicated: Adjudicated | None = None) -> Events:
    """Return what is recorded of recurrence and death; what others adjudicated stands in the place of codes."""
    recurrences: list[date] = []
    statuses: list[date] = []
    undated = False
    if adjudicated is None or not adjudicated.tells_recurrence:
        for day, by_status in _recurrences(record, site):
            if day is None:
                undated = True
            else:
                (statuses if by_status else recurrences).append(day)
    else:
        recurrences += adjudicated.recurrences
    death = record.death[0] if record.death is not None else None
    return Events(
        recurrences=tuple(recurrences),
        statuses=tuple(statuses),
        death=death,
        undated=undated or record.died_undated,
        last_contact=record.last_contact,
        followed_to=adjudicated.followed_to if adjudicated is not None else None,
    )


def _recurrences(record: PatientRecord, site: Site) -> Iterator[tuple[date | None, bool]]:
    """Yield when each recurrence or metastasis could be known, and whether only a clinical status tells of it."""
    reader = _reader(record, site)
    for known in record.conditions:
        for by_status in _tells_recurrence(known, reader):
            yield known.day, by_status


def _tells_recurrence(known: Known, reader: FactReader) -> Iterator[bool]:
    """Yield for each recurrence or metastasis that a Condition tells of whether only its clinical status does."""
    if isinstance(known.resource, Malformed):
        return
    for fact in reader.read_conditions([known.resource]):
        if isinstance(fact, ConditionFact):
            is_coded = fact.category in RECURRENCE_CATEGORIES or fact.category == METASTASIS
            if is_coded or fact.recurrence_status:
                yield not is_coded


def adjudicate(record: PatientRecord, site: Site, adjudicated: Adjudicated) -> PatientRecord:
    """Return a record without what people have ruled upon: undated recurrences, and the death where they date it."""
    if adjudicated.tells_recurrence:
        reader = _reader(record, site)
        dated = [
            k for k in record.conditions if k.day is not None or not any(True for _ in _tells_recurrence(k, reader))
        ]
        record = replace(record, conditions=dated)
    if adjudicated.death is not None:
        record = with_death(record, (adjudicated.death, float("-inf")))
    return record


def _reader(record: PatientRecord, site: Site) -> FactReader:
    return FactReader(site.mappings, SubjectMatcher(record.patient_id, {}), record.times)
