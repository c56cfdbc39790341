"""What the days of a log say about the clock: a log goes on from day to day, and a clock that is wrong jumps.

Nothing here reads a clock. A log whose service was off for months jumps as well; so a jump is a doubt, and ends when
the days come back to where they were, or have gone on for long enough from where they are.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

# Within it a service may have been off, or nobody may have opened a chart. A tenth of the retention time, so that a
# clock that is wrong by less shortens that by no more; a quarter of a year is enough for any service that is in use.
_SHORTEST_PATIENCE: Final = 7
_LONGEST_PATIENCE: Final = 90


class Leap(NamedTuple):
    """Two days that follow each other in a log, though much lies between them."""

    before: date
    after: date


def patience(retention_days: int | None) -> int:
    """Return how many days may lie between two records before the clock is doubted."""
    if retention_days is None:
        return _LONGEST_PATIENCE
    return max(_SHORTEST_PATIENCE, min(_LONGEST_PATIENCE, retention_days // 10))


def open_leap(days: Sequence[date], patience_days: int) -> Leap | None:
    """Return the leap of a log that nobody can explain yet; `days` are in the order of the log, the last is today.

    A day before the one it follows is no leap: of a clock that was behind, only coming back looks like one.
    """
    if not days:
        return None
    trusted, leap = days[0], None
    for day in days[1:]:
        if (day - trusted).days <= patience_days:
            # Where it should be, or back there: the clock had been wrong for a while.
            trusted, leap = max(trusted, day), None
        elif leap is None:
            leap = Leap(trusted, day)
        elif (day - leap.after).days >= patience_days:
            # Went on from there for so long: the service had been off.
            trusted, leap = day, None
    return leap


def lived_days(days: Sequence[date], patience_days: int) -> list[int]:
    """Return for each day how many days the log has gone on since then, whatever its clock says.

    Each step counts for as many days as patience allows, forwards and backwards: one wrong reading adds a little, and
    its correction takes that away again.
    """
    lived = [0]
    for earlier, later in pairwise(reversed(days)):
        lived.append(lived[-1] + max(-patience_days, min((earlier - later).days, patience_days)))
    return lived[::-1]
