"""One draw: by specimen, else by time, else by day. The newest complete draw stands first."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from cds_service.clinical.models import Analyte
from tests.support.charts import (
    LYMPHOCYTES,
    LYMPHOCYTES_SHARE,
    NEUTROPHILS,
    NEUTROPHILS_SHARE,
    PLATELETS,
    Json,
    draw,
    observation,
)
from tests.unit.normalization.reading import paired, values

DAY = "2026-10-14"


def three(
    neutrophils: str | None, lymphocytes: str | None, platelets: str | None, specimens: tuple[str | None, ...] = ()
) -> list[Json]:
    """Build N 6.0, L 2.0, P 200 at the given times of one site, with specimen references."""
    rows = itertools.zip_longest(
        (NEUTROPHILS, LYMPHOCYTES, PLATELETS), (6, 2, 200), (neutrophils, lymphocytes, platelets), specimens
    )
    return [
        observation(code, value, when=when, specimen={"reference": specimen} if specimen else None)
        for code, value, when, specimen in rows
        if when is not None
    ]


def at(clock: str, day: str = DAY) -> str:
    return f"{day}T{clock}"


TIMES = [
    (at("08:00"), at("08:00"), at("08:00"), 1, "one moment"),
    (at("08:00"), at("08:30"), at("09:00"), 1, "60 minutes from first to last, inclusive"),
    (at("09:00"), at("08:00"), at("08:30"), 1, "whichever comes first"),
    (at("08:00"), at("08:30"), at("09:00:01"), 0, "60 minutes and a second"),
    (at("08:00"), at("08:30"), at("09:01"), 0, "61 minutes"),
    (at("08:00"), at("08:50"), at("09:40"), 0, "neighbors within 60 minutes do not make a chain"),
    (at("23:40"), at("23:59:59"), at("00:20", "2026-10-15"), 1, "across midnight"),
    (at("23:19"), at("23:59"), at("00:20", "2026-10-15"), 0, "61 minutes across midnight"),
    ("2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+01:00", "2026-10-25T02:30:00+02:00", 1, "an hour as clocks go"),
    ("2026-10-25T02:29:59+02:00", "2026-10-25T02:30:00+01:00", "2026-10-25T02:30:00+02:00", 0, "an hour and a second"),
    (at("10:00:00+02:00"), at("08:00:00Z"), at("03:00:00-05:00"), 1, "one moment in three zones"),
    (at("08:00:00.123456Z"), at("09:00:00.123456Z"), at("08:10:00Z"), 1, "60 minutes with fractions"),
    (DAY, DAY, DAY, 1, "one day, no times"),
    (DAY, DAY, "2026-10-15", 0, "two days, no times"),
    (DAY, at("08:00"), at("08:30"), 1, "a date goes with any time of its day"),
    (DAY, DAY, at("23:59"), 1, "two dates and a time"),
    (DAY, at("00:00"), at("00:30"), 1, "the first minutes of the day"),
    (DAY, at("08:00"), at("17:00"), 0, "the times are too far apart, whatever the date"),
    (DAY, at("00:10", "2026-10-15"), at("00:20", "2026-10-15"), 0, "the date of the day before"),
    ("2026-10-15", at("23:50"), at("00:20", "2026-10-15"), 0, "a date goes with one of the two days only"),
    (DAY, at("23:50"), at("00:20", "2026-10-15"), 0, "and so with the other"),
    (DAY, at("22:30:00Z"), at("22:30:00Z"), 0, "half past midnight at the site is the next day"),
]


@pytest.mark.parametrize(("neutrophils", "lymphocytes", "platelets", "draws", "reason"), TIMES)
def test_results_without_specimen_make_a_draw_by_time(
    neutrophils: str, lymphocytes: str, platelets: str, draws: int, reason: str
) -> None:
    counts = paired(*three(neutrophils, lymphocytes, platelets))

    assert len(counts.draws) == draws, reason
    assert len(counts.unpaired) == 3 - 3 * draws


@pytest.mark.parametrize(("minutes", "draws"), [(30, 1), (29, 0), (0, 0)])
def test_span_of_a_draw_is_the_sites(minutes: int, draws: int) -> None:
    counts = paired(*three(at("08:00"), at("08:10"), at("08:30")), minutes=minutes)

    assert len(counts.draws) == draws


SPECIMENS = [
    (("Specimen/s", "Specimen/s", "Specimen/s"), 1, "one reference"),
    (
        ("Specimen/s", "https://ehr.example/fhir/Specimen/s", "Specimen/s/_history/4"),
        1,
        "relative, absolute, versioned",
    ),
    (("urn:uuid:1", "urn:uuid:1", "urn:uuid:1"), 1, "one address of the Bundle"),
    (("Specimen/s", "Specimen/s", "Specimen/t"), 0, "two specimens a day apart"),
    (("Specimen/s", "Specimen/s", None), 0, "one result names none"),
    (("#1", "#1", "#1"), 0, "contained specimens are three specimens"),
    (("urn:uuid:1", "urn:uuid:1", "urn:uuid:2"), 0, "two addresses"),
    (("Specimen/s", "Specimen/s", "Device/s"), 0, "one id of two types"),
]


@pytest.mark.parametrize(("specimens", "draws", "reason"), SPECIMENS)
def test_equal_specimen_makes_a_draw_whatever_the_times(
    specimens: tuple[str | None, ...], draws: int, reason: str
) -> None:
    counts = paired(*three(at("08:00"), at("12:00"), at("08:00", "2026-10-15"), specimens))

    assert len(counts.draws) == draws, reason


def test_different_specimens_of_one_hour_make_a_draw_by_time() -> None:
    counts = paired(*three(at("08:00"), at("08:00"), at("08:05"), ("Specimen/a", "Specimen/a", "Specimen/b")))

    assert values(counts) == [(200, 6, 2)]


def test_incomplete_specimen_is_completed_by_time() -> None:
    counts = paired(*three(at("08:00"), at("08:00"), at("08:05"), ("Specimen/a", "Specimen/a", None)))

    assert values(counts) == [(200, 6, 2)]


def test_time_of_a_draw_is_that_of_its_latest_result() -> None:
    (found,) = paired(*three(at("08:00"), at("08:30"), at("08:10"))).draws

    assert found.effective.isoformat() == "2026-10-14T08:30:00+02:00"


DATES_AT_MIDNIGHT = [
    (
        [
            *three("2026-10-15", at("23:50"), at("00:20", "2026-10-15")),
            observation(LYMPHOCYTES, 3, when=at("00:10", "2026-10-15")),
        ],
        [(200, 6, 3)],
        "the newest lymphocytes are of the date's day already",
    ),
    (
        [
            observation(NEUTROPHILS, 5, when="2026-10-15"),
            observation(LYMPHOCYTES, 2, when=at("23:50")),
            observation(LYMPHOCYTES, 3, when="2026-10-15"),
            observation(PLATELETS, 200, when=at("00:20", "2026-10-15")),
        ],
        [(200, 5, 3)],
        "with a date the lymphocytes of the day stand for those before midnight",
    ),
    (
        [
            *three("2026-10-15", at("00:20", "2026-10-15"), at("00:20", "2026-10-15")),
            observation(LYMPHOCYTES, 3, when=at("23:50"), status="corrected", oid="corrected"),
        ],
        [(200, 6, 2)],
        "a correction of the day before is none of the day's",
    ),
    (
        [
            observation(NEUTROPHILS, 5, when="2026-10-15"),
            observation("753-4", 6, when=at("23:55")),
            observation(LYMPHOCYTES, 2, when=at("23:50")),
            observation(PLATELETS, 200, when=at("00:20", "2026-10-15")),
        ],
        [(200, 6, 2)],
        "timed results across midnight stand where the preferred one without a time does not fit",
    ),
]


def test_preferred_code_stands_before_a_later_second_choice() -> None:
    rows = [("770-8", 60, "%", "08:00"), ("71676-1", 0.5, "1", "08:30"), ("736-9", 20, "%", "08:30")]
    results = [observation(code, value, unit, when=at(clock)) for code, value, unit, clock in rows]

    (found,) = paired(*results, observation(PLATELETS, 200, when=at("08:30"))).draws

    assert found.neutrophils.origin.code == "770-8"


@pytest.mark.parametrize(("resources", "expected", "reason"), DATES_AT_MIDNIGHT)
def test_date_never_joins_times_of_two_days(
    resources: list[Json], expected: list[tuple[Any, ...]], reason: str
) -> None:
    assert values(paired(*resources)) == expected, reason


def test_preferred_code_before_midnight_stands_where_all_tell_their_time() -> None:
    counts = paired(
        *three(at("23:50"), at("23:55"), at("00:20", "2026-10-15")),
        observation("753-4", 9, when=at("00:10", "2026-10-15")),
        observation("732-8", 3, when=at("00:10", "2026-10-15")),
    )

    assert values(counts) == [(200, 6, 2)]


def test_newest_draw_stands_first_and_every_result_belongs_to_one() -> None:
    older = three(at("08:00"), at("08:00"), at("08:00"))
    newer = draw(300, "5", "1", when=at("08:40"))

    assert values(paired(*older, *newer)) == [(300, 5, 1), (200, 6, 2)]


def test_newer_incomplete_draw_does_not_count() -> None:
    newer = [observation(NEUTROPHILS, 9, when=at("17:00")), observation(PLATELETS, 300, when=at("17:00"))]
    counts = paired(*three(at("08:00"), at("08:00"), at("08:00")), *newer)

    assert values(counts) == [(200, 6, 2)]
    assert {r.analyte for r in counts.unpaired} == {Analyte.NEUTROPHILS, Analyte.PLATELETS}


def test_newest_of_each_kind_within_the_span_stands() -> None:
    counts = paired(*three(at("08:00"), at("08:00"), at("08:00")), observation(NEUTROPHILS, 5, when=at("08:30")))

    assert values(counts) == [(200, 5, 2)]


def test_albumin_is_never_part_of_a_draw() -> None:
    counts = paired(*three(at("08:00"), at("08:00"), at("08:00")), observation("1751-7", 38, "g/L", when=at("08:00")))

    assert counts.unpaired == ()
    assert len(counts.draws) == 1


SAME_MOMENT = [
    (draw(300, "5", "1", when=at("08:00")), [(200, 6, 2, "conflicting-results")], "two truths of one moment"),
    (draw(300, "4", "2", when=at("08:00")), [(200, 6, 2)], "other values, the same SII of 600: it does not matter"),
    (draw(300, "5", 0, when=at("08:00")), [(200, 6, 2, "conflicting-results")], "one of the two has no lymphocytes"),
    (draw(200, "6", "2", when=at("08:00:01")), [(200, 6, 2), (200, 6, 2)], "a second apart: two draws"),
]


@pytest.mark.parametrize(("others", "expected", "reason"), SAME_MOMENT)
def test_two_specimens_of_one_moment_must_agree(
    others: list[Json], expected: list[tuple[Any, ...]], reason: str
) -> None:
    ours = three(at("08:00"), at("08:00"), at("08:00"), ("Specimen/a",) * 3)
    theirs = [other | {"specimen": {"reference": "Specimen/b"}} for other in others]

    assert values(paired(*ours, *theirs)) == expected, reason
    assert values(paired(*theirs, *ours)) == expected, f"in either order: {reason}"


def test_two_specimens_of_one_moment_keep_the_readings_of_both() -> None:
    # Counted by hand as well: SII 600 by machine, 500 and 700 by hand.
    rows = [
        row | {"specimen": {"reference": f"Specimen/{name}"}}
        for name, neutrophils in (("a", 5), ("b", 7))
        for row in (
            *draw(200, 6, 2, when=at("08:00")),
            observation("753-4", neutrophils, when=at("08:00")),
            observation("732-8", 2, when=at("08:00")),
        )
    ]

    (found,) = paired(*rows).draws

    assert [result.quantity.value for result in found.results] == [200, 6, 2]
    assert sorted(reading.neutrophils.whole().quantity.value for reading in found.others) == [5, 7]


def test_two_draws_with_one_problem_keep_it() -> None:
    zero = [
        row | {"specimen": {"reference": f"Specimen/{name}"}}
        for name in "ab"
        for row in draw(200, "6", 0, when=at("08:00"))
    ]

    assert values(paired(*zero)) == [(200, 6, 0, "zero-lymphocytes")]


def test_counts_and_shares_of_one_moment_are_one_draw() -> None:
    shares = [
        observation(NEUTROPHILS_SHARE, 60, "%", when=at("08:00")),
        observation(LYMPHOCYTES_SHARE, 20, "%", when=at("08:00")),
    ]

    assert values(paired(*three(at("08:00"), at("08:00"), at("08:00")), *shares)) == [(200, 6, 2)]
