"""Do values fit their unit? Their median is compared with where a hospital's medians lie."""

from __future__ import annotations

from math import log, sqrt
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from cds_service.insight.doctor.judging.thresholds import LEAST_PATIENTS, LEAST_VALUES, WARNING_SHARE
from cds_service.insight.doctor.masking import median
from cds_service.normalization.units import normalize_spelling

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cds_service.insight.doctor.judging.case import Case
    from cds_service.insight.doctor.laboratory_survey import UnitTally
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


class Verdict(NamedTuple):
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


def judge_values(values: Sequence[float], patients: int, analyte: str, basis: str, case: Case) -> Verdict:
    """Judge values in the canonical unit of their analyte and basis."""
    typical = typical_of(analyte, basis, case)
    if typical is None or len(values) < LEAST_VALUES or patients < LEAST_PATIENTS:
        return Verdict("too-few")
    limits = case.mappings.plausible[analyte, basis]
    low, high = float(limits.low), float(limits.high)
    # Zero is a finding of its own, not a slip of unit.
    off = [value for value in values if value and not low <= value <= high]
    if _some(len(off), len(values)):
        power = _power(median(off), basis, typical)
        return Verdict("partly", power, len(off)) if power else Verdict("unusual")
    middle = median(values)
    if _within(middle, typical.median):
        return Verdict("fits")
    power = _power(middle, basis, typical)
    return Verdict("shifted", power, len(values)) if power else Verdict("unusual")


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
