"""From what a record keeps of a chart back to the chart, as if it were delivered now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import msgspec

from cds_service.acquisition.bundles import BundleContent
from cds_service.acquisition.chart import EligibilityChart, LaboratoryChart
from cds_service.acquisition.prefetch import KeyState
from cds_service.acquisition.resources import (
    NOTHING,
    Coding,
    Component,
    Condition,
    DescribedCoding,
    DescribedConcept,
    Malformed,
    Meta,
    NamedReference,
    Observation,
    Patient,
    Procedure,
    Quantity,
    Reference,
)
from cds_service.audit.chart_entries import ChartEntry
from cds_service.audit.chart_keeping import OLDEST_AGE
from cds_service.clinical.reasons import Reason
from cds_service.normalization.condition_status import FOR_AN_ENCOUNTER
from cds_service.normalization.observations import is_readable_number

if TYPE_CHECKING:
    from cds_service.audit.chart_entries import (
        ChartList,
        DiagnosisEntry,
        MalformedEntry,
        MeasurementEntry,
        ObservationEntry,
        PersonEntry,
        SearchEntry,
        TherapyEntry,
    )

# Records know no patient: whoever it was has this id while a decision is recomputed.
PATIENT_ID: Final = "recorded"
_SOMEBODY_ELSE: Final = "Patient/somebody-else"
_NEXT_PAGE: Final = "not-delivered"
_NOT_KEPT: Final = "not kept"
# In words of the tables (fhir_mappings/findings.toml).
_CLUMPED: Final = msgspec.Raw(b'{"text": "platelet clumps"}')
_TOO_LONG: Final = Decimal("1E+1000")
_DECODER: Final = msgspec.json.Decoder(ChartEntry)


class LaboratoryNotKeptError(Exception):
    """The patient was not eligible then, so blood counts were not looked at, and is eligible now."""


def restore_chart(raw: bytes, today: date) -> RecordedChart:
    """Return the chart of a record. Raises one of UNREADABLE for one that no record can hold, such as an edited one."""
    entry = _DECODER.decode(raw)
    if entry.person is not None and entry.person.age is not None and not 0 <= entry.person.age <= OLDEST_AGE:
        raise ValueError("an age that is not kept")
    for search in filter(None, (entry.blood_counts, entry.albumin)):
        for observation in search.observations:
            for measurement in (observation, *observation.components):
                _check_number(measurement)
    return RecordedChart(entry, today)


def _check_number(entry: MeasurementEntry) -> None:
    value = entry.quantity.value if entry.quantity is not None else None
    if entry.kind == "number" and value is not None and not _is_kept_number(value):
        raise ValueError("a number that no record holds")


def _is_kept_number(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | str):
        return False
    number = Decimal(value)
    return number.is_finite() and is_readable_number(number)


@dataclass(frozen=True, slots=True)
class RecordedChart:
    """The chart of a record as a source of a decision. `today` is the calendar day at the site, then."""

    entry: ChartEntry
    today: date

    @property
    def age_is_capped(self) -> bool:
        """Tell whether the patient may be older than the record says."""
        return self.entry.person is not None and self.entry.person.age == OLDEST_AGE

    def eligibility(self) -> EligibilityChart:
        """Return what tells eligibility."""
        entry = self.entry
        either: tuple[ChartList, ...] = ("conditions", "procedures") if entry.truncated else ()
        truncated = entry.truncated_lists or either
        return EligibilityChart(
            _patient(entry.person, self.today) if entry.person is not None else None,
            BundleContent(
                tuple(map(_condition, entry.diagnoses)),
                tuple(map(_malformed, entry.malformed_diagnoses)),
                next_url=_NEXT_PAGE if "conditions" in truncated else None,
            ),
            BundleContent(
                tuple(map(_procedure, entry.therapies)),
                tuple(map(_malformed, entry.malformed_therapies)),
                next_url=_NEXT_PAGE if "procedures" in truncated else None,
            ),
        )

    def laboratory(self, _counts_from: date, _albumin_from: date) -> LaboratoryChart:
        """Return the laboratory results. Raises LaboratoryNotKeptError when they were not looked at then."""
        if self.entry.blood_counts is None or self.entry.albumin is None:
            raise LaboratoryNotKeptError
        return LaboratoryChart(_search(self.entry.blood_counts), _search(self.entry.albumin), KeyState.PRESENT)

    def counts_between(self, _first: date, _last: date) -> None:
        """Bring nothing more: what was asked for then is in the record."""
        return


def _search(entry: SearchEntry) -> BundleContent[Observation]:
    return BundleContent(
        tuple(map(_observation, entry.observations)),
        tuple(map(_malformed, entry.malformed)),
        # Which part was missing is not recorded: no page to go on with, but more than came.
        total=1 if entry.truncated else 0,
    )


def _observation(entry: ObservationEntry) -> Observation:
    return Observation(
        id=entry.id,
        meta=Meta(entry.version) if entry.version else None,
        status=entry.status,
        subject=_subject(entry.subject),
        specimen=NamedReference(entry.specimen.reference) if entry.specimen is not None else None,
        interpretation=_CLUMPED if entry.kind != "other" and entry.finding else NOTHING,
        bodySite=msgspec.Raw(msgspec.json.encode({"text": entry.taken_from})) if entry.taken_from else NOTHING,
        effectiveDateTime=entry.effective,
        effectivePeriod=entry.period,
        issued=entry.issued,
        component=tuple(Component(code=_code(one), **_value(one)) for one in entry.components),
        code=_code(entry),
        **_value(entry),
    )


def _code(entry: MeasurementEntry) -> DescribedConcept | None:
    if entry.code is None:
        return None
    codings = tuple([DescribedCoding(coding.system, coding.code) for coding in entry.code.coding])
    return DescribedConcept(codings, entry.material or None)


def _value(entry: MeasurementEntry) -> dict[str, Any]:
    """Return the members that make the reader see the same kind of value."""
    members: dict[str, Any] = {"valueQuantity": _quantity(entry)}
    if entry.kind == "other":
        members["valueString"] = entry.finding or _NOT_KEPT
    if entry.kind == "absent":
        members["dataAbsentReason"] = _NOT_KEPT
    return members


def _quantity(entry: MeasurementEntry) -> Quantity | None:
    """Restore the number: JSON texts hold what came with a fraction, so that its digits are kept."""
    quantity = entry.quantity
    if quantity is None:
        return None
    value = {"not-numeric": _NOT_KEPT, "too-long": _TOO_LONG}.get(entry.kind, quantity.value)
    if entry.kind == "number" and isinstance(value, str):
        value = Decimal(value)
    return msgspec.structs.replace(quantity, value=value)


def _condition(entry: DiagnosisEntry) -> Condition:
    return Condition(
        id=entry.id,
        code=entry.code,
        subject=_subject(entry.subject),
        clinicalStatus=entry.clinical,
        verificationStatus=entry.verification,
        onsetDateTime=entry.onset,
        onsetPeriod=entry.onset_period,
        recordedDate=entry.recorded,
        category=_described((Coding(code=FOR_AN_ENCOUNTER),), ()) if entry.for_encounter else NOTHING,
        bodySite=_described(entry.sites, entry.site_words),
    )


def _procedure(entry: TherapyEntry) -> Procedure:
    return Procedure(
        id=entry.id,
        code=entry.code,
        subject=_subject(entry.subject),
        status=entry.status,
        performedDateTime=entry.performed,
        performedPeriod=entry.performed_period,
        category=_described(entry.categories, ()),
        bodySite=_described(entry.sites, entry.site_words),
        reasonCode=_described(entry.reasons, entry.reason_words),
    )


def _described(codings: tuple[Coding, ...], words: tuple[str, ...]) -> msgspec.Raw:
    """Return a list of concepts in JSON: the codes, and each word as a text of its own."""
    if not codings and not words:
        return NOTHING
    concepts = [DescribedConcept(tuple(DescribedCoding(c.system, c.code) for c in codings))]
    return msgspec.Raw(msgspec.json.encode([*concepts, *(DescribedConcept(text=word) for word in words)]))


def _malformed(entry: MalformedEntry) -> Malformed:
    components = msgspec.Raw(b"[{}]") if entry.has_components else msgspec.Raw(b"null")
    return Malformed(id=entry.id, code=entry.code, component=components)


def _patient(entry: PersonEntry, today: date) -> Patient:
    """Return a Patient whose birthday was on the day of the hook, or the day before on 29 February."""
    born = None
    if entry.age is not None:
        day = 28 if (today.month, today.day) == (2, 29) else today.day
        born = date(today.year - entry.age, today.month, day).isoformat()
    link = [{"type": "replaced-by"}] if entry.replaced else None
    return Patient(id=PATIENT_ID, birthDate=born, deceasedBoolean=entry.deceased, link=link)


def _subject(refusal: str) -> Reference | None:
    if refusal == Reason.SUBJECT_MISSING:
        return None
    return Reference(_SOMEBODY_ELSE if refusal else f"Patient/{PATIENT_ID}")
