"""A specimen reference joins results only where they may be of one specimen."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.charts import ALBUMIN, LYMPHOCYTES, NEUTROPHILS, PLATELETS, Json, draw, observation
from tests.unit.normalization.reading import paired, values

ONE: Json = {"specimen": {"reference": "Specimen/blood"}}

# Times of neutrophils, lymphocytes and platelets of one reference; whether it joins them.
DISTANCES = [
    (("2026-10-14T08:00:00Z", "2026-10-14T08:00:00Z", "2026-10-14T20:00:00Z"), True, "half a day"),
    (("2026-10-14T08:00:00Z", "2026-10-14T12:00:00Z", "2026-10-15T08:00:00Z"), True, "24 hours"),
    (("2026-10-14T08:00:00Z", "2026-10-14T12:00:00Z", "2026-10-15T08:00:01Z"), False, "24 hours and a second"),
    (("2026-10-15T08:00:01Z", "2026-10-14T08:00:00Z", "2026-10-14T12:00:00Z"), False, "whichever comes first"),
    (("2026-10-13T20:00:00Z", "2026-10-14T08:00:00Z", "2026-10-14T21:00:00Z"), False, "from first to last, no chain"),
    (("2026-10-14T20:00:00+12:00", "2026-10-14T08:00:00Z", "2026-10-15T00:00:00-08:00"), True, "24 hours, three zones"),
    # Berlin: the day on which summer time ends has 25 hours, the one on which it begins 23.
    (("2026-10-24T23:30:00+02:00", "2026-10-25T12:00:00+01:00", "2026-10-25T23:30:00+01:00"), False, "25 hours"),
    (("2026-03-28T23:30:00+01:00", "2026-03-29T12:00:00+02:00", "2026-03-30T00:30:00+02:00"), True, "three days, 24 h"),
    (("2026-10-14", "2026-10-14", "2026-10-14"), True, "one day, no times"),
    (("2026-10-14", "2026-10-15", "2026-10-14"), True, "neighboring days, no times"),
    (("2026-10-14", "2026-10-15", "2026-10-16"), False, "three days, no times"),
    (("2026-10-14", "2026-10-13T06:00:00Z", "2026-10-13T06:00:00Z"), True, "a day, and a time of the day before"),
    (("2026-10-14", "2026-10-15T22:00:00+02:00", "2026-10-15T22:00:00+02:00"), True, "and one of the day after"),
    (("2026-10-14", "2026-10-16T00:00:00+02:00", "2026-10-16T00:00:00+02:00"), False, "two days after"),
    (("2026-10-14", "2026-10-15T22:30:00Z", "2026-10-15T22:30:00Z"), False, "two days after by the site's own days"),
    (("2026-10-14", "2026-10-12T12:00:00Z", "2026-10-13T06:00:00Z"), False, "two days before one of the two"),
    (("2026-10-14", "2026-10-13T06:00:00Z", "2026-10-15T06:00:00Z"), False, "the times lie 48 hours apart"),
    (("2026-09-14T08:00:00Z", "2026-10-14T08:00:00Z", "2026-10-14T08:00:00Z"), False, "a month"),
]


@pytest.mark.parametrize(("times", "joined", "reason"), DISTANCES)
def test_specimen_joins_results_of_at_most_a_day(times: tuple[str, str, str], joined: bool, reason: str) -> None:
    rows = [
        observation(code, value, when=when, **ONE)
        for code, value, when in zip((NEUTROPHILS, LYMPHOCYTES, PLATELETS), (6, 2, 200), times, strict=True)
    ]
    for order in itertools.permutations(rows):
        counts = paired(*order)
        assert len(counts.draws) == joined, reason
        assert len(counts.unpaired) == 3 - 3 * joined


NEW, OLD = "2026-11-20T08:00:00Z", "2026-10-20T08:00:00Z"

# Results that all name one placeholder; the draws among them, newest first.
PLACEHOLDERS: list[tuple[list[Json], list[tuple[Any, ...]], str]] = [
    (
        [*draw(200, 4, 1, when=OLD), observation(NEUTROPHILS, 9, when=NEW)],
        [(200, 4, 1)],
        "a complete draw, and neutrophils of a month later: they make no draw with its platelets",
    ),
    ([*draw(200, 4, 1, when=OLD), *draw(300, 5, 2, when=NEW)], [(300, 5, 2), (200, 4, 1)], "two complete draws"),
    (
        [
            *draw(100, None, 1, when="2026-11-20T06:00:00Z"),
            observation(NEUTROPHILS, 1, when="2026-11-20T06:00:00Z", status="corrected"),
            *draw(300, 6, 1, when="2026-11-20T18:00:00Z"),
        ],
        [(300, 6, 1), (100, 1, 1)],
        "two draws of one day, the older one corrected: its correction does not enter the newer",
    ),
    (
        [
            *draw(100, None, 1, when="2026-11-19"),
            observation(NEUTROPHILS, 1, when="2026-11-19", status="corrected"),
            *draw(300, 6, 1, when="2026-11-20"),
        ],
        [(300, 6, 1), (100, 1, 1)],
        "daily draws known by the day",
    ),
    (
        [observation(NEUTROPHILS, 9, when=OLD), *draw(200, None, 1, when=NEW)],
        [],
        "neutrophils of a month before complete nothing",
    ),
    (
        [*draw(200, 4, 1, when=OLD), observation(ALBUMIN, 38, "g/L", when=NEW)],
        [(200, 4, 1)],
        "albumin has no part in draws",
    ),
    (
        [*draw(200, 4, 1, when=OLD), observation(NEUTROPHILS, 9, when=NEW, status="preliminary")],
        [(200, 4, 1)],
        "a result that does not count tells nothing of the reference",
    ),
]


@pytest.mark.parametrize(("rows", "expected", "reason"), PLACEHOLDERS)
def test_placeholder_for_a_specimen_joins_nothing(rows: list[Json], expected: list[Any], reason: str) -> None:
    named = [row | ONE for row in rows]

    assert values(paired(*named)) == expected, reason
    assert values(paired(*named[::-1])) == expected, f"in either order: {reason}"


def test_each_way_to_write_a_reference_is_the_same_placeholder() -> None:
    other: Json = {"specimen": {"reference": "https://ehr.example/fhir/Specimen/blood/_history/2"}}
    rows = [*draw(200, None, 1, when=OLD, **ONE), observation(NEUTROPHILS, 9, when=NEW, **other)]

    assert paired(*rows).draws == ()


def test_results_of_a_placeholder_go_with_those_that_name_none() -> None:
    rows = [*draw(200, None, 1, when=OLD, **ONE), observation(NEUTROPHILS, 9, when=NEW, **ONE)]

    assert values(paired(*rows, observation(NEUTROPHILS, 4, when="2026-10-20T08:30:00Z"))) == [(200, 4, 1)]


def test_another_specimen_of_the_chart_is_not_concerned() -> None:
    ours = [row | {"specimen": {"reference": "Specimen/a"}} for row in draw(300, 5, 2, when="2026-11-10T08:00:00Z")]
    ours[0]["effectiveDateTime"] = "2026-11-10T14:00:00Z"
    rows = [*draw(200, 4, 1, when=OLD, **ONE), observation(NEUTROPHILS, 9, when=NEW, **ONE)]

    assert values(paired(*rows, *ours)) == [(300, 5, 2), (200, 4, 1)]


def test_specimen_that_holds_one_draw_and_a_later_result_is_one_draw() -> None:
    """Where the reference joins them, the newest of a kind stands, however far from the others it was timed."""
    rows = draw(200, 4, 1, when="2026-11-10T08:00:00Z", **ONE)
    later = observation(NEUTROPHILS, 5, when="2026-11-10T14:00:00Z", **ONE)

    assert values(paired(*rows, later)) == [(200, 5, 1)]


HOURS = st.lists(st.integers(0, 200), min_size=3, max_size=7)


@given(HOURS, st.randoms(use_true_random=False))
def test_no_draw_spans_more_than_a_day_whatever_the_reference(hours: list[int], random: Any) -> None:
    codes = [(NEUTROPHILS, 6), (LYMPHOCYTES, 2), (PLATELETS, 200)]
    rows = [
        observation(*codes[place % 3], when=f"2026-10-{10 + hour // 24}T{hour % 24:02}:00:00Z", oid=f"o{place}", **ONE)
        for place, hour in enumerate(hours)
    ]
    found = paired(*rows).draws
    random.shuffle(rows)

    for drawn in found:
        moments = [result.effective.order[1] for result in drawn.results]
        assert max(moments) - min(moments) <= (24 if max(hours) - min(hours) <= 24 else 1) * 3600
    assert [[r.origin.reference for r in d.results] for d in paired(*rows).draws] == [
        [r.origin.reference for r in d.results] for d in found
    ]
