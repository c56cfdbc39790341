"""From clinical values to the members of a hook record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cds_service.audit.records import (
    ConditionEntry,
    EarlierEntry,
    ExcludedEntry,
    ProcedureEntry,
    ReferenceEntry,
    ResultEntry,
)
from cds_service.clinical.outcomes import Indeterminate, NotEligible

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cds_service.clinical.chart_facts import ConditionFact, ProcedureFact
    from cds_service.clinical.models import BloodCounts, ExcludedResult, LabResult
    from cds_service.clinical.outcomes import Assessment, Decided, EarlierSII
    from cds_service.clinical.timing import TimedDraw


def verdict_members(assessment: Assessment, *, keep_values: bool) -> dict[str, Any]:
    """Return the members of a hook record that an assessment gives."""
    if isinstance(assessment, NotEligible):
        return {"outcome": assessment.outcome, "cutoff": f"{assessment.cutoff:f}", "reasons": assessment.reasons}
    if isinstance(assessment, Indeterminate):
        return _indeterminate(assessment, keep_values=keep_values)
    return _decided(assessment, keep_values=keep_values)


def incomplete_draw(counts: BloodCounts) -> tuple[str, ...]:
    """Name the analytes of usable results that are newer than the newest complete draw."""
    newest = counts.draws[0].effective.order if counts.draws else None
    return tuple(sorted({str(r.analyte) for r in counts.unpaired if newest is None or r.effective.order > newest}))


def _decided(assessment: Decided, *, keep_values: bool) -> dict[str, Any]:
    results = _as_reported(assessment.timed.draw.results)
    if assessment.albumin is not None:
        results.append(assessment.albumin.result)
    return {
        "outcome": assessment.outcome,
        "sii": f"{assessment.sii:f}",
        "cutoff": f"{assessment.cutoff:f}",
        "latest_procedure": assessment.latest_procedure.isoformat() if assessment.latest_procedure else None,
        "used": tuple(result_entry(result, keep_values=keep_values) for result in results),
        "earlier": tuple(map(_earlier_entry, assessment.earlier)),
        "truncated": assessment.truncated,
        **_place(assessment.timed),
    }


def _indeterminate(assessment: Indeterminate, *, keep_values: bool) -> dict[str, Any]:
    members = {
        "outcome": assessment.outcome,
        "cutoff": f"{assessment.cutoff:f}",
        "reasons": assessment.reasons,
        "latest_procedure": assessment.latest_procedure.isoformat() if assessment.latest_procedure else None,
    }
    if assessment.newest_draw is None:
        return members
    results = _as_reported(assessment.newest_draw.draw.results)
    return {
        **members,
        "newest_draw": tuple(result_entry(result, keep_values=keep_values) for result in results),
        "refusal": assessment.newest_draw.refusal,
        **_place(assessment.newest_draw),
    }


def _as_reported(results: Iterable[LabResult]) -> list[LabResult]:
    """Return what the laboratory reported: of a derived total its parts."""
    return [result for whole in results for result in whole.parts or (whole,)]


def _place(timed: TimedDraw) -> dict[str, Any]:
    return {
        "basis": timed.draw.basis,
        "sample_time": timed.draw.effective.isoformat(),
        "relation": timed.relation,
        "days_from_procedure": timed.days,
    }


def result_entry(result: LabResult, *, keep_values: bool) -> ResultEntry:
    """Record a laboratory result, with or without its numbers and units."""
    quantities: dict[str, Any] = {}
    if keep_values:
        quantities = {
            "value": result.quantity.value,
            "unit": result.quantity.unit,
            "reported_value": result.reported.value,
            "reported_unit": result.reported.unit,
        }
    return ResultEntry(
        analyte=result.analyte,
        reference=result.origin.reference,
        version=result.origin.version,
        system=result.origin.system,
        code=result.origin.code,
        specimen=result.origin.specimen,
        basis=result.basis,
        preference=result.preference,
        corrected=result.corrected,
        effective=result.effective.isoformat(),
        issued=result.issued,
        **quantities,
    )


def _earlier_entry(earlier: EarlierSII) -> EarlierEntry:
    return EarlierEntry(
        sii=f"{earlier.sii:f}",
        sample_time=earlier.effective.isoformat(),
        baseline=earlier.baseline,
        results=tuple([ReferenceEntry(reference=o.reference, version=o.version) for o in earlier.origins]),
    )


def excluded_entry(result: ExcludedResult) -> ExcludedEntry:
    """Record a result that was not used."""
    return ExcludedEntry(
        reference=result.reference,
        version=result.version,
        analyte=result.analyte or "",
        reason=result.reason,
        effective=result.effective.isoformat() if result.effective else "",
    )


def condition_entry(condition: ConditionFact) -> ConditionEntry:
    """Record a Condition that bore on eligibility."""
    return ConditionEntry(
        reference=condition.reference,
        version=condition.version,
        category=condition.category,
        code=condition.code,
        recurrence_status=condition.recurrence_status,
        last_day=condition.last_day,
    )


def procedure_entry(procedure: ProcedureFact) -> ProcedureEntry:
    """Record a qualifying procedure."""
    return ProcedureEntry(
        reference=procedure.reference,
        version=procedure.version,
        therapy=procedure.therapy,
        code=procedure.code,
        performed=procedure.performed.isoformat() if procedure.performed else "",
    )
