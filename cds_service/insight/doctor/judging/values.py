"""Do values fit their unit? Their median is compared with where the medians of hospitals lie; findings about slips."""

from __future__ import annotations

from math import log, sqrt
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from cds_service.clinical.models import MAIN_ANALYTES, Analyte
from cds_service.insight.doctor.findings import LEAST_PATIENTS, LEAST_VALUES, WARNING_SHARE, Finding, Severity
from cds_service.insight.doctor.judging.case import most_for
from cds_service.insight.doctor.laboratory_survey import UnitTally, meaning_of
from cds_service.insight.tally import median
from cds_service.normalization.units import normalize_spelling

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cds_service.insight.doctor.judging.case import Case
    from cds_service.insight.doctor.laboratory_survey import CodeTally, UnitTally
    from cds_service.insight.doctor.lookalikes import Typical

# Slips of unit: per µL for 10*9/L, g/dL for g/L, percent for fractions, and the like.
_POWERS: Final = (1000.0, 0.001, 100.0, 0.01, 10.0, 0.1)
_NEAR: Final = frozenset({100.0, 0.01, 10.0, 0.1})
SHARES: Final = frozenset({"percent", "fraction"})
# Pairs of basis that share their canonical unit.
_SAME_SCALE: Final = {"fraction": "percent", "moles": "mass"}
FACTORS: Final = {
    "count": ("1", "0.001", "10", "100"),
    "percent": ("0.01", "1"),
    "fraction": ("1", "0.01"),
    "mass": ("1", "10", "0.01", "0.001"),
    "moles": ("0.0665", "66.5"),
}


class Fit(NamedTuple):
    """How values stand to their unit.

    fits      their median lies where it should
    shifted   it would, were the values `power` times as large
    partly    it does, but `off` of the values fall out of the plausible range and would fit if multiplied by `power`
    unusual   it does not, and no power of ten explains it
    too-few   too few values or patients to tell
    """

    kind: Literal["fits", "shifted", "partly", "unusual", "too-few"]
    power: float = 1.0
    off: int = 0


def judge_values(values: Sequence[float], patients: int, analyte: str, basis: str, case: Case) -> Fit:
    """Judge values in the canonical unit of their analyte and basis."""
    typical = typical_of(analyte, basis, case)
    if typical is None or len(values) < LEAST_VALUES or patients < LEAST_PATIENTS:
        return Fit("too-few")
    limits = case.mappings.plausible[analyte, basis]
    low, high = float(limits.low), float(limits.high)
    # Zero is a finding of its own, not a slip of unit.
    off = [value for value in values if value and not low <= value <= high]
    if _some(len(off), len(values)):
        power = _power(median(off), basis, typical)
        return Fit("partly", power, len(off)) if power else Fit("unusual")
    middle = median(values)
    if _within(middle, typical.median):
        return Fit("fits")
    power = _power(middle, basis, typical)
    return Fit("shifted", power, len(values)) if power else Fit("unusual")


def typical_of(analyte: str, basis: str, case: Case) -> Typical | None:
    """Return typical values of an analyte on a basis."""
    return case.lookalikes.typical.get((analyte, _SAME_SCALE.get(basis, basis)))


def canonical(unit: UnitTally, factor: float) -> list[float]:
    """Return the values of a unit in the canonical unit."""
    return [value * factor for value in unit.values.values]


def fitting_factors(unit: UnitTally, analyte: str, basis: str, case: Case) -> frozenset[str]:
    """Return the factors that bring the median of an unread unit where it should lie."""
    typical = typical_of(analyte, basis, case)
    values = unit.values.values
    if typical is None or len(values) < LEAST_VALUES:
        return frozenset()
    middle = median(values)
    return frozenset(f for f in FACTORS[basis] if _within(middle * float(f), typical.median))


def kinds_of(unit: UnitTally, case: Case) -> tuple[str, ...]:
    """Return the kinds of quantity that the service's table reads a unit as, by its code or its text."""
    table = case.mappings.units
    spellings = [normalize_spelling(text) for text in (unit.ucum, unit.spelling) if text]
    return tuple(dict.fromkeys(kind for spelling in spellings for kind in table.kinds_of(spelling)))


def _some(part: int, whole: int) -> bool:
    """Tell whether a part is more than noise, and leaves more than noise."""
    least = max(LEAST_PATIENTS, WARNING_SHARE * whole)
    return least <= part <= whole - least


def _within(value: float, interval: tuple[float, float]) -> bool:
    return interval[0] <= value <= interval[1]


def _power(middle: float, basis: str, typical: Typical) -> float:
    """Return the power of ten that brings a median nearest to the middle of the reference interval; 0 for none.

    Counts that are ten or a hundred times off have to come to lie within the reference interval: other wards reach as
    far, other units do not.
    """
    fitting = [
        power
        for power in _POWERS
        if _within(middle * power, typical.reference if basis == "count" and power in _NEAR else typical.median)
    ]
    center = sqrt(typical.reference[0] * typical.reference[1])
    return min(fitting, key=lambda power: abs(log(middle * power / center)), default=0.0)


_MEND: Final = (
    "Compare one result with the laboratory's own report, and have the interface send the unit that belongs to the "
    "number. An overlay must not hide this."
)


class _Scale(NamedTuple):
    tally: CodeTally
    unit: UnitTally
    fit: Fit


def judge_scales(case: Case) -> tuple[tuple[Finding, ...], frozenset[str]]:
    """Return findings about scales, and the codes whose implausible values they explain."""
    scales = [scale for analyte in MAIN_ANALYTES for scale in _scales(case, analyte)]
    wrong = [scale for scale in scales if scale.fit.kind in {"shifted", "partly"}]
    unusual = [scale for scale in scales if scale.fit.kind == "unusual"]
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
    tally, unit, fit = scale
    whole = len(unit.values.values)
    some = fit.kind == "partly"
    whose = f"{case.mask.words(fit.off, 'value')} of {case.mask.count(whole)} of" if some else "The values of"
    shown = unit.spelling or unit.ucum or "no unit"
    return Finding(
        id="unit-scale",
        severity=_severity(scale),
        what=f"{whose} {case.describe(tally)} in {shown} are about {_times(fit.power)} for {tally.analyte}"
        f"{_guess(tally, fit)}.",
        action=_MEND,
        about=f"{tally.key.system}|{tally.key.code} {shown}",
        evidence={
            "analyte": tally.analyte,
            "unit": shown,
            "power": 1 / fit.power,
            "values": case.mask.count(fit.off),
        },
    )


def _severity(scale: _Scale) -> Severity:
    # The service reads a fraction under "%" as what it is, as long as both of a draw are written so.
    if scale.tally.basis in SHARES and scale.fit.power == 100:
        return Severity.WARNING
    return most_for(scale.tally.analyte)


def _times(power: float) -> str:
    return f"{power:,.0f} times too small" if power > 1 else f"{1 / power:,.0f} times too large"


def _guess(tally: CodeTally, fit: Fit) -> str:
    """Say what usually stands behind such a slip."""
    basis, power = tally.basis, fit.power
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
