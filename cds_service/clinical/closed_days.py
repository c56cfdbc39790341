"""The days on which blood is not used, and those that procedures leave open."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from cds_service.clinical.chart_facts import OperationFact, ProcedureTime
    from cds_service.clinical.models import EffectiveTime
    from cds_service.clinical.policy import ClinicalPolicy

# Kinds of operations that close days like a qualifying procedure.
CLOSING_KINDS: Final = frozenset({"interventional", "liver-resection", "liver-transplant"})
_DAY: Final = timedelta(days=1)


class DaySpan(NamedTuple):
    """The first and the last of some days, both included."""

    first: date
    last: date


class OpenDays(NamedTuple):
    """The days on which blood can be used, as far as procedures are recorded.

    `from_day` and all later ones, those `between` the latest qualifying procedure and later ones that close days, and
    those `before` it in the baseline window. The last of these may be the day on which it began.
    """

    from_day: date
    between: tuple[DaySpan, ...]
    before: tuple[DaySpan, ...]


def closing_times(operations: Iterable[OperationFact]) -> tuple[ProcedureTime, ...]:
    """Return when operations were after which blood is not used: those dated to the day."""
    return tuple(
        o.performed
        for o in operations
        if o.kind in CLOSING_KINDS and o.performed is not None and o.performed.is_precise
    )


def days_closed_by(time: ProcedureTime, exclusion_days: int, today: date) -> DaySpan:
    """Return the days that one procedure closes. On the first of them blood drawn before it is not too soon."""
    return DaySpan(time.first.day, _plus(time.last_day(today), timedelta(days=exclusion_days)))


def all_closed_days(times: Iterable[ProcedureTime], exclusion_days: int, today: date) -> list[DaySpan]:
    """Return the days that are closed as a whole, those that meet or overlap as one, oldest first.

    Blood of the day on which a procedure may have begun is judged by its time of day (`first_moments`).
    """
    closed = (days_closed_by(time, exclusion_days, today) for time in times)
    merged: list[DaySpan] = []
    for span in sorted(DaySpan(_plus(first, _DAY), last) for first, last in closed):
        if merged and span.first <= merged[-1].last:
            merged[-1] = DaySpan(merged[-1].first, max(merged[-1].last, span.last))
        elif span.first <= span.last:
            merged.append(span)
    return merged


def first_moments(times: Iterable[ProcedureTime], exclusion_days: int, today: date) -> dict[date, EffectiveTime]:
    """Return for each day on which procedures began when the earliest did: a day alone is earlier than any moment."""
    earliest: dict[date, EffectiveTime] = {}
    for time in times:
        day, last = days_closed_by(time, exclusion_days, today)
        known = earliest.get(day)
        if day <= last and (known is None or time.first.order < known.order):
            earliest[day] = time.first
    return earliest


def open_days(
    procedures: Sequence[ProcedureTime], closing: Sequence[ProcedureTime], policy: ClinicalPolicy, today: date
) -> OpenDays:
    """Return the days that are open around the latest qualifying procedure (`procedures`: latest end first).

    An end that lies ahead counts as recorded: what is told today has to be true tomorrow.
    """
    latest = procedures[0]
    reach = policy.post_procedure_exclusion_days
    others = sorted(days_closed_by(time, reach, date.max) for time in (*procedures[1:], *closing))
    # Never later than the last day of the calendar, so that at least this day is left.
    settled = _plus(days_closed_by(latest, reach, date.max).last, _DAY)
    oldest = latest.last_day(today) - timedelta(days=policy.baseline_window_days)
    after = tuple(_gaps(DaySpan(settled, date.max), others))
    return OpenDays(
        from_day=after[-1].first,
        between=tuple(span for span in after[:-1] if (today - span.last).days <= policy.max_age_days),
        before=tuple(_gaps(DaySpan(oldest, latest.first.day), others)),
    )


def _gaps(within: DaySpan, closed: Iterable[DaySpan]) -> Iterator[DaySpan]:
    """Yield what spans that are sorted by their first day leave of a span."""
    first, last = within
    for span in closed:
        if span.first > last:
            break
        if first < span.first:
            yield DaySpan(first, span.first - _DAY)
        first = max(first, _plus(span.last, _DAY))
    if first <= last:
        yield DaySpan(first, last)


def _plus(day: date, length: timedelta) -> date:
    """Add days; the calendar ends on the last day of the year 9999."""
    return day + length if day <= date.max - length else date.max
