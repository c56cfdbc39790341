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

from fractions import Fraction
from typing import TYPE_CHECKING, Final

from cds_service.clinical.evidence import IMPRECISION_BAND, PUBLISHED_CUTOFF, RULE_VERSION
from cds_service.clinical.rule import Rule

if TYPE_CHECKING:
    from decimal import Decimal


def compute_sii(platelets: Decimal, neutrophils: Decimal, lymphocytes: Decimal) -> Fraction:
    """Return SII in 10*9/L, exact. Lymphocytes are above zero."""
    p, n, ly = platelets.as_integer_ratio(), neutrophils.as_integer_ratio(), lymphocytes.as_integer_ratio()
    # Reduced once: multiplying and dividing three fractions costs five times as much.
    return Fraction(p[0] * n[0] * ly[1], p[1] * n[1] * ly[0])


# About equal steps on a logarithmic axis, since SII is far from symmetric.
_SPANS: Final = (10, 18, 32, 56, 100, 140, 200, 280, 400, 560, 800, 1120, 1600, 3200, 10_000, 100_000)

SII_RULE: Final = Rule(
    version=RULE_VERSION,
    index=compute_sii,
    published_cutoff=PUBLISHED_CUTOFF,
    imprecision=IMPRECISION_BAND[1],
    spans=_SPANS,
    unit="10⁹/L",
)
