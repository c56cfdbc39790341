"""FHIR date, dateTime, instant and Period to a point in time with a known precision (FHIR R4: Data Types).

A date-time without zone is in the site's timezone. Years and months alone are imprecise. What is more than ten
minutes ahead of the clock lies in the future.
"""

from __future__ import annotations

import calendar
import re
from datetime import UTC, date, datetime, time, timedelta, timezone
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from cds_service.clinical.models import EffectiveTime
from cds_service.clinical.reasons import Reason

if TYPE_CHECKING:
    from datetime import tzinfo

    from cds_service.normalization.shapes import ObservationLike, PeriodLike

FUTURE_TOLERANCE = timedelta(minutes=10)
_MIDNIGHT = time(0)
LONGEST_PERIOD = timedelta(hours=24)

# Seconds may be missing and fractions may be of any length: both were met in the field. FHIR forbids the hour 24.
_DATE_TIME = re.compile(
    r"(\d{4}-\d{2}-\d{2})[Tt]((?:[01]\d|2[0-3]):\d{2}(?::\d{2})?)(?:\.(\d+))?([Zz]|[+-]\d{2}:?[0-5]\d)?", re.ASCII
)
_DATE = re.compile(r"(\d{4})(?:-(\d{2}))?(?:-(\d{2}))?", re.ASCII)


class PartialDate(NamedTuple):
    """A date of any precision as the span of days it may mean."""

    first: date
    last: date


class TimeReader:
    """Reads times for one site and one moment. `now` must be aware."""

    def __init__(self, site_zone: tzinfo, now: datetime, seen: dict[str, EffectiveTime | Reason] | None = None) -> None:
        """Keep the site's timezone and the moment that "future" and "today" refer to.

        `seen` is what other readers of this zone have parsed already; it grows.
        """
        self._site_zone = site_zone
        self.today = now.astimezone(site_zone).date()
        # Added in UTC: in local time ten minutes are seventy where the clocks are set back.
        self._latest = (now.astimezone(UTC) + FUTURE_TOLERANCE).timestamp()
        # Results of one draw share their time, and charts are long: the same text is parsed once.
        self._seen: dict[str, EffectiveTime | Reason] = {} if seen is None else seen
        self._taken: dict[str, EffectiveTime | Reason] = {}

    def read_observation(self, observation: ObservationLike) -> EffectiveTime | Reason:
        """Return when the specimen was taken, or no-effective-time, imprecise-time, future-time or malformed."""
        text = observation.effectiveDateTime or observation.effectiveInstant
        if text:
            known = self._taken.get(text)
            if known is None:
                known = self._taken[text] = self._not_future(self.read(text))
            return known
        if observation.effectivePeriod is not None:
            return self._not_future(self._read_period(observation.effectivePeriod))
        return Reason.NO_EFFECTIVE_TIME

    def read(self, text: str) -> EffectiveTime | Reason:
        """Return the time a text means, or imprecise-time (year, month) or malformed."""
        known = self._seen.get(text)
        if known is None:
            known = self._seen[text] = self._parse(text)
        return known

    def read_issued(self, text: str | None) -> datetime | None:
        """Return the instant of `issued`; None when it is missing, without a time, or not readable."""
        parsed = self.read(text) if text else None
        return parsed.instant if isinstance(parsed, EffectiveTime) else None

    def is_future(self, time: EffectiveTime) -> bool:
        """Tell whether a time lies ahead of the clock by more than ten minutes, or on a later day."""
        if time.instant is not None:
            # Not the datetimes: comparing two of different zones costs as much as reading one.
            return time.order[1] > self._latest
        return time.day > self.today

    def _not_future(self, time: EffectiveTime | Reason) -> EffectiveTime | Reason:
        if isinstance(time, EffectiveTime) and self.is_future(time):
            return Reason.FUTURE_TIME
        return time

    def _read_period(self, period: PeriodLike) -> EffectiveTime | Reason:
        """Read a Period by its end, else its start; one longer than a day does not tell when blood was drawn."""
        if not period.end and not period.start:
            return Reason.NO_EFFECTIVE_TIME
        counted = self.read(period.end or period.start or "")
        if not (period.end and period.start) or not isinstance(counted, EffectiveTime):
            return counted
        start = self.read(period.start)
        if not isinstance(start, EffectiveTime):
            return start
        return _limit_length(start, counted)

    def _parse(self, text: str) -> EffectiveTime | Reason:
        match = _DATE_TIME.fullmatch(text)
        if match is None:
            return self._parse_date(text)
        day, clock, fraction, zone = match.groups()
        try:
            instant = datetime.fromisoformat(f"{day}T{clock}{zone.upper() if zone else ''}")
        except ValueError:
            return Reason.MALFORMED
        if fraction:
            instant = instant.replace(microsecond=int(fraction[:6].ljust(6, "0")))
        if instant.tzinfo is None:
            instant = instant.replace(tzinfo=self._site_zone)
        try:
            # By way of UTC, which also turns an hour that the clocks leapt over into the one that was meant.
            moment = instant.astimezone(UTC)
            offset = moment.astimezone(self._site_zone).utcoffset()
        except OverflowError:
            return Reason.MALFORMED
        midnight_of = instant.date() if instant.time() == _MIDNIGHT else None
        # A fixed offset: Python compares two times of one zone by their wall clocks, which run twice when summer ends.
        local = moment.astimezone(_fixed_offset(offset))
        return EffectiveTime(local.date(), local, midnight_of)

    def _parse_date(self, text: str) -> EffectiveTime | Reason:
        span = parse_partial_date(text)
        if span is None:
            return Reason.MALFORMED
        return EffectiveTime(span.first, None) if span.first == span.last else Reason.IMPRECISE_TIME


def _limit_length(start: EffectiveTime, end: EffectiveTime) -> EffectiveTime | Reason:
    """Return the end, imprecise-time for a span of more than a day, or malformed for one that ends before it starts.

    A limit without a time means any moment of its day, so such a Period must lie within one day.
    """
    if start.instant is not None and end.instant is not None:
        length = end.instant - start.instant
        if length < timedelta(0):
            return Reason.MALFORMED
        return Reason.IMPRECISE_TIME if length > LONGEST_PERIOD else end
    if start.day > end.day:
        return Reason.MALFORMED
    return end if start.day == end.day else Reason.IMPRECISE_TIME


@lru_cache(maxsize=64)
def _fixed_offset(offset: timedelta | None) -> timezone:
    return timezone(offset or timedelta(0))


def parse_partial_date(text: str) -> PartialDate | None:
    """Return the days that a FHIR date of any precision may mean; None when it is no date of the calendar."""
    match = _DATE.fullmatch(text)
    if match is None:
        return None
    year, month, day = (int(part) if part else None for part in match.groups())
    try:
        if year is None or month is None:
            return PartialDate(date(year or 0, 1, 1), date(year or 0, 12, 31))
        if day is None:
            return PartialDate(date(year, month, 1), date(year, month, calendar.monthrange(year, month)[1]))
        return PartialDate(date(year, month, day), date(year, month, day))
    except ValueError:
        return None
