"""Numbers as a clinician reads them: what was sent, what it means, and never a digit changed."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from cds_service.cards import numbers
from cds_service.cards.wording import texts_in
from cds_service.clinical.models import Analyte, Basis, EffectiveTime
from tests.unit.cards.assessments import reported

ENGLISH = texts_in("en")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("210", "210"),
        ("6.10", "6.1"),
        ("100", "100"),
        ("0.0", "0"),
        ("1E+2", "100"),
        ("1E-7", "0.0000001"),
        ("1.5000", "1.5"),
        ("1." + "1" * 33, "1." + "1" * 33),
    ],
)
def test_plain_number_has_neither_exponent_nor_idle_zeros(value: str, text: str) -> None:
    assert numbers.plain(Decimal(value)) == text


COUNT, SHARE = None, Basis.PERCENT


@pytest.mark.parametrize(
    ("analyte", "value", "unit", "canonical", "basis", "text", "reason"),
    [
        ("platelets", "210", "10*9/L", "210", COUNT, "210 ×10⁹/L", "as sent"),
        ("platelets", "210", "K/uL", "210", COUNT, "210 K/uL", "another name of the same unit"),
        ("platelets", "210.0", "G/L", "210.0", COUNT, "210.0 G/L", "decimals as sent"),
        ("platelets", "2.1E+2", "G/L", "210", COUNT, "210 G/L", "no exponent"),
        ("platelets", "179220", "/uL", "179.220", COUNT, "179220 /uL = 179.22 ×10⁹/L", "another unit"),
        ("platelets", "1.7922", "Lakhs/cumm", "179.22", COUNT, "1.7922 Lakhs/cumm = 179.22 ×10⁹/L", "another unit"),
        ("neutrophils", "70", "%", "0.70", SHARE, "70 %", "a percentage as sent"),
        ("neutrophils", "70.0", "% of WBC", "0.700", SHARE, "70.0 % of WBC", "decimals as sent"),
        ("neutrophils", "0.70", "%", "0.70", SHARE, "0.70 % (read as a fraction: 70 %)", "a fraction by a wrong label"),
        ("neutrophils", "0.70", "1", "0.70", SHARE, "0.70 (read as a fraction: 70 %)", "a pure fraction"),
        ("neutrophils", "0.70", "", "0.70", SHARE, "0.70 (read as a fraction: 70 %)", "a fraction without unit"),
        ("lymphocytes", "0", "10*9/L", "0", COUNT, "0 ×10⁹/L", "zero"),
    ],
)
def test_reported_count_shows_what_was_sent_and_what_it_means(
    analyte: str, value: str, unit: str, canonical: str, basis: Basis | None, text: str, reason: str
) -> None:
    assert numbers.reported(reported(Analyte(analyte), value, unit, canonical, basis), ENGLISH) == text, reason


@pytest.mark.parametrize(
    ("value", "unit", "canonical", "text", "reason"),
    [
        ("38", "g/L", "38", "38 g/L", "the unit of the card"),
        ("3.8", "g/dL", "38.0", "38 g/L (reported as 3.8 g/dL)", "ten times"),
        ("3800", "mg/dL", "38.00", "38 g/L (reported as 3800 mg/dL)", "a hundredth"),
        ("38", "gm/L", "38", "38 g/L (reported as 38 gm/L)", "another name of the unit"),
        ("38.0", "g/L", "38.0", "38 g/L (reported as 38.0 g/L)", "idle zeros are shown as sent"),
        ("613", "umol/L", "40.7645", "approximately 40.8 g/L (reported as 613 umol/L)", "the molar mass is not exact"),
        ("0.6", "mmol/L", "39.90", "approximately 39.9 g/L (reported as 0.6 mmol/L)", "the molar mass is not exact"),
        ("600", "odd text", "39.9000", "approximately 39.9 g/L (reported as 600 odd text)", "told by the value alone"),
    ],
)
def test_albumin_is_shown_in_grams_per_liter(value: str, unit: str, canonical: str, text: str, reason: str) -> None:
    assert numbers.albumin(reported(Analyte.ALBUMIN, value, unit, canonical), ENGLISH) == text, reason


@pytest.mark.parametrize(
    ("basis", "canonical", "text"),
    [(COUNT, "1.80", "1.8"), (SHARE, "0.255", "25.5"), (SHARE, "0." + "3" * 34, "33." + "3" * 32), (SHARE, "1", "100")],
)
def test_factor_of_the_formula_is_the_bare_number(basis: Basis | None, canonical: str, text: str) -> None:
    assert numbers.factor_text(reported(Analyte.LYMPHOCYTES, "1", "x", canonical, basis)) == text


@pytest.mark.parametrize(
    ("offset", "clock", "text"),
    [
        (None, None, "2026-03-01"),
        (8, "07:05", "2026-03-01 07:05 UTC+08:00"),
        (0, "23:59", "2026-03-01 23:59 UTC"),
    ],
)
def test_moment_carries_its_zone(offset: int | None, clock: str | None, text: str) -> None:
    instant = None
    if offset is not None:
        instant = datetime.fromisoformat(f"2026-03-01T{clock}").replace(tzinfo=timezone(timedelta(hours=offset)))

    assert numbers.moment(EffectiveTime(date(2026, 3, 1), instant)) == text
