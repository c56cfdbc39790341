"""All that an export holds of one patient, each resource with when it could first be known.

A Condition is known from its recordedDate on, else from its onset; an Observation from its effective time, and from
`issued` where that is later; a Procedure from its end. What carries no date that can be read is known at any time.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

import msgspec

from cds_service.acquisition.delivery import CONDITIONS, OBSERVATIONS, PROCEDURES
from cds_service.acquisition.prefetch import parse_patient
from cds_service.acquisition.resources import Condition, Malformed, Observation, Patient, Period, Procedure
from cds_service.clinical.models import EffectiveTime
from cds_service.foreign_bytes import UNREADABLE, decode
from cds_service.insight.cohort.export_heads import CONTACT, DIAGNOSIS, PATIENT, RESULT, THERAPY
from cds_service.insight.cohort.versions import newest_versions
from cds_service.normalization.condition_status import codes_of
from cds_service.normalization.fact_dates import FactDates
from cds_service.normalization.taken_back import TAKEN_BACK

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cds_service.acquisition.bundles import BundleReader
    from cds_service.insight.cohort.export_heads import Kind
    from cds_service.normalization.effective_time import TimeReader

# The key of "known by then": a day, and on it a moment; a day alone stands before every moment of that day.
Order = tuple[date, float]
_DAY_ALONE: Final = float("-inf")

R = TypeVar("R", Condition, Procedure, Observation)


class Known(NamedTuple):
    """A resource, when it could first be known (None: at any time), and the day on which it was done or found."""

    since: Order | None
    resource: Any
    day: date | None


@dataclass(slots=True)
class PatientRecord:
    """One patient of an export. `unclear` counts resources of which nothing tells the newest version.

    `results` stand in the order of their days (`day_or_first`): there may be any number.
    `contacts` are days on which the patient was seen. `death` is when a dated death could be known; `died_undated`
    tells that the patient is dead and nobody wrote down since when.
    """

    patient_id: str
    times: TimeReader
    patient: Patient | None = None
    sex: str = ""
    born: date | None = None
    conditions: list[Known] = field(default_factory=list)
    procedures: list[Known] = field(default_factory=list)
    results: list[Known] = field(default_factory=list)
    contacts: list[date] = field(default_factory=list)
    death: Order | None = None
    died_undated: bool = False
    unclear: int = 0

    @property
    def last_contact(self) -> date | None:
        """The last day on which the patient was seen."""
        return max(self.contacts, default=None)

    def age_on(self, day: date) -> int | None:
        """Return the age in whole years; None where nobody knows it."""
        born = self.born
        if born is None or born > day:
            return None
        return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


class _Person(msgspec.Struct, gc=False):
    gender: Any = None


class _Dates(msgspec.Struct, gc=False):
    """Every member that dates a resource, whatever its type: of what could not be read as a whole."""

    status: Any = None
    recordedDate: Any = None  # noqa: N815
    onsetDateTime: Any = None  # noqa: N815
    onsetPeriod: Any = None  # noqa: N815
    performedDateTime: Any = None  # noqa: N815
    performedPeriod: Any = None  # noqa: N815
    effectiveDateTime: Any = None  # noqa: N815
    effectiveInstant: Any = None  # noqa: N815
    effectivePeriod: Any = None  # noqa: N815
    issued: Any = None


_PERSON: Final = msgspec.json.Decoder(_Person)
_DATES: Final = msgspec.json.Decoder(_Dates)
_SEXES: Final = frozenset({"female", "male", "other", "unknown"})


def read_record(
    patient_id: str, lines: Iterable[tuple[Kind, bytes]], times: TimeReader, until: date | None = None
) -> PatientRecord:
    """Read the lines of one patient, in any order; the same line twice counts once.

    What could first be known after `until` is left out.
    """
    return _Reading(patient_id, times, until).read(lines)


class _Reading:
    def __init__(self, patient_id: str, times: TimeReader, until: date | None) -> None:
        self._record = PatientRecord(patient_id, times)
        self._times = times
        self._dates = FactDates(times)
        self._until = until
        self._orders: dict[str, Order | None] = {}

    def read(self, lines: Iterable[tuple[Kind, bytes]]) -> PatientRecord:
        record = self._record
        kinds: dict[Kind, set[bytes]] = {}
        for kind, content in lines:
            kinds.setdefault(kind, set()).add(content)
        self._read_patient(sorted(kinds.get(PATIENT, ())))
        record.conditions = self._read_all(CONDITIONS, kinds.get(DIAGNOSIS, ()), self._place_condition)
        record.procedures = self._read_all(PROCEDURES, kinds.get(THERAPY, ()), self._place_procedure)
        results = self._read_all(OBSERVATIONS, kinds.get(RESULT, ()), self._place_observation)
        record.results = sorted(results, key=day_or_first)
        self._read_contacts(kinds.get(CONTACT, set()))
        return record

    def _read_contacts(self, texts: set[bytes]) -> None:
        """Add the contacts that may be the last one: of days written in full, none more than two before it."""
        newest = b""
        for text in sorted(texts, reverse=True):
            day = text[:10]
            if len(day) == len(newest) and _is_long_before(day, newest):
                continue
            order = self._order(text.decode())
            if order is not None and (self._until is None or order[0] <= self._until):
                self._record.contacts.append(order[0])
                newest = max(newest, order[0].isoformat().encode())

    def _read_all(self, reader: BundleReader[R], lines: Iterable[bytes], place: Any) -> list[Known]:
        read = [(reader.read_resource(line), line) for line in sorted(lines)]
        kept, unclear = newest_versions(read, self._times)
        self._record.unclear += len(unclear)
        placed = (place(resource) if not isinstance(resource, Malformed) else self._place_malformed(resource, line)
                  for resource, line in kept)  # fmt: skip
        return [known for known in placed if known is not None]

    def _read_patient(self, lines: Sequence[bytes]) -> None:
        record = self._record
        read = [(parsed, line) for line in lines if (parsed := parse_patient(msgspec.Raw(line), record.patient_id))]
        if not read:
            return
        kept, unclear = newest_versions(read, self._times)
        record.unclear += len(unclear)
        record.patient, line = kept[-1]
        gender = decode(_PERSON, line).gender
        record.sex = gender if isinstance(gender, str) and gender in _SEXES else ""
        record.born = self._birthday(record.patient.birthDate)
        self._read_death(record.patient)

    def _birthday(self, birth: Any) -> date | None:
        """Return the last day on which the patient may have been born; None for no date."""
        days = self._dates.days(birth) if isinstance(birth, str) else None
        return days.last if days is not None else None

    def _read_death(self, patient: Patient) -> None:
        record, death = self._record, patient.deceasedDateTime
        record.death = self._order(death) if isinstance(death, str) else None
        record.died_undated = record.death is None and (bool(death) or patient.deceasedBoolean is True)
        if record.death is not None and self._until is not None and record.death[0] > self._until:
            record.death = None
            record.patient = alive(patient)

    def _place_condition(self, condition: Condition) -> Known | None:
        period = condition.onsetPeriod
        onset = _end_or_start(period)
        texts = (condition.recordedDate, condition.onsetDateTime, onset)
        since = next((order for text in texts if (order := self._order(text)) is not None), None)
        was_seen = TAKEN_BACK not in codes_of(condition.verificationStatus)
        return self._known(since, condition, since[0] if since is not None else None, was_seen=was_seen)

    def _place_procedure(self, procedure: Procedure) -> Known | None:
        performed = self._dates.of_procedure(procedure)
        since = performed.last.order if performed is not None else None
        was_seen = procedure.status != TAKEN_BACK
        return self._known(since, procedure, since[0] if since is not None else None, was_seen=was_seen)

    def _place_observation(self, observation: Observation) -> Known | None:
        moment = observation.effectiveDateTime or observation.effectiveInstant
        taken = self._order(moment or _end_or_start(observation.effectivePeriod))
        issued = self._order(observation.issued)
        since = max((order for order in (taken, issued) if order is not None), default=None)
        was_seen = observation.status != TAKEN_BACK
        return self._known(since, observation, taken[0] if taken is not None else None, was_seen=was_seen)

    def _place_malformed(self, malformed: Malformed, line: bytes) -> Known | None:
        """Place what the rule cannot read by any date that stands in it, the latest one."""
        try:
            dates = decode(_DATES, line)
        except UNREADABLE:
            return Known(None, malformed, None)
        orders = []
        for value in msgspec.structs.astuple(dates)[1:]:
            limits = value.values() if isinstance(value, dict) else (value,)
            orders += [order for text in limits if isinstance(text, str) and (order := self._order(text)) is not None]
        since = max(orders, default=None)
        return self._known(since, malformed, None, was_seen=False)

    def _known(self, since: Order | None, resource: Any, day: date | None, *, was_seen: bool) -> Known | None:
        """Return the resource with its place in time; None where it lies after what may be known."""
        if since is not None and self._until is not None and since[0] > self._until:
            return None
        if was_seen and day is not None:
            self._add_contact(day)
        return Known(since, resource, day)

    def _add_contact(self, day: date) -> None:
        if self._until is None or day <= self._until:
            self._record.contacts.append(day)

    def _order(self, text: str | None) -> Order | None:
        """Return the latest moment that a text may mean; None for no date, or a placeholder for one."""
        if not text:
            return None
        if text not in self._orders:
            self._orders[text] = self._read_order(text)
        return self._orders[text]

    def _read_order(self, text: str) -> Order | None:
        days = self._dates.days(text)
        if days is None:
            return None
        time = self._times.read(text)
        return time.order if isinstance(time, EffectiveTime) else (days.last, _DAY_ALONE)


def day_or_first(known: Known) -> date:
    """Return the day by which results stand in order; the first of the calendar for one without a day."""
    return known.day or date.min


def with_death(record: PatientRecord, death: Order | None) -> PatientRecord:
    """Return the record with a death that others dated, or ruled out."""
    patient = record.patient
    if patient is not None:
        patient = alive(patient)
        if death is not None:
            patient.deceasedDateTime = death[0].isoformat()
    return replace(record, patient=patient, death=death, died_undated=False)


def alive(patient: Patient) -> Patient:
    """Return a Patient as before the death."""
    return msgspec.structs.replace(patient, deceasedBoolean=None, deceasedDateTime=None)


def _is_long_before(day: bytes, newest: bytes) -> bool:
    """Tell whether a day as written lies so long before another that no zone brings it there: in an earlier month."""
    return day[:7] < newest[:7] and not (newest[8:] <= b"02" and day[8:] >= b"27")


def _end_or_start(period: Period | None) -> str | None:
    return (period.end or period.start) if period is not None else None
