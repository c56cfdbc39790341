"""Tail probabilities against exact rational arithmetic."""

from fractions import Fraction
from math import comb, exp, factorial

import pytest

from cds_service.insight.monitor.expectation import count_tail, share_tail


def exact_share_tail(part: int, whole: int, a: int, b: int, *, upper: bool) -> Fraction:
    """Beta-binomial with whole-numbered parameters: its beta functions are factorials (Skellam 1948)."""

    def beta(x: int, y: int) -> Fraction:
        return Fraction(factorial(x - 1) * factorial(y - 1), factorial(x + y - 1))

    counts = range(part, whole + 1) if upper else range(part + 1)
    return sum((comb(whole, k) * beta(k + a, whole - k + b) / beta(a, b) for k in counts), Fraction(0))


@pytest.mark.parametrize(
    ("part", "whole", "a", "b", "reason"),
    [
        (0, 10, 1, 9, "nothing seen: the upper tail is certain"),
        (10, 10, 1, 9, "all of them"),
        (3, 10, 1, 9, "in the middle"),
        (4, 4, 1, 99, "four of four of something rare"),
        (0, 400, 30, 30, "none of many"),
        (300, 400, 30, 30, "half as many again as expected"),
        (1, 1, 2, 3, "a single one"),
    ],
)
@pytest.mark.parametrize("upper", [True, False])
def test_share_tail_equals_exact_sum(part: int, whole: int, a: int, b: int, reason: str, upper: bool) -> None:
    found = share_tail(part, whole, a / (a + b), 1 / (a + b + 1), upper=upper)

    assert found == pytest.approx(float(exact_share_tail(part, whole, a, b, upper=upper)), rel=1e-8), reason


def test_share_tail_without_correlation_is_binomial() -> None:
    exact = sum(Fraction(comb(20, k)) * Fraction(1, 10) ** k * Fraction(9, 10) ** (20 - k) for k in range(7, 21))

    assert share_tail(7, 20, 0.1, 0.0, upper=True) == pytest.approx(float(exact), rel=1e-4)


def test_count_tail_without_dispersion_is_poisson() -> None:
    exact = sum(exp(-5.0) * 5.0**k / factorial(k) for k in range(12, 60))

    assert count_tail(12, 5.0, 1.0, upper=True) == pytest.approx(exact, rel=1e-4)
    assert count_tail(0, 5.0, 1.0, upper=False) == pytest.approx(exp(-5.0), rel=1e-4)


@pytest.mark.parametrize("upper", [True, False])
def test_count_tail_with_dispersion_is_negative_binomial(upper: bool) -> None:
    # Dispersion 3 and mean 8 make shape 4 and success probability 1/3.
    def mass(k: int) -> Fraction:
        return comb(k + 3, k) * Fraction(1, 3) ** 4 * Fraction(2, 3) ** k

    below, up_to = (sum((mass(k) for k in range(end)), Fraction(0)) for end in (14, 15))

    assert count_tail(14, 8.0, 3.0, upper=upper) == pytest.approx(float(1 - below if upper else up_to), rel=1e-8)


@pytest.mark.parametrize(
    ("count", "upper", "probability", "reason"),
    [
        (0, True, 1.0, "nothing due, nothing seen"),
        (3, True, 0.0, "something where nothing is due"),
        (3, False, 1.0, ""),
    ],
)
def test_count_tail_of_nothing_due(count: int, upper: bool, probability: float, reason: str) -> None:
    assert count_tail(count, 0.0, 1.5, upper=upper) == probability, reason


def test_share_tail_of_large_numbers_stays_finite() -> None:
    assert 0 < share_tail(7_000, 1_400_000, 0.004, 1e-6, upper=True) < 1e-20
    assert share_tail(5_600, 1_400_000, 0.004, 1e-6, upper=True) == pytest.approx(0.5, abs=0.02)
