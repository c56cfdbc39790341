"""What the card names of the chart: what is recorded near the draw, what closes days, what procedures say together."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from cds_service.clinical.assessment import assess
from cds_service.clinical.chart_facts import ChartFacts, ConditionFact, OperationFact, ProcedureFact
from cds_service.clinical.chart_notes import note_chart
from cds_service.clinical.eligibility import judge_eligibility
from cds_service.clinical.models import BloodCounts
from cds_service.clinical.noted import ChartNotes, RecordedFact, Suspicion
from cds_service.clinical.sii import compute_sii
from tests.unit.clinical.values import NOW, POLICY, TODAY, at, day, done, draw

DRAWN = day(20)
CANCER = ConditionFact("primary", "Condition/1", "1", "C22.0", False, day(400), day(400))


def recorded(kind: str, first: date | None, last: date | None = None) -> RecordedFact:
    return RecordedFact(kind, "X", first, last or first)


def operation(kind: str, when: date | None, *, completed: bool = True) -> OperationFact:
    return OperationFact(kind, "Procedure/o", "X", completed, done(at(when)) if when else None)


def notes(
    *facts: RecordedFact,
    procedures: tuple[int, ...] = (60,),
    operations: tuple[OperationFact, ...] = (),
    conditions: tuple[ConditionFact, ...] = (CANCER,),
    drawn: date = DRAWN,
) -> ChartNotes:
    treated = [ProcedureFact("ablation", "Procedure/1", "1", "x", done(at(day(ago)))) for ago in procedures]
    chart = ChartFacts(None, conditions, treated, operations)
    eligibility = judge_eligibility(chart, POLICY, NOW)
    found = assess(compute_sii, eligibility, BloodCounts((draw(at(drawn)),)), (), POLICY, NOW)
    return note_chart(chart, facts, (), eligibility, found, POLICY, TODAY)


def days_from_draw(days: int) -> date:
    return DRAWN + timedelta(days=days)


@pytest.mark.parametrize(
    ("fact", "named", "reason"),
    [
        (recorded("infection", days_from_draw(-14)), True, "fourteen days before the draw"),
        (recorded("infection", days_from_draw(-15)), False, "a day earlier"),
        (recorded("infection", days_from_draw(14)), True, "fourteen days after"),
        (recorded("infection", days_from_draw(15)), False, "a day later"),
        (recorded("infection", days_from_draw(-60), days_from_draw(-3)), True, "it lasted until near the draw"),
        (recorded("infection", None), False, "nobody knows when"),
        (recorded("pregnancy", days_from_draw(-300)), True, "within 300 days"),
        (recorded("pregnancy", days_from_draw(-301)), False, "longer ago"),
        (recorded("splenectomy", None), True, "a spleen does not grow again"),
        (recorded("haematological-malignancy", days_from_draw(-4000)), True, "at any time"),
        (recorded("palliative-care", None), True, "at any time"),
        (recorded("other-cancer", days_from_draw(-900)), True, "active, so at any time"),
        (recorded("past-cancer", days_from_draw(-900)), False, "over"),
    ],
)
def test_recorded_fact_is_named_near_the_draw(fact: RecordedFact, named: bool, reason: str) -> None:
    assert [f.kind for f in notes(fact).recorded] == ([fact.kind] if named else []), reason


@pytest.mark.parametrize(
    ("fact", "named", "reason"),
    [
        (operation("other", days_from_draw(-28)), ["operation"], "28 days before the draw"),
        (operation("other", days_from_draw(-29)), [], "a day earlier"),
        (operation("other", days_from_draw(1)), [], "after the draw"),
        (operation("other", None), [], "nobody knows when"),
        (operation("splenectomy", days_from_draw(-3000)), ["splenectomy"], "whenever it was"),
        (operation("liver-transplant", days_from_draw(-3000)), ["liver-transplant"], "an earlier transplant"),
        (operation("liver-transplant", None), [], "nobody knows whether it was earlier"),
        (operation("liver-resection", days_from_draw(-28)), ["liver-resection"], "on the first open day"),
        (operation("interventional", days_from_draw(-28), completed=False), [], "named as what closes days"),
    ],
)
def test_operation_is_named_before_the_draw(fact: OperationFact, named: list[str], reason: str) -> None:
    assert [f.kind for f in notes(operations=(fact,)).recorded] == named, reason


def test_newest_of_a_kind_stands_for_all() -> None:
    found = notes(recorded("infection", days_from_draw(-9)), recorded("infection", days_from_draw(-2)))

    assert [f.last_day for f in found.recorded] == [days_from_draw(-2)]


def test_newest_of_a_kind_is_the_one_that_lasted_longest() -> None:
    long, short = (
        recorded("infection", days_from_draw(-12), days_from_draw(-1)),
        recorded("infection", days_from_draw(-3)),
    )

    assert notes(long, short).recorded == notes(short, long).recorded == (long,)


def test_what_closes_days_is_named_and_what_has_no_day_apart() -> None:
    month = OperationFact("liver-resection", "Procedure/m", "X", True, done(at(day(10)))._replace(began="2026-02"))
    stopped = operation("interventional", day(5), completed=False)
    old = operation("interventional", day(200), completed=False)
    first, before = operation("liver-resection", days_from_draw(-27)), operation("liver-resection", days_from_draw(-28))
    undated = operation("liver-resection", None)

    found = notes(operations=(stopped, old, undated, month, first, before))

    assert (found.closing, found.unplaced) == ((stopped, first), (undated, month))


@pytest.mark.parametrize(
    ("procedures", "count", "reason"),
    [
        ((60,), 1, "one"),
        ((60, 365), 2, "to the day a year ago"),
        ((60, 366), 1, "a day longer"),
        ((60, 90, 120), 3, ""),
    ],
)
def test_procedures_of_the_last_year_are_counted(procedures: tuple[int, ...], count: int, reason: str) -> None:
    assert notes(procedures=procedures).recent_procedures == count, reason


def test_procedure_between_a_baseline_and_the_latest_is_named() -> None:
    found = notes(procedures=(20, 40, 90), drawn=day(45))

    assert [time.isoformat() for time in found.between] == [day(40).isoformat()]


def test_procedure_later_on_the_day_of_the_baseline_is_between_too() -> None:
    times = (done(at(day(20))), done(at(day(45), "18:00")))
    treated = [ProcedureFact("ablation", "Procedure/1", "1", "x", time) for time in times]
    chart = ChartFacts(None, (CANCER,), treated, ())
    eligibility = judge_eligibility(chart, POLICY, NOW)
    found = assess(compute_sii, eligibility, BloodCounts((draw(at(day(45), "08:00")),)), (), POLICY, NOW)

    assert note_chart(chart, (), (), eligibility, found, POLICY, TODAY).between == (times[1],)


@pytest.mark.parametrize("turned", [False, True], ids=["as sent", "the other way round"])
def test_newest_of_a_kind_is_named_in_any_order(turned: bool) -> None:
    facts = [recorded("infection", DRAWN)._replace(code=code) for code in ("A40", "A41")]
    operations = [operation("other", days_from_draw(-ago))._replace(code=str(ago)) for ago in (3, 9)]
    if turned:
        facts, operations = facts[::-1], operations[::-1]

    assert [fact.code for fact in notes(*facts, operations=tuple(operations)).recorded] == ["A41", "3"]


def test_what_a_diagnosis_and_an_operation_tell_is_named_once() -> None:
    found = notes(recorded("splenectomy", None), operations=(operation("splenectomy", day(900)),))

    assert found.recorded == (recorded("splenectomy", None),)


@pytest.mark.parametrize(
    ("gap", "expected", "reason"),
    [(28, True, "day 28 is the day of the next"), (29, False, "one day is left"), (10, True, "none at all")],
)
def test_procedures_that_leave_no_day_are_said_to(gap: int, expected: bool, reason: str) -> None:
    found = notes(procedures=(5, 5 + gap), drawn=day(3))

    assert found.no_day_between is expected, reason
    assert (found.too_soon_after, found.days) == (done(at(day(5))), 2)


def test_blood_before_the_latest_is_too_soon_after_the_one_before() -> None:
    found = notes(procedures=(10, 38), drawn=day(11))

    assert (found.too_soon_after, found.days, found.no_day_between) == (done(at(day(38))), 27, True)


@pytest.mark.parametrize(
    ("facts", "named", "reason"),
    [
        ((recorded("past-cancer", day(900)), recorded("infection", days_from_draw(-2))), ["infection"], "not named"),
        ((recorded("infection", days_from_draw(-90)), recorded("palliative-care", None)), ["palliative-care"], "far"),
        ((recorded("pregnancy", day(30)), recorded("infection", days_from_draw(-2))), ["infection", "pregnancy"], ""),
    ],
)
def test_recorded_fact_after_one_that_is_not_named_is_named(
    facts: tuple[RecordedFact, ...], named: list[str], reason: str
) -> None:
    assert [fact.kind for fact in notes(*facts).recorded] == named, reason


@pytest.mark.parametrize("turned", [False, True])
def test_of_two_that_end_together_the_one_that_began_last_is_named(turned: bool) -> None:
    facts = [recorded("infection", days_from_draw(ago), days_from_draw(-2)) for ago in (-9, -5)]

    (found,) = notes(*(reversed(facts) if turned else facts)).recorded

    assert found.first_day == days_from_draw(-5)


@pytest.mark.parametrize(
    ("facts", "named", "reason"),
    [
        ((operation("other", DRAWN),), [("operation", DRAWN)], "of the day of the draw"),
        ((operation("other", days_from_draw(1)),), [], "of the day after"),
        ((operation("splenectomy", None),), [("splenectomy", None)], "a spleen removed nobody knows when"),
        ((operation("splenectomy", None, completed=False),), [], "one that was perhaps not removed"),
        ((operation("liver-transplant", None),), [], "a transplant of no known day is named as such"),
        (
            (operation("interventional", days_from_draw(-3), completed=False), operation("other", days_from_draw(-3))),
            [("operation", days_from_draw(-3))],
            "after one that is named elsewhere",
        ),
        (
            (operation("other", days_from_draw(-90)), operation("splenectomy", days_from_draw(-90))),
            [("splenectomy", days_from_draw(-90))],
            "after one that is too long ago",
        ),
    ],
)
def test_operations_are_named_with_their_days(
    facts: tuple[OperationFact, ...], named: list[tuple[str, date | None]], reason: str
) -> None:
    found = notes(operations=facts).recorded

    assert [(fact.kind, fact.last_day) for fact in found] == named, reason
    assert [(fact.kind, fact.first_day) for fact in found] == named, reason


def test_suspicions_are_named_once_in_a_fixed_order() -> None:
    spread, back = Suspicion("secondary", "C78.7"), Suspicion("recurrence", "X")
    chart = ChartFacts(None, (CANCER,), (ProcedureFact("ablation", "Procedure/1", "1", "x", done(at(day(60)))),))
    eligibility = judge_eligibility(chart, POLICY, NOW)
    found = assess(compute_sii, eligibility, BloodCounts((draw(at(DRAWN)),)), (), POLICY, NOW)

    noted = note_chart(chart, (), (spread, back, spread), eligibility, found, POLICY, TODAY)

    assert noted.suspected == (back, spread)


@pytest.mark.parametrize(
    ("procedures", "closing", "drawn", "expected", "reason"),
    [
        ((5,), None, 3, (5, 2), "one procedure"),
        ((3,), None, 3, (3, 0), "on its day"),
        ((30,), None, 3, (30, 27), "on day 27"),
        ((31,), 10, 3, None, "on day 28: it is the resection that is too close"),
        ((60, 90), 10, 3, None, "the resection alone"),
        ((20,), 10, 3, (20, 17), "too close to both: the procedure is told, the resection named beside it"),
    ],
)
def test_procedure_that_is_too_close_is_told(
    procedures: tuple[int, ...], closing: int | None, drawn: int, expected: tuple[int, int] | None, reason: str
) -> None:
    operations = (operation("liver-resection", day(closing)),) if closing is not None else ()

    found = notes(procedures=procedures, operations=operations, drawn=day(drawn))

    assert found.no_day_between is False, reason
    told = (None, None) if expected is None else (done(at(day(expected[0]))), expected[1])
    assert (found.too_soon_after, found.days) == told, reason


@pytest.mark.parametrize(
    ("members", "expected", "reason"),
    [
        ({"conditions": (CANCER._replace(first_day=day(20), last_day=day(20)),)}, True, "40 days after the procedure"),
        ({"conditions": (CANCER._replace(first_day=day(30), last_day=day(30)),)}, False, "30 days after it"),
        ({"conditions": (CANCER._replace(first_day=None, last_day=None),)}, False, "undated"),
    ],
)
def test_cancer_recorded_after_the_procedure_is_said(members: dict[str, Any], expected: bool, reason: str) -> None:
    assert notes(**members).diagnosed_later is expected, reason


@pytest.mark.parametrize("kind", ["other-cancer", "past-cancer"])
def test_metastasis_in_the_liver_may_be_of_another_cancer(kind: str) -> None:
    spread = ConditionFact("secondary", "Condition/2", "1", "C78.7", False, day(100), day(100))

    assert notes(recorded(kind, day(900)), conditions=(CANCER, spread)).may_be_of_another_cancer
    assert not notes(conditions=(CANCER, spread)).may_be_of_another_cancer
    assert not notes(recorded(kind, day(900))).may_be_of_another_cancer
