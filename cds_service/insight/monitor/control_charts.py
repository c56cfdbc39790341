"""Is a day still usual? Each chart looks at the newest 1, 7, 14 and 28 days together, by exact tail probabilities.

One day finds what breaks at once, weeks find what drifts, or what a small hospital sees too seldom.
A chart signals when the probability of what was seen is below `limit` and the change is large enough to matter.
From when to when a measure was unusual is an episode; it begins where the change began, not where it was noticed.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from cds_service.insight.monitor.expectation import count_tail, share_tail
from cds_service.insight.monitor.measures import FALL, RISE

if TYPE_CHECKING:
    from collections.abc import Callable

    from cds_service.insight.monitor.expectation import Counts, Numbers, UsualShare, UsualVolume

WINDOWS: Final = (1, 7, 14, 28)
# Smallest changes that matter: odds of a share, and the number of hooks, over what is usual.
_LEAST_ODDS: Final = 1.5
_LEAST_RATIO: Final = 1.4
# Nothing nearer to what is usual than this many standard deviations has a probability that matters.
_NEAR: Final = 2.0
# Public holidays that a window of at most so many days may hold; a single quiet workday may be one, too.
_HOLIDAYS: Final = ((1, 1), (7, 2), (28, 3))
_SUNDAY: Final = 6
# An episode has ended when the days after it speak for the usual by odds of twenty to one.
_ENDED: Final = 3.0
# How far back a change may have begun before it is noticed.
_LOOK_BACK: Final = 56


class ControlChart(ABC):
    """One measure over the judged days, against what is usual."""

    def __init__(self, counts: Counts, expected: Numbers, directions: tuple[str, ...]) -> None:
        self.counts = counts
        self.expected = expected
        self.directions = directions
        self._counted = _running(counts)
        self._due = _running(expected)

    def signal(self, first: int, last: int, limit: float) -> str | None:
        """Tell in which direction the days up to `last`, but not before `first`, are unusual; None when they are not.

        Days are positions.
        """
        for days in WINDOWS:
            start = max(first, last - days + 1)
            direction = self._direction(start, last)
            if direction in self.directions and self._tail(start, last, direction) < limit:
                return direction
            if start == first:
                break
        return None

    def since_when(self, first: int, last: int) -> int:
        """Return the day from `first` on since when the days up to `last` differ most from what is usual."""
        gains = [self.gains(start, last, self.rate(start, last)).sum() for start in range(first, last + 1)]
        return first + int(np.argmax(gains))

    def total(self, first: int, last: int) -> tuple[int, float]:
        """Return what was counted and what was due over some days."""
        return int(self._counted[last + 1] - self._counted[first]), float(self._due[last + 1] - self._due[first])

    def usual_range(self, day: int, limit: float) -> tuple[int, int]:
        """Return the lowest and the highest count of a single day that does not signal, by bisection."""
        due = int(self.expected[day])
        lowest = _bisect(0, due, lambda count: self.probability(count, day, FALL) >= limit)
        highest = _bisect(due, self.most(day) + 1, lambda count: self.probability(count, day, RISE) < limit) - 1
        return lowest, highest

    @abstractmethod
    def most(self, day: int) -> int:
        """Return the highest count that a day can have, or more than any has."""

    @abstractmethod
    def probability(self, count: int, day: int, direction: str) -> float:
        """Return the probability of a count of a single day, or of more in this direction."""

    @abstractmethod
    def rate(self, first: int, last: int) -> float:
        """Return the level of some days, in terms of `gains`."""

    @abstractmethod
    def gains(self, first: int, last: int, rate: float) -> Numbers:
        """Return for each day how much better the rate explains it than what is usual (log likelihood ratio)."""

    @abstractmethod
    def _direction(self, first: int, last: int) -> str | None:
        """Tell the direction of a change that is large enough to matter, and far enough from what is usual."""

    @abstractmethod
    def _tail(self, first: int, last: int, direction: str) -> float:
        """Return the probability of what was seen, or of more in this direction."""


class ShareChart(ControlChart):
    """A share of patients or hooks."""

    def __init__(
        self, part: Counts, whole: Counts, weekdays: Counts, usual: UsualShare, sides: tuple[str, ...]
    ) -> None:
        """Take the counts of the judged days, Monday being weekday 0."""
        self.usual = usual
        self._rates = usual.rates(weekdays)
        self.whole = whole
        self._whole = _running(whole)
        super().__init__(part, whole * self._rates, sides)

    def of(self, first: int, last: int) -> int:
        """Return the whole of some days."""
        return int(self._whole[last + 1] - self._whole[first])

    def most(self, day: int) -> int:
        """See `ControlChart.most`: the whole."""
        return int(self.whole[day])

    def probability(self, count: int, day: int, direction: str) -> float:
        """See `ControlChart.probability`."""
        whole = int(self.whole[day])
        correlation = self.usual.correlation(whole, 1)
        return share_tail(count, whole, float(self._rates[day]), correlation, upper=direction == RISE)

    def rate(self, first: int, last: int) -> float:
        """Return the odds of the share over the usual odds."""
        part, due = self.total(first, last)
        whole = self.of(first, last)
        return (part + 0.5) * (whole - due + 0.5) / ((whole - part + 0.5) * (due + 0.5))

    def gains(self, first: int, last: int, rate: float) -> Numbers:
        """See `ControlChart.gains`; divided by the dispersion, as quasi-likelihood has it."""
        days = slice(first, last + 1)
        usual = self._rates[days]
        changed = usual * rate / (1 - usual + usual * rate)
        part, rest = self.counts[days], self.whole[days] - self.counts[days]
        gains: Numbers = part * np.log(changed / usual) + rest * np.log((1 - changed) / (1 - usual))
        return gains / self.usual.dispersion

    def _direction(self, first: int, last: int) -> str | None:
        part, due = self.total(first, last)
        whole = self.of(first, last)
        if whole == 0:
            return None
        odds = self.rate(first, last)
        chance = due * (1 - due / whole) * (1 + (whole - 1) * self.usual.correlation(whole, last - first + 1))
        if (part - due) ** 2 < _NEAR**2 * chance:
            return None
        return RISE if odds >= _LEAST_ODDS else FALL if odds <= 1 / _LEAST_ODDS else None

    def _tail(self, first: int, last: int, direction: str) -> float:
        part, due = self.total(first, last)
        whole = self.of(first, last)
        correlation = self.usual.correlation(whole, last - first + 1)
        return share_tail(part, whole, due / whole, correlation, upper=direction == RISE)


class VolumeChart(ControlChart):
    """The number of hooks."""

    def __init__(self, counts: Counts, weekdays: Counts, usual: UsualVolume) -> None:
        """Take the counts of the judged days, Monday being weekday 0."""
        self.usual = usual
        super().__init__(counts, usual.expected(weekdays), (RISE, FALL))

    def most(self, day: int) -> int:
        """See `ControlChart.most`."""
        return int(10 * self.expected[day]) + 100

    def probability(self, count: int, day: int, direction: str) -> float:
        """See `ControlChart.probability`."""
        due = float(self.expected[day]) if direction == RISE else self._with_holidays(day, day)
        return count_tail(count, due, self.usual.dispersion_of(due, 1), upper=direction == RISE)

    def rate(self, first: int, last: int) -> float:
        """Return the number of hooks over the usual number."""
        counted, due = self.total(first, last)
        return (counted + 0.5) / (due + 0.5)

    def gains(self, first: int, last: int, rate: float) -> Numbers:
        """See `ControlChart.gains`; divided by the dispersion, as quasi-likelihood has it."""
        days = slice(first, last + 1)
        gains: Numbers = self.counts[days] * np.log(rate) - self.expected[days] * (rate - 1)
        return gains / self.usual.dispersion

    def _direction(self, first: int, last: int) -> str | None:
        rate = self.rate(first, last)
        return RISE if rate >= _LEAST_RATIO else FALL if rate <= 1 / _LEAST_RATIO else None

    def _tail(self, first: int, last: int, direction: str) -> float:
        counted, due = self.total(first, last)
        if direction == FALL:
            due = self._with_holidays(first, last)
        dispersion = self.usual.dispersion_of(due, last - first + 1)
        return count_tail(counted, due, dispersion, upper=direction == RISE)

    def _with_holidays(self, first: int, last: int) -> float:
        """Return what was due if the busiest days were public holidays, which are like Sundays."""
        holidays = next(count for days, count in _HOLIDAYS if last - first < days)
        due = np.sort(self.expected[first : last + 1])
        due[-holidays:] = np.minimum(due[-holidays:], self.usual.by_weekday[_SUNDAY])
        return float(due.sum())


class Episode(NamedTuple):
    """A change in one direction: positions of its first and last day, and of the day it was noticed at.

    `open` tells that it lasts.
    """

    direction: str
    first: int
    last: int
    noticed: int
    open: bool


def find_episodes(chart: ControlChart, days: int, limit: float) -> list[Episode]:
    """Judge day after day as if each were the newest; return the episodes in the order of time."""
    episodes: list[Episode] = []
    start = day = 0
    while day < days:
        direction = chart.signal(start, day, limit)
        if direction is None:
            day += 1
            continue
        first = chart.since_when(max(start, day - _LOOK_BACK + 1), day)
        last, seen_until = _follow(chart, first, day, days)
        lasts = seen_until is None
        episodes.append(Episode(direction, first, last, day, lasts))
        if seen_until is None:
            break
        start, day = last + 1, seen_until + 1
    return episodes


def _follow(chart: ControlChart, first: int, noticed: int, days: int) -> tuple[int, int | None]:
    """Return the last day of an episode, and the day that showed that it had ended (None while it lasts)."""
    gains = np.cumsum(chart.gains(first, days - 1, chart.rate(first, noticed)))
    peaks = np.maximum.accumulate(gains)
    known = noticed - first
    fallen = np.flatnonzero(peaks[known:] - gains[known:] >= _ENDED)
    if len(fallen) == 0:
        return days - 1, None
    shown = known + int(fallen[0])
    return first + int(np.argmax(gains[: shown + 1])), first + shown


def _bisect(low: int, high: int, holds: Callable[[int], bool]) -> int:
    """Return the lowest count from `low` to `high` from which on a condition holds; `high` where it never does."""
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle + 1, high)
    return low


def _running(values: Counts | Numbers) -> Numbers:
    return np.concatenate(([0.0], np.cumsum(values)))
