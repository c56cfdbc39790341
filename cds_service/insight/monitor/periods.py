"""Which days are judged, and from which days is the usual learned?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from cds_service.audit.decoding import FIRST_YEAR
from cds_service.errors import PeriodError

JUDGED_DAYS: Final = 28
BASELINE_DAYS: Final = 56
# Three of each day of the week: with fewer, what is usual cannot be told.
LEAST_BASELINE_DAYS: Final = 21
_DAY: Final = timedelta(days=1)
_NO_LOG: Final = "no log reaches to the days asked for"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The days a person asked for; None where the choice is left to us. `left_out` neither teach nor are judged."""

    since: date | None = None
    until: date | None = None
    baseline_since: date | None = None
    baseline_until: date | None = None
    baseline_days: int = BASELINE_DAYS
    left_out: frozenset[date] = frozenset()


@dataclass(frozen=True, slots=True)
class Periods:
    """First and last day, inclusive, of the baseline and of what is judged. Complete days only."""

    baseline_first: date
    baseline_last: date
    first: date
    last: date
    left_out: frozenset[date]

    def baseline_days(self, since: date) -> list[date]:
        """List the days to learn from, beginning not before `since`."""
        return self._days(max(self.baseline_first, since), self.baseline_last)

    def judged_days(self) -> list[date]:
        """List the days to judge."""
        return self._days(self.first, self.last)

    def halves(self) -> Periods:
        """Return the baseline judged by itself: its second half by its first."""
        middle = self.baseline_first + (self.baseline_last - self.baseline_first) // 2
        return Periods(self.baseline_first, middle, middle + _DAY, self.baseline_last, self.left_out)

    def _days(self, first: date, last: date) -> list[date]:
        days = (first + _DAY * number for number in range((last - first).days + 1))
        return [day for day in days if day not in self.left_out]


def choose_periods(wanted: Wanted, today: date, first_record: date | None) -> Periods:
    """Choose the periods: the newest 28 complete days against the 56 days before, unless asked otherwise.

    A log that is younger gives what it has: at least 21 days to learn from, the rest to judge; its first day counts
    as incomplete. Raises PeriodError for days that leave nothing to judge.
    """
    try:
        periods = _choose(wanted, today, first_record)
    except OverflowError:
        raise PeriodError(_NO_LOG) from None
    if periods.baseline_first.year < FIRST_YEAR:
        raise PeriodError(_NO_LOG)
    if not periods.judged_days():
        raise PeriodError(
            f"all days from {periods.first} to {periods.last} are left out, so that there is none to judge"
        )
    return periods


def _choose(wanted: Wanted, today: date, first_record: date | None) -> Periods:
    last = min(wanted.until or today - _DAY, today - _DAY)
    first = wanted.since or last - _DAY * (JUDGED_DAYS - 1)
    if wanted.since is None and wanted.baseline_until is not None:
        first = max(first, wanted.baseline_until + _DAY)
    if wanted.since is None and wanted.baseline_since is None and first_record is not None:
        first = min(max(first, first_record + _DAY * (LEAST_BASELINE_DAYS + 1)), last)
    if first > last:
        raise PeriodError(f"there is no complete day to judge from {first} to {last}: today is {today}")
    baseline_last = wanted.baseline_until or first - _DAY
    baseline_first = wanted.baseline_since or baseline_last - _DAY * (wanted.baseline_days - 1)
    if baseline_first > baseline_last:
        raise PeriodError(f"the baseline ends ({baseline_last}) before it begins ({baseline_first})")
    if baseline_last >= first:
        raise PeriodError(
            f"the baseline must end before the first judged day: it ends on {baseline_last}, {first} is judged"
        )
    return Periods(baseline_first, baseline_last, first, last, wanted.left_out)
