"""Times: how precise, in which zone, and whether they lie ahead. The site stands in Berlin unless said otherwise."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.acquisition.resources import Observation
from cds_service.clinical.models import EffectiveTime
from cds_service.clinical.reasons import Reason
from cds_service.normalization.effective_time import TimeReader, parse_partial_date
from tests.support.charts import NEUTROPHILS, Json, observation
from tests.unit.normalization.reading import BERLIN, judged, times, typed

if TYPE_CHECKING:
    from datetime import tzinfo

NEW_YORK = ZoneInfo("America/New_York")
KIRITIMATI = ZoneInfo("Pacific/Kiritimati")


def shown(text: str, zone: tzinfo = BERLIN) -> str:
    """Return the time as the card and the response show it, or the reason."""
    read = times(zone).read(text)
    return read.isoformat() if isinstance(read, EffectiveTime) else str(read)


@pytest.mark.parametrize(
    ("text", "expected", "reason"),
    [
        (
            "2026-11-20T00:00:00+09:00",
            date(2026, 11, 20),
            "midnight as it was written; the afternoon before here",
        ),
        ("2026-11-19T23:00:00Z", date(2026, 11, 20), "midnight here"),
        ("2026-11-20T00:00:00Z", date(2026, 11, 20), "midnight in Greenwich, one o'clock here"),
        ("2026-11-20T00:00:01+09:00", None, "a second later"),
        ("2026-11-20T12:00:00Z", None, "noon"),
    ],
)
def test_midnight_is_the_one_of_the_site_and_the_one_that_was_written(
    text: str, expected: date | None, reason: str
) -> None:
    read = times().read(text)

    assert isinstance(read, EffectiveTime)
    assert read.midnight_of == expected, reason


TEXTS = [
    ("2026-10-14", "2026-10-14", "a date is precise to the day"),
    ("2026-10", "imprecise-time", "a month"),
    ("2026", "imprecise-time", "a year"),
    ("2028-02-29", "2028-02-29", "a leap day"),
    ("2026-02-29", "malformed", "no leap day"),
    ("2026-13-01", "malformed", "no such month"),
    ("2026-00", "malformed", "no such month"),
    ("2026-10-32", "malformed", "no such day"),
    ("0000-01-01", "malformed", "no year zero"),
    ("0001-01-01", "0001-01-01", "the first day Python knows"),
    ("9999-12-31", "9999-12-31", "the last one"),
    ("10000-01-01", "malformed", "a year of five digits"),
    ("26-10-14", "malformed", "a year of two digits"),
    ("2026-1-4", "malformed", "no leading zeros"),
    ("20261014", "malformed", "no hyphens"),
    ("14.10.2026", "malformed", "another calendar form"),
    ("2026-10-14\n", "malformed", "white space around"),
    ("٢٠٢٦-١٠-١٤", "malformed", "digits of another script"),
    ("２０２６-10-14", "malformed", "full-width digits"),
    ("yesterday", "malformed", "garbage"),
    ("P1D", "malformed", "a duration"),
    ("2026-10-14T08:00:00Z", "2026-10-14T10:00:00+02:00", "zulu time, shown in the site's zone"),
    ("2026-10-14t08:00:00z", "2026-10-14T10:00:00+02:00", "small letters"),
    ("2026-10-14T08:00:00+02:00", "2026-10-14T08:00:00+02:00", "an offset"),
    ("2026-10-14T08:00:00+0200", "2026-10-14T08:00:00+02:00", "an offset without colon"),
    ("2026-10-14T08:00:00-00:00", "2026-10-14T10:00:00+02:00", "offset minus zero"),
    ("2026-10-14T23:30:00Z", "2026-10-15T01:30:00+02:00", "the next day at the site"),
    ("2026-10-15T00:30:00+05:30", "2026-10-14T21:00:00+02:00", "the day before at the site"),
    ("2026-10-14T08:00", "2026-10-14T08:00:00+02:00", "no seconds, no zone: the site's zone"),
    ("2026-10-14T08:00Z", "2026-10-14T10:00:00+02:00", "no seconds"),
    ("2026-10-14T08:00:00", "2026-10-14T08:00:00+02:00", "no zone: summer time at the site"),
    ("2026-12-14T08:00:00", "2026-12-14T08:00:00+01:00", "no zone: winter time at the site"),
    ("2026-10-14T08:00:00.5Z", "2026-10-14T10:00:00.500000+02:00", "a tenth"),
    ("2026-10-14T08:00:00.123456789Z", "2026-10-14T10:00:00.123456+02:00", "nine digits are cut to six"),
    ("2026-10-14T08:00:00." + "0" * 400 + "Z", "2026-10-14T10:00:00+02:00", "fractions of any length"),
    ("2026-10-14T08:00:00.Z", "malformed", "a dot and nothing"),
    ("2026-10-14T08Z", "malformed", "hours alone"),
    ("2026-10-14T", "malformed", "nothing behind the T"),
    ("2026-10-14 08:00:00Z", "malformed", "a space for the T"),
    ("2026-10T08:00:00Z", "malformed", "a time of a month"),
    ("2026-10-14T24:00:00Z", "malformed", "FHIR forbids the hour 24"),
    ("2026-10-14T08:60:00Z", "malformed", "no such minute"),
    ("2026-10-14T23:59:60Z", "malformed", "a leap second cannot be kept"),
    ("2026-10-14T08:00:00+25:00", "malformed", "no such offset"),
    ("2026-10-14T08:00:00+02:60", "malformed", "no such offset"),
    ("2026-10-14T08:00:00[Europe/Berlin]", "malformed", "a zone by name"),
    ("2026-02-30T08:00:00Z", "malformed", "no such day"),
    ("0001-01-01T00:00:00+14:00", "malformed", "before the first moment Python knows"),
    ("9999-12-31T23:59:59-14:00", "malformed", "after the last one"),
    ("0001-01-01T00:00:00", "malformed", "the site's own zone leads out of the calendar"),
    ("9999-12-31T23:59:59+14:00", "9999-12-31T10:59:59+01:00", "inside after conversion"),
    ("2026-03-29T02:30:00", "2026-03-29T03:30:00+02:00", "the hour that clocks leap over: the moment it would be"),
    ("2026-10-25T02:30:00", "2026-10-25T02:30:00+02:00", "the hour that clocks repeat: its first pass"),
    ("2026-10-25T00:30:00Z", "2026-10-25T02:30:00+02:00", "the first pass, told by the offset"),
    ("2026-10-25T01:30:00Z", "2026-10-25T02:30:00+01:00", "the second pass, told by the offset"),
]


@pytest.mark.parametrize(("text", "expected", "reason"), TEXTS, ids=lambda cell: str(cell)[:40])
def test_text_is_read_as_day_or_instant(text: str, expected: str, reason: str) -> None:
    assert shown(text) == expected, reason


@pytest.mark.parametrize(
    ("zone", "text", "expected", "reason"),
    [
        (NEW_YORK, "2026-10-14T02:00:00Z", "2026-10-13T22:00:00-04:00", "still yesterday in New York"),
        (KIRITIMATI, "2026-10-14T12:00:00Z", "2026-10-15T02:00:00+14:00", "tomorrow at the date line"),
        (NEW_YORK, "9999-12-31T23:59:59", "malformed", "west of Greenwich the end of the calendar is left"),
        (UTC, "0001-01-01T00:00:00", "0001-01-01T00:00:00+00:00", "the first moment"),
    ],
)
def test_day_is_the_day_at_the_site(zone: tzinfo, text: str, expected: str, reason: str) -> None:
    assert shown(text, zone) == expected, reason


def test_instants_in_the_repeated_hour_keep_their_order_and_distance() -> None:
    first, second = times().read("2026-10-25T02:50:00+02:00"), times().read("2026-10-25T02:10:00+01:00")

    assert isinstance(first, EffectiveTime)
    assert isinstance(second, EffectiveTime)
    assert first.instant is not None
    assert second.instant is not None
    assert second.instant - first.instant == timedelta(minutes=20)
    assert first.instant < second.instant
    assert first.order < second.order


BEFORE = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
FUTURE = [
    ("2026-11-23T10:10:00Z", False, "ten minutes ahead, inclusive"),
    ("2026-11-23T10:10:01Z", True, "one second more"),
    ("2026-11-23T10:10:00.000001Z", True, "a microsecond more"),
    ("2026-11-23T11:10:00", False, "ten minutes ahead by the site's clock"),
    ("2026-11-23T11:10:01", True, "one second more by the site's clock"),
    ("2026-11-23T23:10:00+13:00", False, "the same moment elsewhere"),
    ("2026-11-23", False, "today"),
    ("2026-11-24", True, "tomorrow"),
]


@pytest.mark.parametrize(("text", "ahead", "reason"), FUTURE)
def test_future_begins_ten_minutes_ahead(text: str, ahead: bool, reason: str) -> None:
    expected = "future-time" if ahead else "usable"

    assert judged(observation(NEUTROPHILS, 4.2, when=text)) == expected, reason


def test_today_is_the_day_at_the_site() -> None:
    late = datetime(2026, 11, 23, 23, 30, tzinfo=UTC)

    assert TimeReader(BERLIN, late).today == date(2026, 11, 24)
    assert not TimeReader(BERLIN, late).is_future(EffectiveTime(date(2026, 11, 24), None))
    assert TimeReader(NEW_YORK, late).is_future(EffectiveTime(date(2026, 11, 24), None))


def test_tolerance_for_the_future_is_ten_real_minutes_where_clocks_go_back() -> None:
    reader = TimeReader(BERLIN, datetime(2026, 10, 25, 2, 55, tzinfo=BERLIN))
    soon, late = reader.read("2026-10-25T02:05:00+01:00"), reader.read("2026-10-25T02:05:01+01:00")

    assert isinstance(soon, EffectiveTime)
    assert isinstance(late, EffectiveTime)
    assert not reader.is_future(soon)
    assert reader.is_future(late)


def taken(**members: Any) -> Json:
    return observation(NEUTROPHILS, 4.2, effectiveDateTime=None, **members)


MEMBERS = [
    (taken(), "no-effective-time", "nothing"),
    (observation(NEUTROPHILS, 4.2, effectiveDateTime=""), "no-effective-time", "an empty text"),
    (taken(effectiveInstant="2026-10-14T08:00:00.000Z"), "usable", "an instant"),
    (taken(effectiveInstant=""), "no-effective-time", "an empty instant"),
    (taken(effectiveTiming={"event": ["2026-10-14T08:00:00Z"]}), "no-effective-time", "a Timing tells no one moment"),
    (taken(issued="2026-10-14T08:00:00Z"), "no-effective-time", "when it was issued is not when blood was drawn"),
    (taken(effectivePeriod={}), "no-effective-time", "an empty Period"),
    (observation(NEUTROPHILS, 4.2, when="2026"), "imprecise-time", "a year"),
    (observation(NEUTROPHILS, 4.2, when="soon"), "malformed", "garbage"),
]


@pytest.mark.parametrize(("resource", "expected", "reason"), MEMBERS)
def test_effective_time_is_read_from_its_three_members(resource: Json, expected: str, reason: str) -> None:
    assert judged(resource) == expected, reason


PERIODS = [
    (None, "2026-10-14T08:00:00Z", "2026-10-14T10:00:00+02:00", "the end"),
    ("2026-10-14T08:00:00Z", None, "2026-10-14T10:00:00+02:00", "the start where there is no end"),
    ("2026-10-14T08:00:00Z", "2026-10-14T08:05:00Z", "2026-10-14T10:05:00+02:00", "the end of the two"),
    ("2026-10-14T08:00:00Z", "2026-10-14T08:00:00Z", "2026-10-14T10:00:00+02:00", "no length at all"),
    ("2026-10-14T08:00:00Z", "2026-10-15T08:00:00Z", "2026-10-15T10:00:00+02:00", "24 hours, inclusive"),
    ("2026-10-14T08:00:00Z", "2026-10-15T08:00:01Z", "imprecise-time", "a second more"),
    ("2026-10-14T08:00:01Z", "2026-10-14T08:00:00Z", "malformed", "reversed"),
    ("2026-10-14T08:00", "2026-10-14T10:30", "2026-10-14T10:30:00+02:00", "both by the site's clock"),
    ("2026-10-25T02:30:00+02:00", "2026-10-25T02:15:00+01:00", "2026-10-25T02:15:00+01:00", "45 min as clocks go back"),
    ("2026-10-25T00:00:00", "2026-10-26T00:00:00", "imprecise-time", "that day has 25 hours"),
    ("2026-03-29T00:00:00", "2026-03-30T01:00:00", "2026-03-30T01:00:00+02:00", "that day has 23 hours"),
    ("2026-10-14", "2026-10-14", "2026-10-14", "one day"),
    ("2026-10-14", None, "2026-10-14", "from a day"),
    (None, "2026-10-14", "2026-10-14", "to a day"),
    ("2026-10-14", "2026-10-15", "imprecise-time", "two days: an end without a time holds all of its day"),
    ("2026-10-15", "2026-10-14", "malformed", "days reversed"),
    ("2026-10-14T08:00:00", "2026-10-14", "2026-10-14", "from a time to the end of its day"),
    ("2026-10-14", "2026-10-14T08:00:00", "2026-10-14T08:00:00+02:00", "from some time of the day"),
    ("2026-10-13", "2026-10-14T08:00:00", "imprecise-time", "from some time of the day before"),
    ("2026-10", "2026-10-14", "imprecise-time", "a partial start: nobody knows the length"),
    ("2026-10-14", "2026-10", "imprecise-time", "a partial end"),
    (None, "2026-10", "imprecise-time", "a partial end alone"),
    ("soon", "2026-10-14", "malformed", "a start that cannot be read"),
    ("2026-10-14", "later", "malformed", "an end that cannot be read"),
    ("2026-11-22T08:00:00Z", "2026-11-24T08:00:00Z", "imprecise-time", "too long, wherever it ends"),
    ("2026-11-23T09:00:00Z", "2026-11-23T11:00:00Z", "future-time", "ends ahead of the clock"),
    ("2026-12-01", None, "future-time", "starts ahead of the clock"),
]


@pytest.mark.parametrize(("start", "end", "expected", "reason"), PERIODS)
def test_period_counts_by_its_end_within_a_day(start: str | None, end: str | None, expected: str, reason: str) -> None:
    period = {name: text for name, text in (("start", start), ("end", end)) if text}
    read = times().read_observation(typed(Observation, taken(effectivePeriod=period)))

    assert (read.isoformat() if isinstance(read, EffectiveTime) else read) == expected, reason


@pytest.mark.parametrize(
    ("issued", "expected", "reason"),
    [
        (None, None, "missing"),
        ("2026-10-14", None, "a date is no instant"),
        ("garbage", None, "not readable; it ranks duplicates only"),
        ("2026-10-14T08:00:00Z", datetime(2026, 10, 14, 8, tzinfo=UTC), "an instant"),
    ],
)
def test_issued_is_an_instant_or_nothing(issued: str | None, expected: datetime | None, reason: str) -> None:
    assert times().read_issued(issued) == expected, reason


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2026", date(2026, 1, 1), date(2026, 12, 31)),
        ("2026-11", date(2026, 11, 1), date(2026, 11, 30)),
        ("2028-02", date(2028, 2, 1), date(2028, 2, 29)),
        ("9999", date(9999, 1, 1), date(9999, 12, 31)),
        ("2026-11-23", date(2026, 11, 23), date(2026, 11, 23)),
    ],
)
def test_partial_date_is_the_span_of_its_days(text: str, first: date, last: date) -> None:
    assert parse_partial_date(text) == (first, last)


@given(st.text(max_size=40) | st.from_regex(r"\d{4}(-\d\d(-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?)?)?)?"))
def test_any_text_is_a_time_or_a_reason(text: str) -> None:
    for zone in (BERLIN, NEW_YORK, KIRITIMATI):
        read = times(zone).read(text)
        assert isinstance(read, EffectiveTime) or read in (Reason.MALFORMED, Reason.IMPRECISE_TIME)
        span = parse_partial_date(text)
        assert span is None or span.first <= span.last
