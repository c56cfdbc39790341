"""What the chart says about eligibility, read once for a decision."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cds_service.clinical.chart_facts import ChartFacts, ConditionFact, OperationFact, PatientFact, ProcedureFact
from cds_service.clinical.diagnosis_dates import diagnosed_since, is_before_diagnosis
from cds_service.clinical.noted import RecordedFact, Suspicion
from cds_service.clinical.reasons import Reason
from cds_service.normalization.eligibility_facts import ExcludedFact, FactReader
from cds_service.normalization.observed import reference_of
from cds_service.normalization.subject import SubjectMatcher

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date

    from cds_service.acquisition.chart import EligibilityChart
    from cds_service.acquisition.resources import Malformed
    from cds_service.decision.site import Site
    from cds_service.normalization.effective_time import TimeReader


@dataclass(frozen=True, slots=True)
class Facts:
    """What the chart says about eligibility, and the Conditions and Procedures that do not count, with reasons.

    `operations` do not qualify and change blood counts all the same.
    """

    patient: PatientFact | None
    conditions: tuple[ConditionFact, ...]
    procedures: tuple[ProcedureFact, ...]
    operations: tuple[OperationFact, ...]
    excluded: tuple[ExcludedFact, ...]

    @property
    def excluded_reasons(self) -> tuple[Reason, ...]:
        """Name why Conditions and Procedures do not count, one reason for each; undated ones count but for windows."""
        undated = (Reason.PROCEDURE_DATE_MISSING for fact in self.procedures if fact.performed is None)
        return (*(fact.reason for fact in self.excluded), *undated)

    @property
    def unreadable(self) -> int:
        """Count the Conditions and Procedures that could not be read."""
        return sum(fact.reason is Reason.MALFORMED for fact in self.excluded)

    def judged(self, chart: EligibilityChart) -> ChartFacts:
        """Return what eligibility is judged by."""
        return ChartFacts(
            patient=self.patient,
            conditions=self.conditions,
            procedures=self.procedures,
            operations=self.operations,
            conditions_truncated=chart.conditions.truncated,
            procedures_truncated=chart.procedures.truncated,
        )

    @property
    def suspected(self) -> tuple[Suspicion, ...]:
        """Name spread and recurrence that are suspected and not confirmed."""
        return tuple(Suspicion(fact.suspected, fact.code) for fact in self.excluded if fact.suspected)

    def doubts(self, chart: EligibilityChart) -> tuple[Reason, ...]:
        """Name what may hide a diagnosis or procedure: entries that could not be read, pages that did not come."""
        return (
            *((Reason.MALFORMED,) if self.unreadable else ()),
            *((Reason.TRUNCATED,) if chart.truncated else ()),
        )


def read_facts(chart: EligibilityChart, patient_id: str, site: Site, times: TimeReader) -> Facts:
    """Read patient, Conditions and Procedures of a chart."""
    conditions = FactReader(site.mappings, SubjectMatcher(patient_id, chart.conditions.patients), times)
    diagnoses = {c.id: c.code for c in chart.conditions.resources if c.id and c.code is not None}
    subjects = SubjectMatcher(patient_id, chart.procedures.patients)
    procedures = FactReader(site.mappings, subjects, times, diagnoses)
    read_first = tuple(conditions.read_conditions(chart.conditions.resources))
    since = diagnosed_since([fact for fact in read_first if isinstance(fact, ConditionFact)])
    read = (
        *read_first,
        *(_judge_by_diagnosis(fact, since) for fact in procedures.read_procedures(chart.procedures.resources)),
        *_unreadable(chart.conditions.malformed, "Condition"),
        *_unreadable(chart.procedures.malformed, "Procedure"),
    )
    return Facts(
        patient=conditions.read_patient(chart.patient) if chart.patient is not None else None,
        conditions=tuple(fact for fact in read if isinstance(fact, ConditionFact)),
        procedures=tuple(fact for fact in read if isinstance(fact, ProcedureFact)),
        operations=tuple(procedures.read_operations(chart.procedures.resources)),
        excluded=tuple(fact for fact in read if isinstance(fact, ExcludedFact)),
    )


def read_recorded(chart: EligibilityChart, patient_id: str, site: Site, times: TimeReader) -> tuple[RecordedFact, ...]:
    """Read what changes blood counts on its own; asked for eligible patients only."""
    reader = FactReader(site.mappings, SubjectMatcher(patient_id, chart.conditions.patients), times)
    return tuple(reader.read_recorded(chart.conditions.resources))


def _judge_by_diagnosis(fact: ProcedureFact | ExcludedFact, since: date | None) -> ProcedureFact | ExcludedFact:
    """Exclude a procedure whose code means more than tumor therapy, if the cancer was not recorded until long after."""
    if isinstance(fact, ExcludedFact) or not fact.weak or not is_before_diagnosis(fact.performed, since):
        return fact
    return ExcludedFact("Procedure", fact.reference, fact.code, Reason.DIAGNOSIS_AFTER_PROCEDURE)


def _unreadable(malformed: Iterable[Malformed], resource_type: str) -> Iterator[ExcludedFact]:
    """Name the entries that could not be read, with their codes where at least those could be."""
    for resource in malformed:
        codings = resource.code.coding if resource.code is not None else ()
        codes = ", ".join(coding.code for coding in codings if coding.code)
        yield ExcludedFact(resource_type, reference_of(resource.id, resource_type), codes, Reason.MALFORMED)
