"""SII: the arithmetic is exact, the comparison strict, and what is shown stays on its side of the cut-off."""

from __future__ import annotations

from decimal import Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.clinical.evidence import PUBLISHED_CUTOFF
from cds_service.clinical.rule import Criterion, is_above, shown_beside, whole_beside
from cds_service.clinical.sii import compute_sii
from tests.unit.clinical.values import at, draw

TAKEN = at("2026-03-01")
CRITERION = Criterion(compute_sii, PUBLISHED_CUTOFF)


# Expected values: facts of the study and long division by hand (clinical facts, section 5, test vectors).
@pytest.mark.parametrize(
    ("values", "sii", "reason"),
    [
        (("179.22", "0.70", "0.25"), Fraction("501.816"), "means of the study's recurrence group"),
        (("160.81", "0.64", "0.30"), Fraction("343.061") + Fraction(1, 3000), "means of the control group: no end"),
        (("405.08", "1", "1"), Fraction("405.08"), "the cut-off itself"),
        (("210", "6", "1.8"), Fraction(700), "0.1 has no binary form: floats would give 699.9999999999999"),
        (("5", "0.1", "100"), Fraction("0.005"), "the smallest plausible counts"),
        (("2000", "100", "0.05"), Fraction(4_000_000), "the largest plausible counts"),
        (("200", "1", "3"), Fraction(200, 3), "one third is kept, not rounded"),
        (("1" * 34, "1", "1"), Fraction(int("1" * 34)), "34 digits are more than a decimal context holds by default"),
    ],
)
def test_sii_of_counts_is_exact(values: tuple[str, str, str], sii: Fraction, reason: str) -> None:
    assert CRITERION.value(draw(TAKEN, values)) == sii, reason


def test_sii_under_a_coarse_decimal_context_is_exact_all_the_same() -> None:
    with localcontext() as context:
        context.prec = 3
        assert CRITERION.value(draw(TAKEN, ("179.22", "0.70", "0.25"))) == Fraction("501.816")


@pytest.mark.parametrize(
    ("sii", "cutoff", "above", "reason"),
    [
        ("405.08", "405.08", False, "strictly above: equal is not above"),
        ("405.081", "405.08", True, "the smallest step in print"),
        ("405.079", "405.08", False, "below"),
        ("405.08000000000000000000000000000000001", "405.08", True, "compared unrounded"),
        ("405.07999999999999999999999999999999999", "405.08", False, "compared unrounded"),
        ("330", "330", False, "a cut-off of the site"),
        ("330.001", "330", True, "a cut-off of the site"),
    ],
)
def test_sii_beside_the_cutoff_is_compared_strictly(sii: str, cutoff: str, above: bool, reason: str) -> None:
    assert is_above(Fraction(sii), Decimal(cutoff)) is above, reason


@pytest.mark.parametrize(
    ("sii", "cutoff", "shown", "reason"),
    [
        ("501.816", "405.08", "501.816", "three decimals"),
        ("700", "405.08", "700.000", "three decimals where none are needed"),
        ("343.0613333", "405.08", "343.061", "rounded down"),
        ("711.6667", "405.08", "711.667", "rounded up"),
        ("500.0005", "405.08", "500.000", "halves go to the even digit: down"),
        ("500.0015", "405.08", "500.002", "and up"),
        ("500.00050001", "405.08", "500.001", "more than half"),
        ("405.0800001", "405.08", "405.0800001", "405.080 would not be above"),
        ("405.0804", "405.08", "405.0804", "a decimal more is enough"),
        ("405.0806", "405.08", "405.081", "three decimals are above already"),
        ("405.08", "405.08", "405.080", "equal is not above, nor is 405.080"),
        ("405.0799999", "405.08", "405.080", "not above, and 405.080 is not above 405.08"),
        ("329.9999", "329.9996", "330.000", "above on a cut-off with four decimals"),
        ("329.9995", "329.9996", "329.9995", "330.000 would be above: decimals grow below the cut-off too"),
        ("329.99959", "329.9996", "329.9996", "the cut-off itself is not above itself"),
        ("329.99961", "329.9996", "330.000", "above, and shown above"),
        ("0.00001", "405.08", "0.000", "far below: nothing to tell apart"),
        ("4000000", "405.08", "4000000.000", "no exponent"),
    ],
)
def test_shown_sii_stays_on_its_side(sii: str, cutoff: str, shown: str, reason: str) -> None:
    assert f"{shown_beside(Fraction(sii), Decimal(cutoff))}" == shown, reason


@pytest.mark.parametrize(
    ("sii", "whole", "reason"),
    [
        ("711.667", "712", "a whole number"),
        ("404.5", "404", "half goes to the even one"),
        ("403.5", "404", "the other way"),
        ("405.08", "405", "at the cut-off, which is not above it"),
        ("405.081", "405.1", "405 would show below"),
        ("405.3", "405.3", "one decimal is enough"),
        ("405.079", "405", "405 shows below, as it is"),
        ("405.5", "406", "above, and shown above"),
    ],
)
def test_whole_sii_stays_on_its_side(sii: str, whole: str, reason: str) -> None:
    assert f"{whole_beside(Decimal(sii), PUBLISHED_CUTOFF):f}" == whole, reason


def test_shown_sii_next_to_the_cutoff_has_as_many_decimals_as_it_takes() -> None:
    tiny = Fraction(1, 10**60)

    shown = shown_beside(Fraction(PUBLISHED_CUTOFF) + tiny, PUBLISHED_CUTOFF)

    assert f"{shown}" == "405.08" + "0" * 57 + "1"


counts = st.decimals(min_value=Decimal("0.05"), max_value=2000, places=3)


@given(platelets=counts, neutrophils=counts, lymphocytes=counts)
def test_shown_sii_of_any_counts_never_contradicts_the_outcome(
    platelets: Decimal, neutrophils: Decimal, lymphocytes: Decimal
) -> None:
    sii = Fraction(platelets) * Fraction(neutrophils) / Fraction(lymphocytes)

    shown = shown_beside(sii, PUBLISHED_CUTOFF)

    assert (shown > PUBLISHED_CUTOFF) == (sii > Fraction(PUBLISHED_CUTOFF))
    assert abs(Fraction(shown) - sii) <= Fraction(1, 2000)


@given(st.fractions(min_value=-1, max_value=1, max_denominator=10**12))
def test_shown_sii_near_the_cutoff_is_as_short_as_it_may_be(distance: Fraction) -> None:
    cutoff = Fraction(PUBLISHED_CUTOFF)
    sii = cutoff + distance / 10**6

    shown = shown_beside(sii, PUBLISHED_CUTOFF)
    decimals = -int(shown.as_tuple().exponent)

    assert (shown > PUBLISHED_CUTOFF) == (sii > cutoff)
    assert decimals == 3 or (Fraction(round(sii * 10 ** (decimals - 1)), 10 ** (decimals - 1)) > cutoff) != (
        sii > cutoff
    )
