"""Local time of a few zones by their published rules, so that the oracle needs no time zone database."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

FIXED_MINUTES = {
    "UTC": 0,
    "Asia/Shanghai": 480,
    "Asia/Kolkata": 330,
    "Pacific/Kiritimati": 840,
    "Pacific/Pago_Pago": -660,
}
SUNDAY = 6


class Moment(NamedTuple):
    """When something happened: the local day, and the instant in UTC where a time is known.

    `latest_day` is given for a time that is midnight, here or where it was written: it may have been at any hour until
    the end of that day.
    """

    day: date
    instant: datetime | None
    latest_day: date | None = None


class Span(NamedTuple):
    """The first and the last moment at which something may have been."""

    first: Moment
    last: Moment


def offset(zone: str, instant: datetime) -> timedelta:
    """Offset from UTC of a zone at an instant in UTC."""
    if zone in FIXED_MINUTES:
        return timedelta(minutes=FIXED_MINUTES[zone])
    year = instant.year
    if zone == "Europe/Berlin":
        # Summer time from the last Sunday in March to the last Sunday in October, at 01:00 UTC.
        begins = _utc(_sunday_on_or_before(date(year, 3, 31)), 1)
        ends = _utc(_sunday_on_or_before(date(year, 10, 31)), 1)
        return timedelta(hours=2 if begins <= instant < ends else 1)
    if zone == "America/Los_Angeles":
        # Summer time from the second Sunday in March to the first Sunday in November, at 02:00 of the local clock.
        begins = _utc(_sunday_on_or_before(date(year, 3, 14)), 10)
        ends = _utc(_sunday_on_or_before(date(year, 11, 7)), 9)
        return timedelta(hours=-7 if begins <= instant < ends else -8)
    raise ValueError(zone)


def local_day(zone: str, instant: datetime) -> date:
    """Day of the calendar in a zone at an instant in UTC."""
    return (instant + offset(zone, instant)).date()


def read(text: str, zone: str) -> Moment:
    """Read a FHIR date precise to the day, or a date-time. A date-time without zone is local."""
    if "T" not in text:
        return Moment(date.fromisoformat(text), None)
    parsed = datetime.fromisoformat(text)
    if parsed.tzinfo is None:
        as_if_utc = parsed.replace(tzinfo=UTC)
        # Good but for the hours around a change of the clocks, which no row gives without a zone.
        instant = as_if_utc - offset(zone, as_if_utc - offset(zone, as_if_utc))
    else:
        instant = parsed.astimezone(UTC)
    day = local_day(zone, instant)
    clocks = (parsed, instant + offset(zone, instant))
    midnights = [clock.date() for clock in clocks if (clock.hour, clock.minute, clock.second) == (0, 0, 0)]
    return Moment(day, instant, max(midnights, default=None))


def read_span(text: str, zone: str) -> Span:
    """Read a FHIR date of any precision, or a Period written as start/end, as the moments it may mean."""
    start, _, end = text.partition("/")
    if end:
        return Span(read_span(start, zone).first, read_span(end, zone).last)
    if "T" in text:
        return Span(read(text, zone), read(text, zone))
    first_month, last_month = (text[5:7] or "01", text[5:7] or "12")
    if len(text) == len("2026-08-01"):
        return Span(read(text, zone), read(text, zone))
    following = date.fromisoformat(f"{text[:4]}-{last_month}-28") + timedelta(days=4)
    first = date.fromisoformat(f"{text[:4]}-{first_month}-01")
    return Span(Moment(first, None), Moment(following - timedelta(days=following.day), None))


def _sunday_on_or_before(day: date) -> date:
    return day - timedelta(days=(day.weekday() - SUNDAY) % 7)


def _utc(day: date, hour: int) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC)
