"""Neutrophils and lymphocytes on one basis: counts first, else shares of both, and the check of one by the other.

The ratio N/L is the same for counts and for shares of the leukocytes; mixing a share with a count is not a ratio of
anything and is the worst silent error of all.
"""

from __future__ import annotations

from decimal import Context, Decimal
from typing import TYPE_CHECKING, NamedTuple

from cds_service.clinical.reasons import Reason

if TYPE_CHECKING:
    from cds_service.normalization.observed import ObservedResult
    from fhir_mappings.models import DifferentialLimits

# Products of three values of at most 34 digits stay exact.
_EXACT = Context(prec=150)


class SharePair(NamedTuple):
    """Neutrophils and lymphocytes as shares of the leukocytes, both in canonical fractions."""

    neutrophils: ObservedResult
    lymphocytes: ObservedResult


def read_shares(
    neutrophils: ObservedResult, lymphocytes: ObservedResult, limits: DifferentialLimits
) -> SharePair | tuple[tuple[ObservedResult, Reason], ...]:
    """Return the pair of shares, or the results that may not be used with their reasons.

    Values of at most 1 under a percent unit: when both are, they are fractions under a wrong label and their ratio is
    right; when only one is, it is refused as fraction-mislabelled, unless as a fraction it would take the two above
    101 %: then it is a percentage, as in severe lymphopenia. Two shares of more than 101 % together are implausible.
    Zero lymphocytes are no fraction; they are judged by the draw.
    """
    doubtful = [r for r in (neutrophils, lymphocytes) if is_doubtful_share(r)]
    if lymphocytes.value == 0:
        doubtful = []
    if len(doubtful) == 1:
        one, other = doubtful[0], lymphocytes if doubtful[0] is neutrophils else neutrophils
        if one.number + other.value <= limits.sum_max:
            return ((one, Reason.FRACTION_MISLABELLED),)
        if one.value < one.measure.limits.low:
            return ((one, Reason.IMPLAUSIBLE),)
        doubtful = []
    pair = SharePair(neutrophils, lymphocytes)
    if doubtful:
        pair = SharePair(as_fraction(neutrophils), as_fraction(lymphocytes))
    if pair.neutrophils.value + pair.lymphocytes.value > limits.sum_max:
        return ((neutrophils, Reason.IMPLAUSIBLE), (lymphocytes, Reason.IMPLAUSIBLE))
    return pair


def disagree(counts: tuple[Decimal, Decimal], shares: tuple[Decimal, Decimal], limit: Decimal) -> bool:
    """Tell whether N/L of counts and N/L of shares differ by more than `limit` of the former.

    Both pairs are (neutrophils, lymphocytes). |Nc/Lc - Ns/Ls| / (Nc/Lc) > limit, multiplied out so that nothing is
    rounded. Shares without lymphocytes beside counts with lymphocytes always disagree.
    """
    expected = _EXACT.multiply(counts[0], shares[1])
    found = _EXACT.multiply(shares[0], counts[1])
    return abs(_EXACT.subtract(expected, found)) > _EXACT.multiply(limit, expected)


def is_doubtful_share(result: ObservedResult) -> bool:
    """Tell whether a share came under a percent unit with a value of at most 1."""
    return result.value != result.number and result.number <= 1


def as_fraction(result: ObservedResult) -> ObservedResult:
    """Read a share under a percent unit as the fraction that it says."""
    return result._replace(value=result.number)
