"""Exact tail probabilities of counts that vary more than chance alone explains.

Shares: beta-binomial, Skellam 1948. Counts: negative binomial. The tail is summed outwards from the observed count
by the ratio of neighbouring probabilities, so that no distribution function of a library is needed.
"""

from __future__ import annotations

from math import exp, lgamma, log, sqrt
from typing import Final

import numpy as np

# Beyond this many standard deviations from the observed count nothing is left to add.
_REACH: Final = 14
_LEAST: Final = 1e-12
# Smaller correlations are taken for this one: the logarithms of factorials would lose their digits.
_LEAST_CORRELATION: Final = 1e-8


def share_tail(part: int, whole: int, expected: float, correlation: float, *, upper: bool) -> float:
    """Probability that `part` or more (`upper`), or fewer, of `whole` have a property of probability `expected`.

    `correlation` is that of two members of the whole (0: binomial), in [0, 1).
    """
    p = min(max(expected, _LEAST), 1 - _LEAST)
    total = 1 / max(correlation, _LEAST_CORRELATION) - 1
    a, b = p * total, (1 - p) * total
    if not upper:
        part, a, b = whole - part, b, a
    start = _log_choose(whole, part) + _log_beta(part + a, whole - part + b) - _log_beta(a, b)
    deviation = sqrt(whole * p * (1 - p) * (1 + (whole - 1) * correlation))
    k = np.arange(part, min(whole, part + int(_REACH * deviation) + 50), dtype=float)
    ratios = (whole - k) * (k + a) / ((k + 1) * (whole - k - 1 + b))
    return min(1.0, exp(start) * (1 + float(np.cumprod(ratios).sum())))


def count_tail(count: int, expected: float, dispersion: float, *, upper: bool) -> float:
    """Probability of `count` or more (`upper`), or fewer, where `expected` are due; the variance is `dispersion` times
    that of chance alone (at least 1: Poisson).
    """
    if expected <= 0:
        return 1.0 if count == 0 or not upper else 0.0
    shape = expected / max(dispersion - 1, 1e-9)
    ratio = expected / (expected + shape)
    start = lgamma(count + shape) - lgamma(shape) - lgamma(count + 1) + shape * log(1 - ratio) + count * log(ratio)
    if upper:
        reach = int(_REACH * sqrt(expected * dispersion)) + 50
        k = np.arange(count, count + reach, dtype=float)
        ratios = (k + shape) / (k + 1) * ratio
    else:
        k = np.arange(count, 0, -1, dtype=float)
        ratios = k / (k - 1 + shape) / ratio
    return min(1.0, exp(start) * (1 + float(np.cumprod(ratios).sum())))


def _log_choose(n: int, k: int) -> float:
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)


def _log_beta(a: float, b: float) -> float:
    return lgamma(a) + lgamma(b) - lgamma(a + b)
