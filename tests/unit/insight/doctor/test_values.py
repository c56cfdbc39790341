"""How values stand to their unit: by their median, and by how many fall out of the plausible range."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cds_service.insight.doctor.evidence import Evidence
from cds_service.insight.doctor.judging.case import Case
from cds_service.insight.doctor.judging.values import Fit, judge_values
from cds_service.insight.doctor.lookalikes import load_lookalikes
from cds_service.insight.doctor.masking import Mask
from cds_service.insight.doctor.names import NameBook
from tests.unit.decision.asking import SITE
from tests.unit.insight.doctor.examining import OPTIONS

if TYPE_CHECKING:
    from collections.abc import Sequence

CASE = Case(Evidence.empty(SITE, OPTIONS), Mask(), load_lookalikes(), NameBook())


def around(middle: float, count: int = 20) -> list[float]:
    """Values from four fifths to six fifths of their middle."""
    return [middle * (0.8 + 0.4 * n / (count - 1)) for n in range(count)]


@pytest.mark.parametrize(
    ("analyte", "basis", "values", "kind", "power", "reason"),
    [
        ("platelets", "count", around(180), "fits", 1, "healthy"),
        ("platelets", "count", around(45), "fits", 1, "cirrhosis"),
        ("platelets", "count", around(180_000), "shifted", 0.001, "per µL"),
        ("platelets", "count", around(0.18), "shifted", 1000, "10*12/L, or 10*9/L labelled /uL"),
        ("platelets", "count", around(18), "shifted", 10, "in ten thousands, as in China and Japan"),
        ("platelets", "count", around(1.8), "shifted", 100, "in lakhs, as in India"),
        ("neutrophils", "count", around(4200), "shifted", 0.001, "per µL"),
        ("neutrophils", "count", around(62), "shifted", 0.1, "percentages, all within the plausible range of counts"),
        ("lymphocytes", "count", around(28), "shifted", 0.1, "percentages"),
        ("neutrophils", "percent", around(0.62), "fits", 1, "percent, canonical"),
        ("neutrophils", "percent", around(0.0062), "shifted", 100, "fractions labelled percent"),
        ("neutrophils", "percent", around(0.042), "shifted", 10, "counts labelled percent"),
        ("albumin", "mass", around(40), "fits", 1, "g/L"),
        ("albumin", "mass", around(4.0), "shifted", 10, "g/dL labelled g/L"),
        ("albumin", "mass", around(400), "shifted", 0.1, "g/L labelled g/dL"),
        ("albumin", "moles", around(40), "fits", 1, "µmol/L has a factor of its own"),
        ("lymphocytes", "count", around(8.0), "unusual", 1, "no power of ten leads to a usual median"),
        ("platelets", "count", [*around(180), *around(180_000)], "partly", 0.001, "two analyzers"),
        ("platelets", "count", [*around(180), 180_000.0], "fits", 1, "one slip of the pen"),
        ("lymphocytes", "count", [*around(1.6), *[0.0] * 12], "fits", 1, "zeros are findings, not slips of unit"),
        ("platelets", "count", around(180_000, 9), "too-few", 1, "nine values"),
    ],
)
def test_values_are_judged_by_their_unit(
    analyte: str, basis: str, values: Sequence[float], kind: str, power: float, reason: str
) -> None:
    verdict = judge_values(values, 20, analyte, basis, CASE)

    assert (verdict.kind, verdict.power) == (kind, power), reason


def test_values_of_few_patients_are_not_judged() -> None:
    assert judge_values(around(180_000), 4, "platelets", "count", CASE) == Fit("too-few")


def test_leukocytes_have_no_typical_values() -> None:
    assert judge_values(around(6.5), 20, "leukocytes", "count", CASE) == Fit("too-few")
