"""When a draw may be read: the limits in calendar days, inclusive, against every qualifying procedure."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from cds_service.clinical.chart_facts import ProcedureTime
from cds_service.clinical.models import Analyte, BloodDraw, EffectiveTime
from cds_service.clinical.policy import ClinicalPolicy
from cds_service.clinical.reasons import Reason
from cds_service.clinical.timing import Relation, TreatmentCalendar
from tests.unit.clinical.values import POLICY, TODAY, at, dated, day, done, draw, result

AFTER, BEFORE = Relation.AFTER, Relation.BEFORE
WINDOW, BASELINE, STALE = Reason.POST_PROCEDURE_WINDOW, Reason.OUTSIDE_BASELINE_WINDOW, Reason.STALE

# A procedure long enough ago that no draw below is stale for being after it.
PROCEDURE = day(60)


def placed(
    taken: EffectiveTime | BloodDraw, *procedures: EffectiveTime | ProcedureTime, today: date = TODAY
) -> tuple[Relation | None, int | None, Reason | None]:
    taken = draw(taken) if isinstance(taken, EffectiveTime) else taken
    timed = TreatmentCalendar(dated(*procedures), POLICY, today).place(taken)
    return timed.relation, timed.days, timed.refusal


@pytest.mark.parametrize(
    ("days_after", "expected", "reason"),
    [
        (-31, (BEFORE, 31, BASELINE), "one day too long before"),
        (-30, (BEFORE, 30, None), "the last day of the baseline window"),
        (-1, (BEFORE, 1, None), "the day before"),
        (0, (AFTER, 0, WINDOW), "the day itself, without times"),
        (1, (AFTER, 1, WINDOW), "the day after"),
        (27, (AFTER, 27, WINDOW), "the last day of the exclusion"),
        (28, (AFTER, 28, None), "the first day that counts"),
    ],
)
def test_draw_by_days_from_the_procedure_is_placed(
    days_after: int, expected: tuple[Relation, int, Reason | None], reason: str
) -> None:
    assert placed(at(PROCEDURE + timedelta(days=days_after)), at(PROCEDURE)) == expected, reason


@pytest.mark.parametrize(
    ("age", "procedure_age", "expected", "reason"),
    [
        (90, 200, (AFTER, 110, None), "the oldest that counts"),
        (91, 200, (AFTER, 109, STALE), "one day too old"),
        (0, 200, (AFTER, 200, None), "of today"),
        (91, 100, (AFTER, 9, WINDOW), "too soon and too old: too soon is said first"),
        (500, 480, (BEFORE, 20, None), "a baseline does not grow stale"),
        (500, 460, (BEFORE, 40, BASELINE), "but it must lie close to the procedure"),
    ],
)
def test_draw_by_its_age_is_placed(
    age: int, procedure_age: int, expected: tuple[Relation, int, Reason | None], reason: str
) -> None:
    assert placed(at(day(age)), at(day(procedure_age))) == expected, reason


@pytest.mark.parametrize(
    ("taken", "procedure", "relation", "reason"),
    [
        (at(PROCEDURE, "07:59"), at(PROCEDURE, "08:00"), BEFORE, "both carry times and the draw is earlier"),
        (at(PROCEDURE, "08:00"), at(PROCEDURE, "08:00"), AFTER, "at the same minute: not earlier"),
        (at(PROCEDURE, "08:01"), at(PROCEDURE, "08:00"), AFTER, "later"),
        (at(PROCEDURE), at(PROCEDURE, "08:00"), AFTER, "the draw carries no time"),
        (at(PROCEDURE, "07:59"), at(PROCEDURE), AFTER, "the procedure carries no time"),
        (at(PROCEDURE), at(PROCEDURE), AFTER, "neither carries one"),
    ],
)
def test_draw_on_the_day_of_the_procedure_is_baseline_only_when_earlier_by_the_clock(
    taken: EffectiveTime, procedure: EffectiveTime, relation: Relation, reason: str
) -> None:
    expected = (BEFORE, 0, None) if relation is BEFORE else (AFTER, 0, WINDOW)

    assert placed(taken, procedure) == expected, reason


@pytest.mark.parametrize(
    ("taken", "procedures", "expected", "reason"),
    [
        (at(day(40)), (at(day(60)), at(day(120))), (AFTER, 20, WINDOW), "too soon after the latest"),
        (at(day(65)), (at(day(60)), at(day(80))), (BEFORE, 5, WINDOW), "too soon after an earlier one"),
        (at(day(65)), (at(day(60)), at(day(93))), (BEFORE, 5, None), "28 days after the earlier one"),
        (at(day(65)), (at(day(60)), at(day(92))), (BEFORE, 5, WINDOW), "27 days after the earlier one"),
        (at(day(75)), (at(day(60)), at(day(70)), at(day(90))), (BEFORE, 15, WINDOW), "too soon after the first of 3"),
        (at(day(95)), (at(day(60)), at(day(140))), (BEFORE, 35, BASELINE), "after the earlier, long before the latest"),
        (at(day(20)), (at(day(60)), at(day(61))), (AFTER, 40, None), "days count from the latest"),
        (
            at(day(60), "07:00"),
            (at(day(60), "09:00"), at(day(60))),
            (BEFORE, 0, WINDOW),
            "before the timed procedure, but not surely before the undated hour of the other",
        ),
    ],
)
def test_draw_beside_several_procedures_is_excluded_by_any_of_them(
    taken: EffectiveTime,
    procedures: tuple[EffectiveTime, ...],
    expected: tuple[Relation, int, Reason | None],
    reason: str,
) -> None:
    assert placed(taken, *procedures) == expected, reason


@pytest.mark.parametrize(
    ("age", "refusal", "reason"),
    [(0, None, "of today"), (90, None, "the oldest that counts"), (91, STALE, "one day too old")],
)
def test_draw_without_dated_procedure_is_judged_by_age_alone(age: int, refusal: Reason | None, reason: str) -> None:
    assert placed(at(day(age))) == (None, None, refusal), reason


@pytest.mark.parametrize(
    ("limits", "taken", "expected", "reason"),
    [
        ({"post_procedure_exclusion_days": 0}, at(day(60)), WINDOW, "day 0 is excluded even so"),
        ({"post_procedure_exclusion_days": 0}, at(day(59)), None, "and no other"),
        ({"post_procedure_exclusion_days": 35}, at(day(25)), WINDOW, "a longer exclusion"),
        ({"post_procedure_exclusion_days": 35}, at(day(24)), None, "and its end"),
        ({"baseline_window_days": 7}, at(day(67)), None, "a shorter baseline"),
        ({"baseline_window_days": 7}, at(day(68)), BASELINE, "and its end"),
        ({"max_age_days": 10}, at(day(10)), None, "a shorter age"),
        ({"max_age_days": 10}, at(day(11)), STALE, "and its end"),
    ],
)
def test_draw_is_placed_by_the_limits_of_the_site(
    limits: dict[str, Any], taken: EffectiveTime, expected: Reason | None, reason: str
) -> None:
    policy = replace(POLICY, **limits)

    assert TreatmentCalendar(dated(at(PROCEDURE)), policy, TODAY).place(draw(taken)).refusal is expected, reason


BERLIN = ZoneInfo("Europe/Berlin")
CLOCKS_BACK = date(2026, 10, 25)


def in_berlin(hour: int, minute: int, *, second_time: bool) -> EffectiveTime:
    """The hour from 2 to 3 comes twice on this day, first in summer time."""
    return EffectiveTime(CLOCKS_BACK, datetime(2026, 10, 25, hour, minute, fold=1 if second_time else 0, tzinfo=BERLIN))


@pytest.mark.parametrize(
    ("taken", "procedure", "relation", "reason"),
    [
        (
            in_berlin(2, 50, second_time=False),
            in_berlin(2, 10, second_time=True),
            BEFORE,
            "twenty minutes before, though the wall clock showed more",
        ),
        (
            in_berlin(2, 30, second_time=True),
            in_berlin(2, 45, second_time=False),
            AFTER,
            "45 minutes after, though the wall clock showed less",
        ),
        (
            EffectiveTime(CLOCKS_BACK, datetime(2026, 10, 25, 0, 55, tzinfo=UTC)),
            in_berlin(2, 0, second_time=True),
            BEFORE,
            "five minutes before, told in another zone",
        ),
    ],
)
def test_draw_in_the_hour_that_clocks_repeat_is_placed_by_real_time(
    taken: EffectiveTime, procedure: EffectiveTime, relation: Relation, reason: str
) -> None:
    assert placed(taken, procedure, today=date(2026, 11, 23))[0] is relation, reason


DAYS = timedelta(days=1)
MONTH = done(at(day(60)), at(day(31)))
TWO_HOURS = done(at(PROCEDURE, "08:00"), at(PROCEDURE, "12:00"))
OVER_NIGHT = done(at(day(60), "22:00"), at(day(59), "02:00"))
UNFINISHED = done(at(day(10)), at(TODAY + 21 * DAYS))


@pytest.mark.parametrize(
    ("taken", "procedure", "expected", "reason"),
    [
        (at(day(61)), MONTH, (BEFORE, 30, None), "before the first day; days count from the last"),
        (at(day(62)), MONTH, (BEFORE, 31, BASELINE), "one day too long before the last day"),
        (at(day(60)), MONTH, (AFTER, 0, WINDOW), "on the first day it may have been: not surely before"),
        (at(day(45)), MONTH, (AFTER, 0, WINDOW), "while it may have been: it may have been that morning"),
        (at(day(31)), MONTH, (AFTER, 0, WINDOW), "on the last day"),
        (at(day(4)), MONTH, (AFTER, 27, WINDOW), "the last day of the exclusion, from the last day"),
        (at(day(3)), MONTH, (AFTER, 28, None), "the first day that counts, from the last day"),
        (at(PROCEDURE, "07:59"), TWO_HOURS, (BEFORE, 0, None), "before it began"),
        (at(PROCEDURE, "08:00"), TWO_HOURS, (AFTER, 0, WINDOW), "as it began"),
        (at(PROCEDURE, "10:00"), TWO_HOURS, (AFTER, 0, WINDOW), "while it lasted"),
        (at(day(60), "21:59"), OVER_NIGHT, (BEFORE, 1, None), "before it began, counted from the morning it ended"),
        (at(day(60), "23:00"), OVER_NIGHT, (AFTER, 0, WINDOW), "during the night"),
        (at(day(59), "01:00"), OVER_NIGHT, (AFTER, 0, WINDOW), "before it ended"),
        (at(day(11)), UNFINISHED, (BEFORE, 11, None), "before; its end lies ahead, so today is its last day"),
        (at(day(5)), UNFINISHED, (AFTER, 0, WINDOW), "while it may have been"),
        (at(TODAY), UNFINISHED, (AFTER, 0, WINDOW), "today"),
    ],
)
def test_draw_beside_a_procedure_of_several_days_is_before_it_only_when_surely_so(
    taken: EffectiveTime, procedure: ProcedureTime, expected: tuple[Relation, int, Reason | None], reason: str
) -> None:
    assert placed(taken, procedure) == expected, reason


@pytest.mark.parametrize(
    ("procedures", "expected", "reason"),
    [
        ((at(day(40)), MONTH), (BEFORE, 5, WINDOW), "before the latest, but the other may have been that day"),
        ((MONTH, at(day(50))), (AFTER, 0, WINDOW), "the latest is the one that may have ended last"),
        ((at(day(1)), done(at(day(75)), at(day(73)))), (BEFORE, 44, BASELINE), "28 days after the end of the other"),
        ((at(day(20)), done(at(day(75)), at(day(73)))), (BEFORE, 25, None), "and near enough before the latest"),
        ((at(day(20)), done(at(day(75)), at(day(72)))), (BEFORE, 25, WINDOW), "27 days after the end of the other"),
    ],
)
def test_draw_beside_several_procedures_of_several_days_is_excluded_by_any_of_them(
    procedures: tuple[EffectiveTime | ProcedureTime, ...], expected: tuple[Relation, int, Reason | None], reason: str
) -> None:
    assert placed(at(day(45)), *procedures) == expected, reason


def draw_of(neutrophils: EffectiveTime, rest: EffectiveTime) -> BloodDraw:
    return BloodDraw(
        neutrophils=result(Analyte.NEUTROPHILS, "6", neutrophils),
        lymphocytes=result(Analyte.LYMPHOCYTES, "1.8", rest),
        platelets=result(Analyte.PLATELETS, "210", rest),
    )


@pytest.mark.parametrize(
    ("neutrophils", "procedure", "expected", "reason"),
    [
        (at(PROCEDURE), "08:30", (AFTER, 0, WINDOW), "one part tells no time: it may have been drawn at noon"),
        (at(PROCEDURE, "06:50"), "08:30", (BEFORE, 0, None), "every part tells its time"),
        (at(PROCEDURE, "07:10"), "07:05", (AFTER, 0, WINDOW), "one part was drawn after it began"),
    ],
)
def test_draw_on_the_day_of_the_procedure_is_before_it_only_with_every_part(
    neutrophils: EffectiveTime, procedure: str, expected: tuple[Relation, int, Reason | None], reason: str
) -> None:
    assert placed(draw_of(neutrophils, at(PROCEDURE, "07:00")), at(PROCEDURE, procedure)) == expected, reason


def test_relations_are_the_published_words() -> None:
    assert [str(relation) for relation in Relation] == ["after", "before"]


@pytest.mark.parametrize(
    ("taken", "is_before", "why"),
    [
        (EffectiveTime(date(2026, 1, 10), datetime(2026, 1, 10, 0, 0, tzinfo=UTC)), False, "midnight at the site"),
        (
            EffectiveTime(date(2026, 1, 10), datetime(2026, 1, 10, 0, 0, 1, tzinfo=UTC)),
            True,
            "a second later is a time",
        ),
        (EffectiveTime(date(2026, 1, 9), datetime(2026, 1, 9, 0, 0, tzinfo=UTC)), True, "midnight of the day before"),
        (
            EffectiveTime(date(2026, 1, 9), datetime(2026, 1, 9, 23, 0, tzinfo=UTC), date(2026, 1, 10)),
            False,
            "written as midnight of the procedure's day, an hour east of the site",
        ),
    ],
)
def test_midnight_does_not_place_blood_before_a_procedure_of_its_day(
    taken: EffectiveTime, is_before: bool, why: str
) -> None:
    began = EffectiveTime(date(2026, 1, 10), datetime(2026, 1, 10, 8, 0, tzinfo=UTC))
    procedure = ProcedureTime(began, began, began.isoformat(), began.isoformat())

    timed = TreatmentCalendar([procedure], ClinicalPolicy(UTC), date(2026, 1, 11)).place(draw(taken))

    assert (timed.relation is Relation.BEFORE) is is_before, why
