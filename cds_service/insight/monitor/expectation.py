"""What is usual, learned from the baseline: rates, the days of the week, and how much days differ by themselves.

Days differ more than chance explains: the same inpatients come back, clinics have their days. This overdispersion is
measured on days and on weeks, as in Laney's p'-chart (Laney 2002, Quality Engineering 14:531), and where the baseline
is too small to tell it is taken to be what is assumed here, never less.

How probable a count is follows from it, exactly: shares are beta-binomial (Skellam 1948), counts negative binomial. The
tail is summed outwards from the observed count by the ratio of neighbouring probabilities, so that no distribution
function of a library is needed.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, lgamma, log, sqrt
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Counts = NDArray[np.int64]
    Numbers = NDArray[np.float64]

_WEEK: Final = 7
# Saturday and Sunday, as `date.weekday` counts.
_WEEKEND: Final = 5
_SUNDAY: Final = 6
# A workday with fewer hooks than this many times those of a Sunday is like one.
_LIKE_SUNDAY: Final = 1.75
# Pseudo-observations that pull the rate of weekends towards that of all days.
_PULL: Final = 50
# Overdispersion where the baseline cannot tell it, with the weight of as many days.
_ASSUMED: Final = 1.5
_ASSUMED_WEIGHT: Final = 10
_MOST_CORRELATION: Final = 0.3
# Variance of a mean without the two outermost of eight over that of the mean of all, for normal values.
_TRIMMED_VARIANCE: Final = 1.1
# Beyond this many standard deviations from the observed count nothing is left to add.
_REACH: Final = 14
_LEAST: Final = 1e-12
# Smaller correlations are taken for this one: the logarithms of factorials would lose their digits.
_LEAST_CORRELATION: Final = 1e-8


@dataclass(frozen=True, slots=True)
class UsualShare:
    """The usual rate on workdays and weekends; `dispersion` by day and by week (variance over that of chance).

    `whole` is the number it was learned from; 0 when there is no baseline for it.
    """

    part: int
    whole: int
    workday: float
    weekend: float
    dispersion: float
    weekly_dispersion: float

    def rates(self, weekdays: Counts) -> Numbers:
        """Return the usual rate for each of some days of the week (Monday is 0)."""
        return np.where(weekdays < _WEEKEND, self.workday, self.weekend)

    def correlation(self, whole: int, days: int) -> float:
        """Return the correlation within a count over some days, with the uncertainty of the baseline itself."""
        long_run = max(self.dispersion, self.weekly_dispersion, _ASSUMED)
        between = ((self.dispersion if days < _WEEK else long_run) - 1) / max(whole - 1, 1)
        return min(between, _MOST_CORRELATION) + long_run / (self.whole + long_run)


def learn_share(part: Counts, whole: Counts, weekdays: Counts) -> UsualShare:
    """Learn from the counts of consecutive baseline days."""
    x, n = int(part.sum()), int(whole.sum())
    rate = (x + 0.5) / (n + 1)
    weekend = weekdays >= _WEEKEND
    rates = [
        (int(part[chosen].sum()) + _PULL * rate) / (int(whole[chosen].sum()) + _PULL) for chosen in (~weekend, weekend)
    ]
    days = np.stack([part, whole, whole * np.where(weekend, rates[1], rates[0])])
    daily = _dispersion(days, _ASSUMED)
    weekly = _dispersion(_by_week(days), daily)
    return UsualShare(x, n, rates[0], rates[1], daily, weekly)


def _dispersion(counts: Numbers, assumed: float) -> float:
    """Estimate the variance over that of chance, one standard error up, pulled towards what is assumed.

    The rows are part, whole and the part that was due.
    """
    x, n, e = counts[:, counts[1] > 0]
    chance = e * (1 - e / n)
    # Days on which next to nothing is due tell next to nothing.
    weight = float(np.minimum(chance, 1).sum())
    squares = float((np.minimum(chance, 1) * (x - e) ** 2 / chance).sum())
    weight = max(weight - 1, 0)
    found = (squares + _ASSUMED_WEIGHT * assumed) / (weight + _ASSUMED_WEIGHT)
    return max(1.0, found * (1 + sqrt(2 * weight) / (weight + _ASSUMED_WEIGHT)))


def _by_week(counts: Numbers) -> Numbers:
    """Add up whole weeks, the newest ones; what is left over at the beginning is dropped."""
    rows, days = counts.shape
    weeks: Numbers = counts[:, days % _WEEK :].reshape(rows, -1, _WEEK).sum(axis=2)
    return weeks


@dataclass(frozen=True, slots=True)
class UsualVolume:
    """The usual number of hooks on each day of the week, learned from some weeks.

    `dispersion` is the variance of a day over that of chance; `relative` is what of it grows with the number due.
    """

    by_weekday: tuple[float, ...]
    weeks: float
    dispersion: float
    relative: float

    def expected(self, weekdays: Counts) -> Numbers:
        """Return the usual number for each of some days of the week (Monday is 0)."""
        return np.asarray(self.by_weekday)[weekdays]

    def like_weekdays(self, counts: Counts, weekdays: Counts) -> Counts:
        """Return the days of the week with quiet workdays as Sundays: public holidays have the patients of Sundays."""
        sunday = self.by_weekday[_SUNDAY]
        quiet = (counts < _LIKE_SUNDAY * sunday) & (sunday < self.expected(weekdays) / 2)
        return np.where(quiet, _SUNDAY, weekdays)

    def dispersion_of(self, expected: float, days: int) -> float:
        """Return the variance over that of chance for a number due over some days, baseline's own included."""
        of_days = 1 + expected / days * self.relative
        return of_days * (1 + _TRIMMED_VARIANCE / self.weeks * max(1.0, days / _WEEK))


def learn_volume(counts: Counts, weekdays: Counts) -> UsualVolume:
    """Learn from the hooks of consecutive baseline days; a public holiday among them does not count."""
    by_weekday = tuple(_trimmed_mean(counts[weekdays == day], counts) for day in range(_WEEK))
    expected = np.asarray(by_weekday)[weekdays]
    due, weeks = expected > 0, len(counts) / _WEEK
    if not due.any():
        return UsualVolume(by_weekday, weeks, 1.0, 0.0)
    residuals = (counts[due] - expected[due]) / np.sqrt(expected[due])
    # 1.4826 times the median distance estimates the standard deviation, holidays aside; its variance is 2.7 times
    # that of the usual estimate.
    variance = (1.4826 * float(np.median(np.abs(residuals)))) ** 2 * len(counts) / (len(counts) - _WEEK)
    dispersion = max(_ASSUMED, variance * (1 + sqrt(2 * 2.7 / len(residuals))))
    return UsualVolume(by_weekday, weeks, dispersion, (dispersion - 1) / float(expected[due].mean()))


def _trimmed_mean(counts: Counts, everything: Counts) -> float:
    """Return the mean without the lowest and the highest; of everything where there are no counts."""
    if len(counts) == 0:
        return float(everything.mean())
    return float(np.sort(counts)[1:-1].mean()) if len(counts) > 2 else float(np.median(counts))


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
