"""Diagnoses and procedures: whether any counts, and which are near misses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cds_service.clinical.reasons import Reason
from cds_service.insight.doctor.eligibility_survey import CANCER, COUNTS
from cds_service.insight.doctor.findings import Finding, Severity
from cds_service.insight.doctor.judging.thresholds import by_share
from cds_service.insight.doctor.judging.unread_concepts import judge_unread_diagnoses, judge_unread_procedures

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cds_service.insight.doctor.eligibility_survey import ConceptTally
    from cds_service.insight.doctor.judging.case import Case
    from cds_service.insight.doctor.lookalikes import Kind

_KINDS: Final[tuple[tuple[Kind, str, str], ...]] = (
    ("condition", "diagnosis", "primary liver cancer"),
    ("procedure", "procedure", "an interventional procedure"),
)
_JUDGES: Final = {"condition": judge_unread_diagnoses, "procedure": judge_unread_procedures}
_STATUS_ACTIONS: Final = {
    "condition": "Only confirmed diagnoses, or ones without a verification status, count; see whether these are meant.",
    "procedure": "Only completed procedures count; see whether the EHR ever sets that status.",
}


def judge_eligibility(case: Case) -> Iterator[Finding]:
    """Yield findings about what makes patients eligible; nothing where the EHR is trusted to ask for the right ones."""
    if not case.evidence.site.policy.eligibility_required:
        return
    for kind, noun, wanted in _KINDS:
        rows = case.evidence.eligibility.of_kind(kind)
        counts = any(_counts(row) for row in rows)
        if not counts and kind.capitalize() not in case.evidence.unanswered:
            open_rows = any(not row.is_known and not row.refusal for row in rows)
            yield _none_counts(case, kind, noun, wanted, is_suspected=open_rows)
        yield from _JUDGES[kind](case, counts)
        for row in rows:
            yield from _refused(case, row, noun)
            yield from _excluded(case, row, noun)


def _counts(row: ConceptTally) -> bool:
    return bool(row.treatments[COUNTS]) and (row.key.kind == "procedure" or row.meaning in CANCER)


def _none_counts(case: Case, kind: Kind, noun: str, wanted: str, *, is_suspected: bool) -> Finding:
    seen = case.evidence.eligibility.resources[kind]
    return Finding(
        id=f"no-qualifying-{noun}",
        severity=Severity.BLOCKS,
        what=f"No {kind.capitalize()} says that a patient has {wanted} ({case.mask.words(seen, 'entry')} seen), so "
        "no patient is eligible.",
        action=f"Mend what {noun}-code-unknown names first."
        if is_suspected
        else "Examine patients who are known to have it (--patient-file). If they have none either, add the codes the "
        "EHR uses to a site overlay.",
        evidence={"seen": case.mask.count(seen)},
    )


def _refused(case: Case, row: ConceptTally, noun: str) -> Iterator[Finding]:
    """Yield a code that the tables know and do not count."""
    if not row.refusal:
        return
    about = f"{row.key.system}|{row.key.code}"
    name = row.shown_name(case.mask.below)
    yield Finding(
        id=f"{noun}-left-out" if row.left_out else f"{noun}-refused",
        severity=Severity.NOTE,
        what=f"{about}{f' ({name})' if name else ''} does not count: {row.refusal} "
        f"({case.mask.words(row.resources, 'entry')}).",
        action="Right as it is, unless the clinical owner decides otherwise in a site overlay."
        if row.left_out
        else "Right as it is.",
        about=about,
        evidence={"entries": case.mask.count(row.resources)},
    )


def _excluded(case: Case, row: ConceptTally, noun: str) -> Iterator[Finding]:
    """Yield why entries of a known code do not count."""
    if not row.is_known or (row.key.kind == "condition" and row.meaning not in CANCER):
        return
    about = f"{row.key.system}|{row.key.code}"
    refused = row.treatments[Reason.STATUS_NOT_ACCEPTED]
    severity = by_share(refused, row.resources, most=Severity.WARNING)
    if severity is not None:
        yield Finding(
            id=f"{noun}-status",
            severity=severity,
            what=f"Not counted for their status: {case.mask.words(refused, 'entry')} of {about}, "
            f"of {case.mask.count(row.resources)} in all.",
            action=_STATUS_ACTIONS[row.key.kind],
            about=about,
            evidence={"entries": case.mask.count(refused), "of": case.mask.count(row.resources)},
        )
    severity = by_share(row.undated, row.resources, most=Severity.WARNING)
    if severity is not None:
        yield Finding(
            id="procedure-undated",
            severity=severity,
            what=f"{case.mask.words(row.undated, 'entry')} of {about} carry no date. A patient whose procedures are "
            "all undated "
            "is indeterminate.",
            action="Have the EHR send performedDateTime or performedPeriod.",
            about=about,
            evidence={"entries": case.mask.count(row.undated), "of": case.mask.count(row.resources)},
        )
