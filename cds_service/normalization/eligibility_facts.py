"""Conditions, Procedures and the Patient to the facts that eligibility asks for.

What is not used carries a reason of its own, for the person who wants to know why a patient was not eligible.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Final, NamedTuple

from cds_service.clinical.chart_facts import ConditionFact, PatientFact, ProcedureFact, ProcedureTime
from cds_service.clinical.models import EffectiveTime
from cds_service.clinical.reasons import Reason
from cds_service.normalization.effective_time import parse_partial_date
from cds_service.normalization.observed import reference_of
from cds_service.normalization.taken_back import TAKEN_BACK, conditions_taken_back, ids_taken_back

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cds_service.normalization.effective_time import TimeReader
    from cds_service.normalization.shapes import (
        ConceptLike,
        ConditionLike,
        PatientLike,
        PeriodLike,
        ProcedureLike,
    )
    from cds_service.normalization.subject import SubjectMatcher
    from fhir_mappings.mappings import Mappings

# FHIR R4 condition-ver-status: confirmed, or no status at all, makes a diagnosis count. Beside it may stand the same in
# a code system of the site, but none of these.
_CONFIRMED = "confirmed"
_NOT_CONFIRMED = frozenset({"unconfirmed", "provisional", "differential", "refuted", TAKEN_BACK})
# FHIR R4 condition-clinical: the cancer itself came back.
_RECURRENCE_STATUSES = frozenset({"recurrence", "relapse"})
# Categories of fhir_mappings/conditions.toml that eligibility reads; others are context or refused.
_CATEGORIES = frozenset({"primary", "history", "secondary", "recurrence", "metastasis"})
_CANCER_ITSELF = frozenset({"primary", "history"})


# What is older is no date but a placeholder for an unknown one: 0001-01-01, 1753-01-01.
_EARLIEST: Final = date(1900, 1, 1)


class ExcludedFact(NamedTuple):
    """A Condition or Procedure of ours that does not count, and why."""

    resource_type: str
    reference: str
    code: str
    reason: Reason


class FactReader:
    """Reads the facts of one patient under one site's mappings."""

    def __init__(self, mappings: Mappings, subjects: SubjectMatcher, times: TimeReader) -> None:
        """Keep what every resource is judged against."""
        self._mappings = mappings
        self._subjects = subjects
        self._times = times

    def read_conditions(self, conditions: Sequence[ConditionLike]) -> Iterator[ConditionFact | ExcludedFact]:
        """Yield a fact for each category a Condition is coded with; nothing for diagnoses that do not matter.

        A Condition counts when it is this patient's, its verification is confirmed or absent, and no other version
        takes it back.
        """
        taken_back = conditions_taken_back(conditions)
        for condition in conditions:
            for category, code in self._categories(condition.code).items():
                reference = reference_of(condition.id, "Condition")
                refused = self._subjects.refuse(condition.subject)
                is_verified = _is_verified(condition.verificationStatus, category) and condition.id not in taken_back
                if refused is None and not is_verified:
                    refused = Reason.STATUS_NOT_ACCEPTED
                if refused is not None:
                    yield ExcludedFact("Condition", reference, code, refused)
                    continue
                recurrence = category in _CANCER_ITSELF and bool(
                    _codes(condition.clinicalStatus) & _RECURRENCE_STATUSES
                )
                last_day = self._last_recorded_day(condition)
                yield ConditionFact(category, reference, condition.version, code, recurrence, last_day)

    def read_procedures(self, procedures: Sequence[ProcedureLike]) -> Iterator[ProcedureFact | ExcludedFact]:
        """Yield a fact for each qualifying procedure of this patient that is completed and not in the future.

        One that carries a refused code as well (metastasis, cyst) is excluded as code-conflict.
        """
        taken_back = ids_taken_back(procedures)
        for procedure in procedures:
            found = self._therapy(procedure.code)
            if found is None:
                continue
            therapy, code = found
            reference = reference_of(procedure.id, "Procedure")
            performed = self._performed(procedure)
            refused = self._subjects.refuse(procedure.subject)
            if refused is None and (procedure.status != "completed" or procedure.id in taken_back):
                refused = Reason.STATUS_NOT_ACCEPTED
            if refused is None and performed is not None and self._times.is_future(performed.first):
                refused = Reason.FUTURE_TIME
            if refused is None and self._has_refused_code(procedure.code):
                refused = Reason.CODE_CONFLICT
            if refused is not None:
                yield ExcludedFact("Procedure", reference, code, refused)
            else:
                yield ProcedureFact(therapy, reference, procedure.version, code, performed)

    def read_patient(self, patient: PatientLike) -> PatientFact:
        """Read birth date (a partial one by its last day, the youngest the patient may be) and death.

        A date of death that cannot be read still says that the patient died; one that lies ahead does not.
        """
        birth, death, dead = patient.birthDate, patient.deceasedDateTime, patient.deceasedBoolean
        born = self._last_day(birth) if birth and isinstance(birth, str) else None
        died = self._span_start(death) if death and isinstance(death, str) else None
        lives_on = not death or (died is not None and self._times.is_future(died))
        is_told = dead is None or isinstance(dead, bool)
        is_readable = is_told and (not birth or born is not None) and (not death or died is not None)
        return PatientFact(born, dead is True or not lives_on, is_readable)

    def _categories(self, concept: ConceptLike | None) -> dict[str, str]:
        """Return the categories of a concept, each with the code that gave it."""
        found: dict[str, str] = {}
        for coding in concept.coding if concept is not None else ():
            row = self._mappings.condition(coding.system or "", coding.code or "")
            if row is not None and row.category in _CATEGORIES:
                found.setdefault(row.category, row.code)
        return found

    def _therapy(self, concept: ConceptLike | None) -> tuple[str, str] | None:
        codings = concept.coding if concept is not None else ()
        rows = (self._mappings.procedure(c.system or "", c.code or "") for c in codings)
        return next(((row.therapy, row.code) for row in rows if row is not None), None)

    def _has_refused_code(self, concept: ConceptLike | None) -> bool:
        """Tell whether a code speaks of another thing (metastasis, cyst); one merely unspecific does not refuse."""
        codings = concept.coding if concept is not None else ()
        rows = (self._mappings.refused_procedure(c.system or "", c.code or "") for c in codings)
        return any(row is not None and not row.left_out for row in rows)

    def _last_recorded_day(self, condition: ConditionLike) -> date | None:
        """Return the latest day the Condition speaks of, partial dates by their last day; None when undated."""
        period = condition.onsetPeriod
        texts = (condition.onsetDateTime, _end_or_start(period), condition.recordedDate)
        days = [day for text in texts if text and (day := self._last_day(text)) is not None]
        return max(days, default=None)

    def _last_day(self, text: str) -> date | None:
        span = parse_partial_date(text)
        time = self._times.read(text) if span is None else None
        day = span.last if span is not None else time.day if isinstance(time, EffectiveTime) else None
        return day if day is not None and day >= _EARLIEST else None

    def _performed(self, procedure: ProcedureLike) -> ProcedureTime | None:
        """Return when it may have been; None when no date is recorded, or none that can be read.

        A Period with one limit counts by that limit. Without a beginning it is known by the day only.
        """
        if procedure.performedDateTime:
            return self._possible(procedure.performedDateTime)
        period = procedure.performedPeriod
        if period is None:
            return None
        began = self._possible(period.start) if period.start else None
        if not period.end:
            return began
        ended = self._possible(period.end)
        if ended is None:
            return None
        if began is None:
            return ended._replace(first=EffectiveTime(ended.first.day, None))
        return _join(began, ended)

    def _possible(self, text: str) -> ProcedureTime | None:
        """Return the moments that a recorded date may mean; None when it cannot be read."""
        span = parse_partial_date(text)
        if span is not None:
            first, last = EffectiveTime(span.first, None), EffectiveTime(span.last, None)
            return ProcedureTime(first, last, text, text) if first.day >= _EARLIEST else None
        time = self._times.read(text)
        if not isinstance(time, EffectiveTime) or time.day < _EARLIEST:
            return None
        recorded = time.isoformat()
        return ProcedureTime(time, time, recorded, recorded)

    def _span_start(self, text: str) -> EffectiveTime | None:
        span = parse_partial_date(text)
        if span is not None:
            return EffectiveTime(span.first, None)
        time = self._times.read(text)
        return time if isinstance(time, EffectiveTime) else None


def _is_verified(verification: ConceptLike | None, category: str) -> bool:
    """Tell whether a diagnosis counts: confirmed, or without any status.

    A status without a known code (text, a code of the site) is neither; it makes no cancer, and takes no recurrence
    back.
    """
    codes = _codes(verification)
    if codes & _NOT_CONFIRMED:
        return False
    return verification is None or _CONFIRMED in codes or category not in _CANCER_ITSELF


def _codes(concept: ConceptLike | None) -> frozenset[str]:
    return frozenset(coding.code for coding in concept.coding if coding.code) if concept is not None else frozenset()


def _join(began: ProcedureTime, ended: ProcedureTime) -> ProcedureTime:
    """Return the span of a Period. Where it ends before it begins, it was between the two all the same."""
    first, last = began.first, ended.last
    timed = first.instant is not None and last.instant is not None
    if first.day > last.day or (timed and first.order > last.order):
        began, ended = ended, began
    return ProcedureTime(began.first, ended.last, began.began, ended.ended)


def _end_or_start(period: PeriodLike | None) -> str | None:
    return (period.end or period.start) if period is not None else None
