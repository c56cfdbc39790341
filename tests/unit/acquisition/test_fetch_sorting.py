"""Newest first or not, by what came: a server that ignores `_sort` must not be believed."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.acquisition.bundles import BundleContent
from cds_service.acquisition.fhir.paging import Order, day_of, is_newest_first
from cds_service.acquisition.resources import Malformed, Observation, Period

NEEDED = date(2026, 6, 1)


def taken(*days: str | None) -> tuple[Observation, ...]:
    return tuple(Observation(effectiveDateTime=day) for day in days)


@pytest.mark.parametrize(
    ("days", "proved", "reason"),
    [
        (("2026-03-03", "2026-03-02", "2026-03-01"), True, "sorted"),
        (("2026-03-03", "2026-03-01T23:00:00-05:00", "2026-03-02T01:00:00Z"), True, "a day of zones apart"),
        (("2026-03-01", "2026-03-02", "2026-03-03"), False, "the oldest first"),
        (("2026-03-03", "2026-03-01", "2026-03-03"), False, "in disorder"),
        (("2026-03-03",) * 50, False, "all of one day: it may be the first or the last"),
        (("2026-03-02", "2026-03-01"), False, "a day apart may be one moment in two zones"),
        (("2026-03-03", None, "2026-03", "2026-03-01"), True, "what has no day says nothing"),
        ((None, "2026"), False, "no day at all"),
        ((), False, "nothing"),
        (("9999-12-31", "0001-01-01"), True, "the ends of the calendar"),
        (("0001-01-01", "9999-12-31"), False, "the other way round"),
    ],
)
def test_order_newest_first_is_proved_by_the_results(days: tuple[str | None, ...], proved: bool, reason: str) -> None:
    assert is_newest_first(taken(*days)) is proved, reason


@pytest.mark.parametrize(
    ("pages", "enough", "reason"),
    [
        ([("2026-07-01", "2026-06-15"), ("2026-05-30", "2026-05-01")], True, "the last page lies before"),
        ([("2026-07-01", "2026-06-15"), ("2026-05-31", "2026-05-01")], False, "the day before may be the day itself"),
        ([("2026-07-01", "2026-06-15"), ("2026-06-02", "2026-05-01")], False, "it lies across"),
        ([("2026-05-01", "2026-05-20"), ("2026-05-01", "2026-04-01")], False, "no order"),
        ([("2026-05-01", "2026-04-01")], True, "nothing newer is there at all"),
        ([("2026-07-01", "2026-06-15"), ("2026-05-01", None)], False, "one without a day may be of any"),
        ([("2026-07-01", "2026-06-15"), ()], False, "an empty page"),
    ],
)
def test_rest_is_left_where_only_older_results_follow(
    pages: list[tuple[str | None, ...]], enough: bool, reason: str
) -> None:
    order, contents = Order(), [BundleContent(taken(*page)) for page in pages]
    told = [order.only_older_follow(contents[: number + 1], NEEDED) for number in range(len(contents))]

    assert told[-1] is enough, reason
    assert not any(told[:-1]), reason


def test_page_with_what_cannot_be_read_ends_nothing() -> None:
    contents = [BundleContent(taken("2026-05-01", "2026-04-01"), (Malformed(),))]

    assert not Order().only_older_follow(contents, NEEDED)


def test_day_of_a_period_is_its_end_else_its_start() -> None:
    both, begun = Period(start="2026-03-01", end="2026-03-02T00:00:00Z"), Period(start="2026-03-01")

    assert day_of(Observation(effectivePeriod=both)) == date(2026, 3, 2)
    assert day_of(Observation(effectivePeriod=begun)) == date(2026, 3, 1)


@given(st.lists(st.integers(0, 400), min_size=1, max_size=60), st.integers(1, 9))
def test_paging_that_ends_never_leaves_a_result_of_the_windows_where_the_server_sorts(
    ages: list[int], size: int
) -> None:
    days = sorted((NEEDED + timedelta(days=200 - age) for age in ages), reverse=True)
    observations = taken(*(day.isoformat() for day in days))
    pages = [BundleContent(observations[i : i + size]) for i in range(0, len(observations), size)]
    order = Order()
    for number in range(len(pages)):
        if order.only_older_follow(pages[: number + 1], NEEDED):
            assert all(day < NEEDED for day in days[(number + 1) * size :])
            break
