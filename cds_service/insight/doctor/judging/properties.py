"""Results whose code names a count and whose unit a share, or the other way round: no overlay can mend them."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from cds_service.clinical.models import MAIN_ANALYTES
from cds_service.insight.doctor.findings import Finding, Severity
from cds_service.insight.doctor.judging.case import most_for
from cds_service.insight.doctor.judging.thresholds import by_share
from cds_service.insight.doctor.judging.values import SHARES, kinds_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cds_service.insight.doctor.judging.case import Case
    from cds_service.insight.doctor.laboratory_survey import CodeTally, UnitTally

PROPERTY_CONFLICT: Final = "property-conflict"
# As what the service refuses such results: its own reason, or that the unit is none of the code's.
_REFUSALS: Final = (PROPERTY_CONFLICT, "unit-unknown")
_ACTION: Final = (
    "Ask the laboratory which is right: a share goes under a code for shares (LOINC 770-8 for neutrophils, 736-9 for "
    "lymphocytes), a count comes with the unit of a count. Have the interface mended; no overlay can mend this."
)


def judge_properties(case: Case) -> Iterator[Finding]:
    """Yield a finding for each code whose unit speaks of another property."""
    for analyte in MAIN_ANALYTES:
        whole = sum(tally.results for tally in case.evidence.laboratory.accepted(analyte))
        for tally in case.evidence.laboratory.accepted(analyte):
            units = list(_contradicting(tally, case))
            count = sum(_refused(unit).total() for unit in units)
            if count:
                yield _finding(case, tally, units, count, whole)


def told_by_property(case: Case, analyte: str) -> Counter[str]:
    """Return how many results of an analyte these findings tell, by the reason for which they are not used."""
    return Counter(
        reason
        for tally in case.evidence.laboratory.accepted(analyte)
        for unit in _contradicting(tally, case)
        for reason in _refused(unit).elements()
    )


def _contradicting(tally: CodeTally, case: Case) -> Iterator[UnitTally]:
    for unit in tally.units.values():
        kinds = frozenset(kinds_of(unit, case))
        if (tally.basis == "count" and kinds and kinds <= SHARES) or (tally.basis in SHARES and kinds == {"count"}):
            yield unit


def _refused(unit: UnitTally) -> Counter[str]:
    return Counter({reason: unit.treatments[reason] for reason in _REFUSALS if unit.treatments[reason]})


def _finding(case: Case, tally: CodeTally, units: list[UnitTally], count: int, whole: int) -> Finding:
    says, meant = ("count", "share") if tally.basis == "count" else ("share", "count")
    spelled = ", ".join(dict.fromkeys(f'"{unit.spelling or unit.ucum}"' for unit in units))
    return Finding(
        id=PROPERTY_CONFLICT,
        severity=by_share(count, whole, most=most_for(tally.analyte)) or Severity.NOTE,
        what=f"Code says {says}, unit says {meant}: {case.mask.words(count, 'result')} of {case.describe(tally)} come "
        f"in {spelled}, of {case.mask.count(whole)} results of {tally.analyte} in all. None of them is used.",
        action=_ACTION,
        about=f"{tally.key.system}|{tally.key.code}",
        evidence={"analyte": tally.analyte, "results": case.mask.count(count), "of": case.mask.count(whole)},
    )
