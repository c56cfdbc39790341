"""From when to when was a measure unusual? An episode begins where the change began, not where it was noticed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from cds_service.insight.monitor.charts import ControlChart

# An episode has ended when the days after it speak for the usual by odds of twenty to one.
_ENDED: Final = 3.0
# How far back a change may have begun before it is noticed.
_LOOK_BACK: Final = 56


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
