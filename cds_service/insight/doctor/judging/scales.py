"""Values that fit their unit only after a power of ten: the slip that gives a wrong SII, or none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from cds_service.clinical.models import MAIN_ANALYTES, Analyte
from cds_service.insight.doctor.findings import Finding, Severity
from cds_service.insight.doctor.judging.case import most_for
from cds_service.insight.doctor.judging.values import SHARES, canonical, judge_values, typical_of
from cds_service.insight.doctor.laboratory_survey import UnitTally, meaning_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cds_service.insight.doctor.judging.case import Case
    from cds_service.insight.doctor.judging.values import Verdict
    from cds_service.insight.doctor.laboratory_survey import CodeTally

_MEND: Final = (
    "Compare one result with the laboratory's own report, and have the interface send the unit that belongs to the "
    "number. An overlay must not hide this."
)


class _Scale(NamedTuple):
    tally: CodeTally
    unit: UnitTally
    verdict: Verdict


def judge_scales(case: Case) -> tuple[tuple[Finding, ...], frozenset[str]]:
    """Return findings about scales, and the codes whose implausible values they explain."""
    scales = [scale for analyte in MAIN_ANALYTES for scale in _scales(case, analyte)]
    wrong = [scale for scale in scales if scale.verdict.kind in {"shifted", "partly"}]
    unusual = [scale for scale in scales if scale.verdict.kind == "unusual"]
    findings = (*(_wrong(case, scale) for scale in wrong), *(_unusual(case, scale) for scale in unusual))
    return findings, frozenset(scale.tally.key.code for scale in wrong)


def _scales(case: Case, analyte: str) -> Iterator[_Scale]:
    for tally in case.evidence.laboratory.accepted(analyte):
        for unit in tally.units.values():
            factor = meaning_of(unit, tally.basis, case.mappings).factor
            if factor is not None:
                values = canonical(unit, float(factor))
                yield _Scale(tally, unit, judge_values(values, len(unit.patients), analyte, tally.basis, case))


def _wrong(case: Case, scale: _Scale) -> Finding:
    tally, unit, verdict = scale
    whole = len(unit.values.values)
    some = verdict.kind == "partly"
    whose = f"{case.mask.words(verdict.off, 'value')} of {case.mask.count(whole)} of" if some else "The values of"
    shown = unit.spelling or unit.ucum or "no unit"
    return Finding(
        id="unit-scale",
        severity=_severity(scale),
        what=f"{whose} {case.describe(tally)} in {shown} are about {_times(verdict.power)} for {tally.analyte}"
        f"{_guess(tally, verdict)}.",
        action=_MEND,
        about=f"{tally.key.system}|{tally.key.code} {shown}",
        evidence={
            "analyte": tally.analyte,
            "unit": shown,
            "power": 1 / verdict.power,
            "values": case.mask.count(verdict.off),
        },
    )


def _severity(scale: _Scale) -> Severity:
    # The service reads a fraction under "%" as what it is, as long as both of a draw are written so.
    if scale.tally.basis in SHARES and scale.verdict.power == 100:
        return Severity.WARNING
    return most_for(scale.tally.analyte)


def _times(power: float) -> str:
    return f"{power:,.0f} times too small" if power > 1 else f"{1 / power:,.0f} times too large"


def _guess(tally: CodeTally, verdict: Verdict) -> str:
    """Say what usually stands behind such a slip."""
    basis, power = tally.basis, verdict.power
    if basis in SHARES:
        if power == 100:
            return ", as fractions labelled percent are"
        return ", as cell counts under a percent code are" if power > 1 else ""
    if basis == "count" and power in {1000, 0.001}:
        return ", as counts per µL labelled 10⁹/L are, or the other way round"
    if basis == "count" and power in {0.1, 0.01}:
        return ", as percentages under a code for cell counts are"
    if tally.analyte == Analyte.ALBUMIN and power in {10, 0.1}:
        return ", as g/dL labelled g/L are, or the other way round"
    return ""


def _unusual(case: Case, scale: _Scale) -> Finding:
    tally, unit, _ = scale
    typical = typical_of(tally.analyte, tally.basis, case)
    low, high = typical.median if typical is not None else (0.0, 0.0)
    return Finding(
        id="values-unusual",
        severity=Severity.WARNING,
        what=f"The median of {case.describe(tally)} in {unit.spelling or unit.ucum} lies outside of {low:g} to "
        f"{high:g}, where"
        " that of a hospital's patients lies, and no power of ten explains it.",
        action="Ask the laboratory what this code measures. A sample of children, or of one ward, may explain it.",
        about=f"{tally.key.system}|{tally.key.code} {unit.spelling or unit.ucum}",
        evidence={"analyte": tally.analyte},
    )
