"""Which albumin stands beside the draw: nearest by calendar days, and the same whatever order results come in."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from cds_service.clinical.albumin import choose_albumin
from cds_service.clinical.models import Analyte, EffectiveTime, LabResult
from tests.unit.clinical.values import ZONE, at, day, result

DRAWN = at(day(40), "07:00")
EARLY = datetime(2026, 1, 29, 9, 0, tzinfo=ZONE)
LATE = EARLY + timedelta(hours=1)


def albumin(value: str, taken: EffectiveTime, **members: Any) -> LabResult:
    return result(Analyte.ALBUMIN, value, taken, **members)


@pytest.mark.parametrize(
    ("days_after", "within", "reason"),
    [
        (0, True, "the same day"),
        (7, True, "the last day of the window after"),
        (8, False, "one day later"),
        (-7, True, "the last day of the window before"),
        (-8, False, "one day earlier"),
    ],
)
def test_albumin_by_days_from_the_draw_is_within_the_window_or_not(days_after: int, within: bool, reason: str) -> None:
    taken = at(DRAWN.day + timedelta(days=days_after))

    found = choose_albumin([albumin("38", taken)], DRAWN, 7)

    assert found is not None
    assert (found.days_from_draw, found.within_window) == (abs(days_after), within), reason


def test_albumin_late_in_the_evening_counts_by_its_day() -> None:
    found = choose_albumin([albumin("38", at(DRAWN.day + timedelta(days=7), "23:59"))], DRAWN, 7)

    assert found is not None
    assert found.within_window


def test_albumin_without_results_is_none() -> None:
    assert choose_albumin([], DRAWN, 7) is None


@pytest.mark.parametrize(
    ("better", "worse", "reason"),
    [
        (albumin("2", at(day(41))), albumin("1", at(day(38))), "one day is nearer than two"),
        (albumin("2", at(day(38))), albumin("1", at(day(42))), "among equally near ones the newer"),
        (albumin("2", at(day(40), "20:00")), albumin("1", at(day(40), "07:00")), "of one day the newer"),
        (albumin("2", at(day(40), "01:00")), albumin("1", at(day(40))), "a time is newer than its day alone"),
        (
            albumin("2", DRAWN, preference=1),
            albumin("1", DRAWN, preference=2, corrected=True, issued=LATE),
            "then the preferred code",
        ),
        (albumin("2", DRAWN, corrected=True), albumin("1", DRAWN, issued=LATE), "then the corrected one"),
        (albumin("2", DRAWN, issued=LATE), albumin("1", DRAWN, issued=EARLY), "then the latest issued"),
        (albumin("2", DRAWN, issued=EARLY), albumin("1", DRAWN), "one that was issued before one that does not say"),
        (albumin("1", DRAWN, name="b"), albumin("2", DRAWN, name="a"), "then the lower value"),
        (albumin("1", DRAWN, name="a"), albumin("1", DRAWN, name="b"), "then the reference"),
    ],
)
def test_albumin_among_several_is_the_better_in_any_order(better: LabResult, worse: LabResult, reason: str) -> None:
    # The lowest value of all, and in all cases but the last two the better one is the higher: values do not decide.
    far = albumin("0.5", at(day(80)))

    for order in permutations((better, worse, far)):
        found = choose_albumin(order, DRAWN, 7)
        assert found is not None
        assert found.result == better, reason
