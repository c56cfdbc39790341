"""Which days procedures leave open, as a card tells them: the same days on which a draw is placed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.clinical.chart_facts import OperationFact, ProcedureTime
from cds_service.clinical.closed_days import DaySpan, OpenDays, closing_times, days_closed_by, open_days
from cds_service.clinical.timing import Relation, TreatmentCalendar
from tests.unit.clinical.values import NOW, POLICY, TODAY, at, dated, day, done, draw, eligible

LATEST = day(60)
LAST_DAY = date(9999, 12, 31)


def ago(first: int, last: int) -> DaySpan:
    return DaySpan(day(first), day(last))


@pytest.mark.parametrize(
    ("others", "closing", "expected", "reason"),
    [
        ((), (), OpenDays(day(32), (), (ago(90, 60),)), "one procedure: from day 28, and 30 days before"),
        ((88,), (), OpenDays(day(32), (), (ago(90, 89), ago(60, 60))), "the latest one is on its day 28"),
        ((87,), (), OpenDays(day(32), (), (ago(90, 88),)), "the latest one is on its day 27"),
        ((90,), (), OpenDays(day(32), (), (ago(62, 60),)), "the whole window begins closed"),
        ((91,), (), OpenDays(day(32), (), (ago(63, 60),)), "closed from a day before the window on"),
        ((118,), (), OpenDays(day(32), (), (ago(90, 60),)), "over when the window begins"),
        ((117,), (), OpenDays(day(32), (), (ago(89, 60),)), "closes its first day"),
        ((61, 89), (), OpenDays(day(32), (), (ago(90, 90),)), "two before it"),
        ((), (60,), OpenDays(day(32), (), (ago(90, 61),)), "another one on its day: that day is told as closed"),
        ((), (50,), OpenDays(day(22), (), (ago(90, 60),)), "an operation within its days: later by ten"),
        ((), (32,), OpenDays(day(4), (), (ago(90, 60),)), "an operation on day 28"),
        ((), (31,), OpenDays(day(3), (ago(32, 32),), (ago(90, 60),)), "one day between"),
        ((), (20, 5), OpenDays(day(-23), (ago(32, 21),), (ago(90, 60),)), "two that follow: the days before both"),
        ((), (50, 10), OpenDays(day(-18), (ago(22, 11),), (ago(90, 60),)), "one moves the first day, one ends it"),
    ],
)
def test_open_days_around_the_latest_procedure(
    others: tuple[int, ...], closing: tuple[int, ...], expected: OpenDays, reason: str
) -> None:
    procedures = dated(at(LATEST), *(at(day(other)) for other in others))

    found = open_days(procedures, dated(*(at(day(age)) for age in closing)), POLICY, TODAY)

    assert found == expected, reason


@pytest.mark.parametrize(
    ("latest", "closing", "expected", "reason"),
    [
        (done(at(day(300))), 100, OpenDays(day(72), (), (ago(330, 300),)), "days older than 90 days: not told"),
        (done(at(day(300))), 89, OpenDays(day(61), (ago(272, 90),), (ago(330, 300),)), "the last is 90 days old"),
        (done(at(day(70)), at(day(50))), None, OpenDays(day(22), (), (ago(80, 70),)), "a Period: from its end"),
        (done(at(day(90)), at(day(50))), None, OpenDays(day(22), (), ()), "began before the window"),
        (done(at(day(80)), at(day(50))), None, OpenDays(day(22), (), (ago(80, 80),)), "on its first day"),
        (done(at(day(9)), at(day(-5))), None, OpenDays(day(-33), (), (ago(30, 9),)), "an end that lies ahead"),
        (done(at(day(9)), at(LAST_DAY)), None, OpenDays(LAST_DAY, (), (ago(30, 9),)), "without an end"),
        (done(at(day(9)), at(date(9999, 12, 4))), None, OpenDays(LAST_DAY, (), (ago(30, 9),)), "27 days before it"),
        (done(at(day(9)), at(date(9999, 12, 3))), None, OpenDays(date(9999, 12, 31), (), (ago(30, 9),)), "28 days"),
    ],
)
def test_open_days_of_a_span_or_long_ago(
    latest: ProcedureTime, closing: int | None, expected: OpenDays, reason: str
) -> None:
    others = () if closing is None else dated(at(day(closing)))

    assert open_days((latest,), others, POLICY, TODAY) == expected, reason


def test_open_days_where_another_one_has_no_end() -> None:
    endless = done(at(day(20)), at(LAST_DAY))

    found = open_days(dated(at(LATEST)), (endless,), POLICY, TODAY)

    assert found == OpenDays(LAST_DAY, (ago(32, 21),), (ago(90, 60),))


def test_open_days_follow_the_limits_of_the_site() -> None:
    policy = replace(POLICY, post_procedure_exclusion_days=0, baseline_window_days=2, max_age_days=10)

    found = open_days(dated(at(day(40)), at(day(41))), dated(at(day(12)), at(day(5))), policy, TODAY)

    assert found == OpenDays(day(4), (ago(11, 6),), (ago(42, 42), ago(40, 40)))


def test_open_days_of_a_patient_are_those_of_all_procedures() -> None:
    answer = eligible(at(LATEST))._replace(closing=dated(at(day(50))))

    assert answer.open_days(POLICY, NOW) == OpenDays(day(22), (), (ago(90, 60),))
    assert eligible().open_days(POLICY, NOW) is None


def test_open_days_of_a_patient_count_from_the_day_of_the_site() -> None:
    # In UTC it is still the day before; a procedure whose end lies ahead was on today at the latest.
    endless = eligible(done(at(day(9)), at(LAST_DAY)))

    found = endless.open_days(POLICY, NOW.astimezone(UTC))

    assert found == OpenDays(LAST_DAY, (), (ago(30, 9),))


AGES = st.integers(min_value=0, max_value=200)


@given(procedures=st.lists(AGES, min_size=1, max_size=4), closing=st.lists(AGES, max_size=3))
def test_open_days_are_those_on_which_a_draw_is_used(procedures: list[int], closing: list[int]) -> None:
    times, others = dated(*(at(day(age)) for age in sorted(procedures))), dated(*(at(day(age)) for age in closing))
    calendar = TreatmentCalendar(times, POLICY, TODAY, others)
    found = open_days(times, others, POLICY, TODAY)

    for age in range(240):
        taken = day(age)
        timed = calendar.place(draw(at(taken)))
        before = any(first <= taken <= last for first, last in found.before)
        after = taken >= found.from_day or any(first <= taken <= last for first, last in found.between)
        if timed.refusal is None:
            assert before if timed.relation is Relation.BEFORE else after, age
        elif taken != times[0].first.day:
            assert not before, age
            assert not after or age > POLICY.max_age_days, age


def test_days_closed_by_a_procedure_end_with_the_calendar() -> None:
    assert days_closed_by(done(at(day(10)), at(day(-5))), 27, TODAY) == (day(10), TODAY + timedelta(days=27))
    assert days_closed_by(done(at(LAST_DAY)), 27, LAST_DAY) == (LAST_DAY, LAST_DAY)


@pytest.mark.parametrize(
    ("kind", "time", "closes", "reason"),
    [
        ("interventional", done(at(day(9))), True, "begun and not completed"),
        ("liver-resection", done(at(day(9))), True, "a resection"),
        ("liver-transplant", done(at(day(9))), True, "a transplant"),
        ("splenectomy", done(at(day(9))), False, "not of the liver"),
        ("liver-resection", None, False, "undated"),
        ("liver-resection", ProcedureTime(at(day(30)), at(day(9)), "2026-02", "2026-02"), False, "the month alone"),
    ],
)
def test_operation_closes_days(kind: str, time: ProcedureTime | None, closes: bool, reason: str) -> None:
    operation = OperationFact(kind, "Procedure/1", "1", True, time)

    assert closing_times([operation]) == ((time,) if closes else ()), reason
