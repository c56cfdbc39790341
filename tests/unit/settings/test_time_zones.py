"""Names of time zones: what is proposed for a wrong one, and what must never be."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from cds_service.settings.time_zones import time_zone, zone_caution


@pytest.mark.parametrize(
    "name", ["UTC", "CET", "EST", "Europe/Zurich", "America/Argentina/Buenos_Aires", "Asia/Shanghai"]
)
def test_zone_of_the_database_is_taken_as_it_is(name: str) -> None:
    assert time_zone(name) == name


@pytest.mark.parametrize(
    ("name", "proposal", "reason"),
    [
        ("Europe/Berlim", "Europe/Berlin", "spelling"),
        ("europe/zurich", "Europe/Zurich", "small letters"),
        ("Europe/Zürich", "Europe/Zurich", "the database has no umlauts"),
        ("Zurich", "Europe/Zurich", "the place alone"),
        ("New York", "America/New_York", "a blank"),
        ("America/New York", "America/New_York", "a blank"),
        ("utc", "UTC", "small letters"),
        ("Asia/Beijing", "Asia/Shanghai", "not Asia/Beirut, which is nearest in letters"),
        ("Beijing", "Asia/Shanghai", "zone1970.tab: Beijing Time"),
    ],
)
def test_slip_of_the_pen_is_answered_by_the_zone_that_is_meant(name: str, proposal: str, reason: str) -> None:
    with pytest.raises(ValueError, match="is not a time zone") as caught:
        time_zone(name)
    assert str(caught.value).endswith(f'(did you mean "{proposal}"?)'), reason


ABBREVIATIONS = [
    "CEST",
    "MEZ",
    "MESZ",
    "BST",
    "GST",
    "PST",
    "PDT",
    "CST",
    "CDT",
    "EDT",
    "IST",
    "HKT",
    "JST",
    "KST",
    "SGT",
    "AEST",
    "MSK",
    "WIB",
    "est",
    "cet",
    "pst",
]


@pytest.mark.parametrize("name", ABBREVIATIONS)
def test_abbreviation_is_told_as_one_and_no_zone_is_proposed(name: str) -> None:
    with pytest.raises(ValueError, match="is no time zone but an abbreviation") as caught:
        time_zone(name)
    assert "did you mean" not in str(caught.value)
    assert str(caught.value).endswith('write the name of the IANA database, such as "Europe/Zurich"')


@pytest.mark.parametrize(
    ("name", "said", "reason"),
    [
        ("GMT+2", "is no time zone but an offset", "Etc/GMT+2 is west of Greenwich"),
        ("UTC-05:00", "is no time zone but an offset", "no rule for summer"),
        ("+08:00", "is no time zone but an offset", "no rule for summer"),
        ("China Standard Time", "is a name that only Windows knows", "Windows"),
        ("W. Europe Standard Time", "is a name that only Windows knows", "Windows"),
        ("Europe/Frankfurt", "is not a time zone; write", "another town of Germany, another clock nearby in letters"),
        ("Asia/Bejing", "is not a time zone; write", "two slips: better no proposal than Asia/Beirut"),
        ("Etc/GMT+25", "is not a time zone; write", "no such offset"),
        ("", "is not a time zone; write", "empty"),
        ("x" * 5000, "is not a time zone; write", "no search through long texts"),
    ],
)
def test_other_name_is_told_as_what_it_is(name: str, said: str, reason: str) -> None:
    with pytest.raises(ValueError, match=r"time zone|Windows") as caught:
        time_zone(name)
    assert said in str(caught.value), reason
    assert "did you mean" not in str(caught.value), reason


@pytest.mark.parametrize(
    ("name", "caution"),
    [
        ("UTC", None),
        ("CET", None),
        ("Europe/Zurich", None),
        ("Etc/GMT", None),
        ("EST", '"EST" is a clock without summer time; where clocks change name the place, such as "America/New_York"'),
        ("Etc/GMT+5", '"Etc/GMT+5" is 5 hours behind UTC all year: the sign counts to the west; better name the place'),
        (
            "Etc/GMT-1",
            '"Etc/GMT-1" is 1 hour ahead of UTC all year: the sign counts to the west; better name the place',
        ),
    ],
)
def test_zone_that_is_easily_meant_otherwise_is_cautioned_about(name: str, caution: str | None) -> None:
    assert time_zone(name) == name
    assert zone_caution(name) == caution


@pytest.mark.parametrize("name", ["EST", "MST", "HST", "Etc/GMT+5", "Etc/GMT-1"])
def test_caution_about_a_zone_is_what_its_clock_does(name: str) -> None:
    winter, summer = (datetime(2026, month, 1, 12, tzinfo=ZoneInfo(name)).utcoffset() for month in (1, 7))
    assert winter == summer
    assert winter is not None
    assert (winter < timedelta()) is (name != "Etc/GMT-1")
