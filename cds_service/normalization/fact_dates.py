"""When a diagnosis was made and a procedure was done: FHIR dates of every precision to the days they may mean."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Final, NamedTuple

from cds_service.clinical.chart_facts import ProcedureTime
from cds_service.clinical.models import EffectiveTime
from cds_service.normalization.effective_time import parse_partial_date

if TYPE_CHECKING:
    from cds_service.normalization.effective_time import TimeReader
    from cds_service.normalization.shapes import ConditionLike, PeriodLike, ProcedureLike

# What is older is no date but a placeholder for an unknown one: 0001-01-01, 1753-01-01.
_EARLIEST: Final = date(1900, 1, 1)


class DaySpan(NamedTuple):
    """The first and the last day that something may speak of."""

    first: date
    last: date


class FactDates:
    """Reads the dates of Conditions, Procedures and Patients for one site."""

    def __init__(self, times: TimeReader) -> None:
        self._times = times

    def of_condition(self, condition: ConditionLike) -> DaySpan | None:
        """Return the days a Condition speaks of, by onset and record; None when undated."""
        period = condition.onsetPeriod
        start = period.start if period is not None else None
        texts = (condition.onsetDateTime, start, _end_or_start(period), condition.recordedDate)
        spans = [span for text in texts if text and (span := self.days(text)) is not None]
        return DaySpan(min(s.first for s in spans), max(s.last for s in spans)) if spans else None

    def days(self, text: str) -> DaySpan | None:
        """Return the days that a text may mean; None for no date, or a placeholder."""
        partial = parse_partial_date(text)
        if partial is not None:
            span = DaySpan(partial.first, partial.last)
        else:
            time = self._times.read(text)
            if not isinstance(time, EffectiveTime):
                return None
            span = DaySpan(time.day, time.day)
        return span if span.last >= _EARLIEST else None

    def of_procedure(self, procedure: ProcedureLike) -> ProcedureTime | None:
        """Return when it may have been; None when no date is recorded, or none that can be read.

        A Period with one limit counts by that limit. Without a beginning it is known by the day only.
        """
        if procedure.performedDateTime:
            return self._possible(procedure.performedDateTime)
        period = procedure.performedPeriod
        if period is None:
            return None
        began = self._possible(period.start) if period.start else None
        if not period.end:
            return began
        ended = self._possible(period.end)
        if ended is None:
            return None
        if began is None:
            return ended._replace(first=EffectiveTime(ended.first.day, None))
        return _join(began, ended)

    def start_of(self, text: str) -> EffectiveTime | None:
        """Return the first moment that a text may mean; None for no date."""
        span = parse_partial_date(text)
        if span is not None:
            return EffectiveTime(span.first, None)
        time = self._times.read(text)
        return time if isinstance(time, EffectiveTime) else None

    def _possible(self, text: str) -> ProcedureTime | None:
        """Return the moments that a recorded date may mean; None when it cannot be read."""
        span = parse_partial_date(text)
        if span is not None:
            first, last = EffectiveTime(span.first, None), EffectiveTime(span.last, None)
            return ProcedureTime(first, last, text, text) if first.day >= _EARLIEST else None
        time = self._times.read(text)
        if not isinstance(time, EffectiveTime) or time.day < _EARLIEST:
            return None
        recorded = time.isoformat()
        return ProcedureTime(time, time, recorded, recorded)


def _join(began: ProcedureTime, ended: ProcedureTime) -> ProcedureTime:
    """Return the span of a Period. Where it ends before it begins, it was between the two all the same."""
    first, last = began.first, ended.last
    timed = first.instant is not None and last.instant is not None
    if first.day > last.day or (timed and first.order > last.order):
        began, ended = ended, began
    return ProcedureTime(began.first, ended.last, began.began, ended.ended)


def _end_or_start(period: PeriodLike | None) -> str | None:
    return (period.end or period.start) if period is not None else None
