"""The systemic immune-inflammation index.

Title      Systemic immune-inflammation index (SII)
Formula    platelets x neutrophils / lymphocytes
Variables  platelets in 10*9/L; neutrophils and lymphocytes both in 10*9/L or both as a share of the leukocytes,
           since the shared divisor cancels
Unit       10*9/L
Reference  Hu B et al., Clin Cancer Res 2014;20:6212 (definition, absolute counts)
Limits     undefined for zero lymphocytes; low platelets of cirrhosis lower it
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from cds_service.clinical.models import BloodDraw

_SHOWN_DECIMALS: Final = 3


def compute_sii(draw: BloodDraw) -> Fraction:
    """Return SII of a draw in 10*9/L, exact.

    The draw must have lymphocytes above zero; a draw without carries the problem zero-lymphocytes and is not
    computed.
    """
    platelets, neutrophils, lymphocytes = (result.quantity.value.as_integer_ratio() for result in draw.results)
    # Reduced once: multiplying and dividing three fractions costs five times as much.
    return Fraction(platelets[0] * neutrophils[0] * lymphocytes[1], platelets[1] * neutrophils[1] * lymphocytes[0])


def is_above(sii: Fraction, cutoff: Decimal) -> bool:
    """Tell whether SII lies strictly above the cut-off, compared without rounding (Yu 2023: SII > 405.08)."""
    above, below = cutoff.as_integer_ratio()
    return sii.numerator * below > above * sii.denominator


def shown_sii(sii: Fraction, cutoff: Decimal) -> Decimal:
    """Round SII to three decimals, or as many more as it takes to stay on its side of the cut-off.

    So "405.080 is above 405.08" is never printed for 405.0800001, and a value below never shows as above.
    """
    return _on_its_side(sii, cutoff, _SHOWN_DECIMALS)


def whole_sii(sii: Decimal, cutoff: Decimal) -> Decimal:
    """Round SII to a whole number, or to as many decimals as it takes to stay on its side of the cut-off.

    For texts: laboratory imprecision moves SII by tens (evidence.IMPRECISION_BAND), so digits after the point say
    nothing.
    """
    return _on_its_side(Fraction(sii), cutoff, 0)


def _on_its_side(sii: Fraction, cutoff: Decimal, decimals: int) -> Decimal:
    above = is_above(sii, cutoff)
    while True:
        rounded = _rounded(sii, decimals)
        if (rounded > cutoff) == above:
            return rounded
        decimals += 1


def _rounded(sii: Fraction, decimals: int) -> Decimal:
    scaled, rest = divmod(sii.numerator * 10**decimals, sii.denominator)
    if (2 * rest, scaled % 2) >= (sii.denominator, 1):
        # Above the half, or at it beside an odd digit.
        scaled += 1
    digits = len(str(abs(scaled))) + 1
    return Decimal(scaled).scaleb(-decimals, Context(prec=digits, rounding=ROUND_HALF_EVEN))
