"""Results that the service does not use, by its own reasons: one finding for each reason and analyte."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from cds_service.clinical.models import MAIN_ANALYTES
from cds_service.clinical.reasons import Reason
from cds_service.insight.doctor.findings import BLOCKING_SHARE, Finding, Severity, by_share
from cds_service.insight.doctor.judging.case import most_for
from cds_service.insight.doctor.judging.values import SHARES, kinds_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cds_service.insight.doctor.judging.case import Case
    from cds_service.insight.doctor.laboratory_survey import CodeTally, UnitTally

# What to do about each reason. The wording of what is wrong comes with the counts.
ACTIONS: Final = {
    Reason.UNIT_MISSING: "Have the interface send the unit with each result; no setting can stand in for it.",
    Reason.UNIT_UNKNOWN: "Add the spelling to a site overlay (see the proposal), or have UCUM codes sent.",
    Reason.UNIT_CONFLICT: "Text and code of the unit contradict each other: have the interface send one meaning.",
    Reason.VALUE_NOT_NUMERIC: "Have the interface send numbers as valueQuantity, not as text or codes.",
    Reason.VALUE_MISSING: "Have the interface send valueQuantity.value, or dataAbsentReason where there is no value.",
    Reason.COMPARATOR: "Values such as <0.1 are no base for SII; nothing to do, unless a normal result comes this way.",
    Reason.DATA_ABSENT: "The laboratory gave no value; see whether that many are right.",
    Reason.NO_EFFECTIVE_TIME: "Have the interface send when blood was drawn (effectiveDateTime).",
    Reason.IMPRECISE_TIME: "Have the interface send the day of the draw at least.",
    Reason.FUTURE_TIME: "Check the clock of the laboratory system and service.timezone of this configuration.",
    Reason.IMPLAUSIBLE: "Look at these results at the source: they are outside of what a patient can have.",
    Reason.CODE_CONFLICT: "One Observation carries codes of different tests: have the mapping in the interface mended.",
    Reason.SUBJECT_MISSING: "Have the interface send Observation.subject: results of nobody are never used.",
    Reason.SUBJECT_MISMATCH: "Observation.subject has to name the patient as Patient/id; a urn:uuid, a group, "
    "or another "
    "patient is never used. Have the interface mended.",
    Reason.MALFORMED: "These resources break FHIR R4; check one with a FHIR validator and have the interface mended.",
    Reason.PROPERTY_CONFLICT: "Ask the laboratory whether these are counts or shares, and have code or unit mended.",
    Reason.SPECIMEN_NOT_BLOOD: "Right as it is, if these are of ascites, marrow and the like. If they are of blood, "
    "have the specimen of the interface mended.",
    Reason.PLATELET_CLUMPING: "Right as it is: the laboratory found clumps, and the count may be too low.",
    Reason.STATUS_NOT_ACCEPTED: "Have the interface send final results as final; preliminary ones are never used.",
}
# Something is wrong with the interface however few there are.
_NEVER_RIGHT: Final = frozenset(
    {Reason.UNIT_MISSING, Reason.UNIT_UNKNOWN, Reason.UNIT_CONFLICT, Reason.CODE_CONFLICT, Reason.SUBJECT_MISSING}
)
_LOOK: Final = "Look at one of these results at the source, and have the interface mended."
# Rightly withdrawn: they only matter where they are most of all results.
_WITHDRAWN: Final = frozenset({"entered-in-error", "cancelled"})


def judge_results(case: Case, explained: frozenset[str]) -> Iterator[Finding]:
    """Yield findings about results that were read and not used.

    `explained`: codes whose implausible values another finding explains by their unit.
    """
    for analyte in MAIN_ANALYTES:
        tallies = case.evidence.laboratory.accepted(analyte)
        whole = sum(tally.results for tally in tallies) + case.evidence.laboratory.unreadable[analyte]
        for reason, count in sorted(_counted(case, analyte, explained).items()):
            severity = _severity(case, analyte, reason, count, whole)
            if severity is not None:
                yield _finding(case, analyte, reason, count, whole, severity)


def _counted(case: Case, analyte: str, explained: frozenset[str]) -> Counter[Reason]:
    counts: Counter[Reason] = Counter()
    for tally in case.evidence.laboratory.accepted(analyte):
        for reason in Reason:
            if reason is not Reason.IMPLAUSIBLE or tally.key.code not in explained:
                counts[reason] += tally.treatments[reason]
    told = told_by_property(case, analyte)
    counts -= Counter({reason: told[reason] for reason in Reason})
    counts[Reason.MALFORMED] += case.evidence.laboratory.unreadable[analyte]
    return +counts


def _severity(case: Case, analyte: str, reason: Reason, count: int, whole: int) -> Severity | None:
    if reason is Reason.SUBJECT_MISMATCH:
        return most_for(analyte)
    if reason is Reason.STATUS_NOT_ACCEPTED:
        withdrawn = _statuses(case, analyte, _WITHDRAWN)
        if withdrawn < BLOCKING_SHARE * whole:
            count, whole = count - withdrawn, whole - withdrawn
    found = by_share(count, whole, most=most_for(analyte))
    return found or (Severity.NOTE if reason in _NEVER_RIGHT else None)


def _statuses(case: Case, analyte: str, wanted: frozenset[str]) -> int:
    tallies = case.evidence.laboratory.accepted(analyte)
    return sum(count for tally in tallies for status, count in tally.statuses.items() if status in wanted)


def _finding(case: Case, analyte: str, reason: Reason, count: int, whole: int, severity: Severity) -> Finding:
    detail = _detail(case, analyte, reason)
    told = [text for text in (str(reason), case.mask.share(count, whole), detail) if text]
    what = f"{case.mask.words(count, 'result')} of {analyte}, of {case.mask.count(whole)} in all, cannot be used"
    return Finding(
        id=str(reason),
        severity=severity,
        what=f"{what}: {', '.join(told)}.",
        action=ACTIONS.get(reason, _LOOK),
        about=str(analyte),
        evidence={"results": case.mask.count(count), "of": case.mask.count(whole), "seen": detail},
    )


def _detail(case: Case, analyte: str, reason: Reason) -> str:
    """Name the units or statuses behind a reason."""
    tallies = case.evidence.laboratory.accepted(analyte)
    if reason is Reason.STATUS_NOT_ACCEPTED:
        accepted = case.evidence.site.policy.accepted_statuses
        statuses: Counter[str] = Counter()
        for tally in tallies:
            statuses.update({status: n for status, n in tally.statuses.items() if status not in accepted})
        return "status " + ", ".join(status for status, _ in statuses.most_common(4)) if statuses else ""
    if reason in {Reason.UNIT_UNKNOWN, Reason.UNIT_CONFLICT}:
        return "unit " + ", ".join(_spellings(tallies, reason)[:4])
    return ""


def _spellings(tallies: list[CodeTally], reason: Reason) -> list[str]:
    units = [unit for tally in tallies for unit in tally.units.values() if unit.treatments[reason]]
    units.sort(key=lambda unit: -unit.treatments[reason])
    shown = (
        unit.spelling if unit.spelling == unit.ucum or not unit.ucum else f"{unit.spelling} (code {unit.ucum})".strip()
        for unit in units
    )
    return list(dict.fromkeys(f'"{text}"' for text in shown))


PROPERTY_CONFLICT: Final = "property-conflict"
# As what the service refuses such results: its own reason, or that the unit is none of the code's.
_REFUSALS: Final = (PROPERTY_CONFLICT, "unit-unknown")
_PROPERTY_ACTION: Final = (
    "Ask the laboratory which is right: a share goes under a code for shares (LOINC 770-8 for neutrophils, 736-9 for "
    "lymphocytes), a count comes with the unit of a count. Have the interface mended; no overlay can mend this."
)


def judge_properties(case: Case) -> Iterator[Finding]:
    """Yield a finding for each code whose unit speaks of another property."""
    for analyte in MAIN_ANALYTES:
        whole = sum(tally.results for tally in case.evidence.laboratory.accepted(analyte))
        for tally in case.evidence.laboratory.accepted(analyte):
            units = list(_contradicting(tally, case))
            count = sum(_refused_for_property(unit).total() for unit in units)
            if count:
                yield _property_finding(case, tally, units, count, whole)


def told_by_property(case: Case, analyte: str) -> Counter[str]:
    """Return how many results of an analyte these findings tell, by the reason for which they are not used."""
    return Counter(
        reason
        for tally in case.evidence.laboratory.accepted(analyte)
        for unit in _contradicting(tally, case)
        for reason in _refused_for_property(unit).elements()
    )


def _contradicting(tally: CodeTally, case: Case) -> Iterator[UnitTally]:
    for unit in tally.units.values():
        kinds = frozenset(kinds_of(unit, case))
        if (tally.basis == "count" and kinds and kinds <= SHARES) or (tally.basis in SHARES and kinds == {"count"}):
            yield unit


def _refused_for_property(unit: UnitTally) -> Counter[str]:
    return Counter({reason: unit.treatments[reason] for reason in _REFUSALS if unit.treatments[reason]})


def _property_finding(case: Case, tally: CodeTally, units: list[UnitTally], count: int, whole: int) -> Finding:
    says, meant = ("count", "share") if tally.basis == "count" else ("share", "count")
    spelled = ", ".join(dict.fromkeys(f'"{unit.spelling or unit.ucum}"' for unit in units))
    return Finding(
        id=PROPERTY_CONFLICT,
        severity=by_share(count, whole, most=most_for(tally.analyte)) or Severity.NOTE,
        what=f"Code says {says}, unit says {meant}: {case.mask.words(count, 'result')} of {case.describe(tally)} come "
        f"in {spelled}, of {case.mask.count(whole)} results of {tally.analyte} in all. None of them is used.",
        action=_PROPERTY_ACTION,
        about=f"{tally.key.system}|{tally.key.code}",
        evidence={"analyte": tally.analyte, "results": case.mask.count(count), "of": case.mask.count(whole)},
    )
