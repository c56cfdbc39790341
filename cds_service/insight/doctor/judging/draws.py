"""Who has a complete blood draw, what the service would answer, and why it could not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cds_service.clinical.reasons import Reason
from cds_service.insight.doctor.findings import (
    BLOCKING_SHARE,
    DRAWS_BLOCKING,
    DRAWS_WARNING,
    LEAST_DECIDED,
    USUAL_ABOVE,
    Finding,
    Severity,
    by_share,
)

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator

    from cds_service.insight.doctor.judging.case import Case

# What makes draws undecidable however complete they are.
_PROBLEMS: Final = {
    Reason.DIFFERENTIAL_INCONSISTENT: "Counts and percentages of one draw contradict each other: compare one with the "
    "laboratory's report; a wrong unit or code of one of them is likely.",
    Reason.CONFLICTING_RESULTS: "One draw holds different values of one test: have corrected results sent as "
    "corrected, "
    "and each result once.",
}
_MOST_TOLD: Final = 4


def judge_draws(case: Case) -> Iterator[Finding]:
    """Yield findings about complete draws in the sample."""
    patients = case.evidence.patients
    if not patients.patients:
        yield Finding(
            id="no-patients",
            severity=Severity.BLOCKS,
            what="There is no patient to examine.",
            action="Name patients with --patient-file, one id a line.",
        )
        return
    yield from _without_data(case)
    yield from _complete(case)
    mixed = patients.draw_reasons[Reason.MIXED_BASIS]
    severity = by_share(mixed, patients.with_results)
    if severity is not None:
        yield Finding(
            id="mixed-basis",
            severity=severity,
            what=f"{case.mask.words(mixed, 'patient')} have neutrophils and lymphocytes on different bases only: one "
            "as a cell "
            "count, the other in percent. They cannot be paired.",
            action="Have the interface send the absolute count, or the percentage, of both.",
            evidence={"patients": case.mask.count(mixed), "of": case.mask.count(patients.with_results)},
        )
    for problem, action in _PROBLEMS.items():
        count = patients.draw_problems[problem]
        severity = by_share(count, patients.with_draw)
        if severity is not None:
            yield Finding(
                id=str(problem),
                severity=severity,
                what=f"The newest complete draw of {case.mask.words(count, 'patient')} cannot be decided: {problem}.",
                action=action,
                evidence={"patients": case.mask.count(count), "of": case.mask.count(patients.with_draw)},
            )


def _without_data(case: Case) -> Iterator[Finding]:
    """Yield a finding for listed patients of whom there is nothing: the list may hold other numbers than FHIR ids."""
    count = case.evidence.without_data
    if case.evidence.options.patient_ids is not None and count:
        yield Finding(
            id="patients-without-data",
            severity=Severity.WARNING,
            what=f"There is nothing at all of {case.mask.words(count, 'patient')} of the list.",
            action="See that the list holds FHIR ids of Patient, not record numbers, and that they are of this source.",
            evidence={"patients": case.mask.count(count), "of": case.evidence.patients.patients},
        )


def judge_outcomes(case: Case) -> Iterator[Finding]:
    """Yield findings about what the service would answer for the patients of the sample."""
    patients = case.evidence.patients
    decisions = patients.decisions
    eligible, undecided = decisions.eligible, decisions.outcomes["indeterminate"]
    if patients.with_draw < DRAWS_WARNING * patients.with_results:
        # Told by the findings on draws.
        undecided = 0
    if eligible >= max(case.mask.below, 1) and undecided >= BLOCKING_SHARE * eligible:
        yield _undecided(case, undecided, eligible, decisions.reasons)
    decided, above = decisions.decided, decisions.outcomes["above-cutoff"]
    if decided >= LEAST_DECIDED and not USUAL_ABOVE[0] <= above / decided <= USUAL_ABOVE[1]:
        yield Finding(
            id="above-share-unusual",
            severity=Severity.WARNING,
            what=f"SII is above the cut-off for {case.mask.share(above, decided) or 'hardly any or nearly all'} of "
            f"{case.mask.words(decided, 'decided patient')}; about half are expected (derived from the study).",
            action="Look at the values by code: units of one analyte may be wrong, or the sample is not the study's "
            "population.",
            evidence={"above": case.mask.count(above), "decided": case.mask.count(decided)},
        )


def _complete(case: Case) -> Iterator[Finding]:
    patients = case.evidence.patients
    whole, complete = patients.with_results, patients.with_draw
    if not whole or complete >= DRAWS_WARNING * whole:
        return
    told = ", ".join(
        f"{reason} ({case.mask.count(count)})" for reason, count in patients.draw_reasons.most_common(_MOST_TOLD)
    )
    yield Finding(
        id="few-complete-draws",
        severity=Severity.BLOCKS if complete < DRAWS_BLOCKING * whole else Severity.WARNING,
        what=f"{case.mask.words(complete, 'patient')} of {case.mask.count(whole)} with blood counts have a complete "
        f"draw. Reasons of the others: {told}.",
        action="Mend what the findings on codes and units name first. Blood counts without a differential cannot be "
        "completed.",
        evidence={
            "complete": case.mask.count(complete),
            "of": case.mask.count(whole),
            "reasons": {reason: case.mask.count(count) for reason, count in patients.draw_reasons.items()},
        },
    )


def _undecided(case: Case, undecided: int, eligible: int, reasons: Counter[str]) -> Finding:
    told = ", ".join(f"{reason} ({case.mask.count(count)})" for reason, count in reasons.most_common(_MOST_TOLD))
    stale = reasons[Reason.STALE] >= BLOCKING_SHARE * undecided
    action = (
        "Most draws are too old as of now: for a copy of older data, state its day with --at."
        if stale
        else "Read the reasons: windows around procedures are clinical content (docs/clinical.md), all others are data."
    )
    return Finding(
        id="mostly-indeterminate",
        severity=Severity.WARNING,
        what=f"SII cannot be told for {case.mask.words(undecided, 'eligible patient')} of "
        f"{case.mask.count(eligible)}: {told}.",
        action=action,
        evidence={"indeterminate": case.mask.count(undecided), "eligible": case.mask.count(eligible)},
    )
