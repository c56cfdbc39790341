"""Axes of the timeline: days and SII values to positions in the drawing, with their ticks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

_TICK_VALUES = (10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000)
_MOST_TIME_TICKS = 9
_MOST_STEPS = 4
_WEEKLY_UP_TO_DAYS = 75


class DayForms(NamedTuple):
    """How a language writes below the axis: names of the months, then {day}, {month} and {year} put together."""

    months: Sequence[str]
    of_day: str
    of_month: str
    of_year: str

    def write(self, form: str, day: date) -> str:
        """Return a day in one of the forms."""
        return form.format(day=day.day, month=self.months[day.month - 1], year=day.year)


@dataclass(frozen=True, slots=True)
class TimeAxis:
    """Days on a linear axis from `left` to `right` (drawing units)."""

    first: date
    last: date
    left: float
    right: float

    @classmethod
    def around(cls, days: Sequence[date], left: float, right: float) -> TimeAxis:
        """Return the axis that shows every day with a margin, and at least the four weeks before the last."""
        span = max((max(days) - min(days)).days, 28)
        margin = timedelta(days=max(3, span // 25))
        return cls(max(days) - timedelta(days=span) - margin, max(days) + margin, left, right)

    def x(self, day: date) -> float:
        """Return the position of a day, kept inside the axis."""
        share = (day - self.first).days / (self.last - self.first).days
        return self.left + min(max(share, 0.0), 1.0) * (self.right - self.left)

    def ticks(self, forms: DayForms) -> tuple[tuple[date, str], ...]:
        """Return the days to label: month starts, or every second Monday of a short history."""
        if (self.last - self.first).days <= _WEEKLY_UP_TO_DAYS:
            monday = self.first + timedelta(days=-self.first.weekday() % 7)
            weeks = range(0, (self.last - monday).days + 1, 14)
            days = [monday + timedelta(days=n) for n in weeks]
            return tuple((day, forms.write(forms.of_day, day)) for day in days)
        months = self._month_starts()
        step = next((n for n in (1, 2, 3, 6, 12) if len(months) <= n * _MOST_TIME_TICKS), 24)
        kept = [month for month in months if (month.month - 1) % min(step, 12) == 0]
        return tuple(
            (month, forms.write(forms.of_year if n == 0 or month.month == 1 else forms.of_month, month))
            for n, month in enumerate(kept)
        )

    def _month_starts(self) -> list[date]:
        first = self.first.replace(day=1)
        count = (self.last.year - first.year) * 12 + self.last.month - first.month
        months = [first.month + n - 1 for n in range(count + 1)]
        starts = [date(first.year + month // 12, month % 12 + 1, 1) for month in months]
        return [start for start in starts if start >= self.first]


@dataclass(frozen=True, slots=True)
class ValueAxis:
    """SII on a logarithmic axis: the values of one patient often lie a power of ten apart."""

    lowest: int
    highest: int
    top: float
    bottom: float

    @classmethod
    def around(cls, values: Sequence[Decimal], top: float, bottom: float) -> ValueAxis:
        """Return the axis from the tick below all values (at most 100) to the one above (at least 1000)."""
        low, high = min(values), max(values)
        below = max((tick for tick in _TICK_VALUES if tick <= low), default=_TICK_VALUES[0])
        above = min((tick for tick in _TICK_VALUES if tick >= high), default=_TICK_VALUES[-1])
        return cls(min(below, 100), max(above, 1000), top, bottom)

    def y(self, value: Decimal | float) -> float:
        """Return the position of a value, kept inside the axis."""
        kept = min(max(float(value), float(self.lowest)), float(self.highest))
        share = math.log(kept / self.lowest) / math.log(self.highest / self.lowest)
        return self.bottom - share * (self.bottom - self.top)

    def ticks(self) -> tuple[int, ...]:
        """Return the values to label."""
        return tuple(tick for tick in _TICK_VALUES if self.lowest <= tick <= self.highest)


@dataclass(frozen=True, slots=True)
class LinearAxis:
    """A quantity from zero to the round number above all values, at most four steps apart."""

    highest: float
    step: float
    top: float
    bottom: float

    @classmethod
    def around(cls, values: Sequence[Decimal], top: float, bottom: float) -> LinearAxis:
        """Return the axis of some values; of none it reaches from zero to one."""
        highest = float(max(values, default=0)) or 1.0
        power = 10.0 ** math.floor(math.log10(highest))
        step = next(power * part for part in (0.5, 1, 2, 2.5) if highest <= power * part * _MOST_STEPS)
        return cls(math.ceil(highest / step) * step, step, top, bottom)

    def y(self, value: Decimal | float) -> float:
        """Return the position of a value, kept inside the axis."""
        share = min(max(float(value) / self.highest, 0.0), 1.0)
        return self.bottom - share * (self.bottom - self.top)

    def ticks(self) -> tuple[float, ...]:
        """Return zero, the middle and the highest value."""
        return (0.0, self.highest / 2, self.highest)
