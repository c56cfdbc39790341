"""A rule: the index it computes of one blood draw, and the cut-off it holds the index against."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from cds_service.clinical.models import BloodDraw, LabResult

_SHOWN_DECIMALS: Final = 3

# Platelets, neutrophils and lymphocytes of one draw, the last above zero, to the exact value of the index.
Index = Callable[[Decimal, Decimal, Decimal], Fraction]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What a CDS Service decides by, apart from what a site chooses.

    `version` changes whenever the same data could lead to another assessment. Within `imprecision` of the cut-off,
    laboratory imprecision alone may decide. `spans` are rising edges between which reports count values of the index:
    no limits, and nothing is decided by them. All numbers in `unit`, which is empty for an index without one.
    """

    version: str
    index: Index
    published_cutoff: Decimal
    imprecision: Decimal
    spans: tuple[int, ...]
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Criterion:
    """An index and the cut-off in use."""

    index: Index
    cutoff: Decimal

    def value(self, draw: BloodDraw) -> Fraction:
        """Return the exact index of a draw. The draw must have lymphocytes above zero."""
        return index_of(self.index, *draw.results)

    def is_met(self, draw: BloodDraw) -> bool:
        """Tell whether the index of a draw lies above the cut-off."""
        return is_above(self.value(draw), self.cutoff)

    def shown(self, draw: BloodDraw) -> Decimal:
        """Return the index of a draw as it is printed."""
        return shown_beside(self.value(draw), self.cutoff)


def index_of(index: Index, platelets: LabResult, neutrophils: LabResult, lymphocytes: LabResult) -> Fraction:
    """Return the exact index of three results."""
    return index(platelets.quantity.value, neutrophils.quantity.value, lymphocytes.quantity.value)


def is_above(value: Fraction, cutoff: Decimal) -> bool:
    """Tell whether an index lies strictly above the cut-off, compared without rounding (Yu 2023: SII > 405.08)."""
    above, below = cutoff.as_integer_ratio()
    return value.numerator * below > above * value.denominator


def shown_beside(value: Fraction, cutoff: Decimal) -> Decimal:
    """Round an index to three decimals, or as many more as it takes to stay on its side of the cut-off.

    So "405.080 is above 405.08" is never printed for 405.0800001, and a value below never shows as above.
    """
    return _on_its_side(value, cutoff, _SHOWN_DECIMALS)


def whole_beside(value: Decimal, cutoff: Decimal) -> Decimal:
    """Round an index to a whole number, or to as many decimals as it takes to stay on its side of the cut-off.

    For texts: laboratory imprecision moves SII by tens (evidence.IMPRECISION_BAND), so digits after the point say
    nothing.
    """
    return _on_its_side(Fraction(value), cutoff, 0)


def _on_its_side(value: Fraction, cutoff: Decimal, decimals: int) -> Decimal:
    above = is_above(value, cutoff)
    while True:
        rounded = _rounded(value, decimals)
        if (rounded > cutoff) == above:
            return rounded
        decimals += 1


def _rounded(value: Fraction, decimals: int) -> Decimal:
    scaled, rest = divmod(value.numerator * 10**decimals, value.denominator)
    if (2 * rest, scaled % 2) >= (value.denominator, 1):
        # Above the half, or at it beside an odd digit.
        scaled += 1
    digits = len(str(abs(scaled))) + 1
    return Decimal(scaled).scaleb(-decimals, Context(prec=digits, rounding=ROUND_HALF_EVEN))
