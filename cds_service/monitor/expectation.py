"""What is usual, learned from the baseline: rates, the days of the week, and how much days differ by themselves.

Days differ more than chance explains: the same inpatients come back, clinics have their days. This overdispersion is
measured on days and on weeks, as in Laney's p'-chart (Laney 2002, Quality Engineering 14:531), and where the baseline
is too small to tell it is taken to be what is assumed here, never less.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Counts = NDArray[np.int64]
    Numbers = NDArray[np.float64]

_WEEK: Final = 7
# Saturday and Sunday, as `date.weekday` counts.
_WEEKEND: Final = 5
# Pseudo-observations that pull the rate of weekends towards that of all days.
_PULL: Final = 50
# Overdispersion where the baseline cannot tell it, with the weight of as many days.
_ASSUMED: Final = 1.5
_ASSUMED_WEIGHT: Final = 10
_MOST_CORRELATION: Final = 0.3
# Variance of a median over that of a mean, for normal values: pi / 2.
_MEDIAN_VARIANCE: Final = 1.57


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
        dispersion = self.dispersion if days < _WEEK else max(self.dispersion, self.weekly_dispersion)
        between = (dispersion - 1) / max(whole - 1, 1)
        return min(between, _MOST_CORRELATION) + dispersion / (self.whole + dispersion)


def learn_share(part: Counts, whole: Counts, weekdays: Counts) -> UsualShare:
    """Learn from the counts of consecutive baseline days."""
    x, n = int(part.sum()), int(whole.sum())
    rate = (x + 0.5) / (n + 1)
    weekend = weekdays >= _WEEKEND
    rates = [
        (int(part[chosen].sum()) + _PULL * rate) / (int(whole[chosen].sum()) + _PULL) for chosen in (~weekend, weekend)
    ]
    expected = whole * np.where(weekend, rates[1], rates[0])
    daily = _dispersion(part, whole, expected, _ASSUMED)
    weekly = _dispersion(_by_week(part), _by_week(whole), _by_week(expected), daily)
    return UsualShare(x, n, rates[0], rates[1], daily, weekly)


def _dispersion(part: Counts, whole: Counts, expected: Numbers, assumed: float) -> float:
    """Estimate the variance over that of chance, one standard error up, pulled towards what is assumed."""
    seen = whole > 0
    x, n, e = part[seen], whole[seen], expected[seen]
    chance = e * (1 - e / n)
    # Days on which next to nothing is due tell next to nothing.
    weight = float(np.minimum(chance, 1).sum())
    squares = float((np.minimum(chance, 1) * (x - e) ** 2 / chance).sum())
    weight = max(weight - 1, 0)
    found = (squares + _ASSUMED_WEIGHT * assumed) / (weight + _ASSUMED_WEIGHT)
    return max(1.0, found * (1 + sqrt(2 / (weight + _ASSUMED_WEIGHT))))


def _by_week(values: NDArray[np.generic]) -> NDArray[np.generic]:
    """Add up whole weeks, the newest ones; what is left over at the beginning is dropped."""
    kept = len(values) - len(values) % _WEEK
    return values[len(values) - kept :].reshape(-1, _WEEK).sum(axis=1)


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

    def dispersion_of(self, expected: float, days: int) -> float:
        """Return the variance over that of chance for a number due over some days, baseline's own included."""
        of_days = 1 + expected / days * self.relative
        return of_days * (1 + _MEDIAN_VARIANCE / self.weeks * max(1.0, days / _WEEK))


def learn_volume(counts: Counts, weekdays: Counts) -> UsualVolume:
    """Learn from the hooks of consecutive baseline days; medians, so that a public holiday does not count."""
    by_weekday = tuple(
        float(np.median(counts[weekdays == day])) if (weekdays == day).any() else float(counts.mean())
        for day in range(_WEEK)
    )
    expected = np.asarray(by_weekday)[weekdays]
    due, weeks = expected > 0, len(counts) / _WEEK
    if not due.any():
        return UsualVolume(by_weekday, weeks, 1.0, 0.0)
    residuals = (counts[due] - expected[due]) / np.sqrt(expected[due])
    # 1.4826 times the median distance estimates the standard deviation, holidays aside.
    spread = 1.4826 * float(np.median(np.abs(residuals)))
    dispersion = max(_ASSUMED, spread**2 * (1 + sqrt(2 / len(residuals))))
    return UsualVolume(by_weekday, weeks, dispersion, (dispersion - 1) / float(expected[due].mean()))
