"""Who the study speaks about: the order of the questions, ages on birthdays, recurrence by its date."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import permutations
from zoneinfo import ZoneInfo

import pytest

from cds_service.clinical.chart_facts import ChartFacts, ConditionFact, PatientFact, ProcedureFact, ProcedureTime
from cds_service.clinical.eligibility import judge_eligibility
from cds_service.clinical.models import EffectiveTime
from cds_service.clinical.reasons import Reason
from tests.unit.clinical.values import NOW, POLICY, at, dated, done

ADULT = PatientFact(date(1958, 3, 4), deceased=False)
CHILD = PatientFact(date(2015, 1, 1), deceased=False)
DEAD = PatientFact(date(1958, 3, 4), deceased=True)
MERGED_DEAD = PatientFact(date(2015, 1, 1), deceased=True, replaced=True)
DEAD_CHILD = PatientFact(date(2015, 1, 1), deceased=True)

ASSUMED = replace(POLICY, eligibility_required=False)


def condition(category: str = "primary", last_day: date | None = None, *, came_back: bool = False) -> ConditionFact:
    return ConditionFact(category, f"Condition/{category}", "1", "C22.0", came_back, last_day)


def procedure(performed: EffectiveTime | ProcedureTime | None) -> ProcedureFact:
    time = done(performed) if isinstance(performed, EffectiveTime) else performed
    return ProcedureFact("ablation", "Procedure/1", "1", "609232008", time)


CANCER = (condition(),)
TREATED = (procedure(at("2026-01-15")),)
SPREAD = (condition(), condition("secondary"))


@pytest.mark.parametrize(
    ("patient", "conditions", "procedures", "expected", "reason"),
    [
        (ADULT, CANCER, TREATED, None, "adult, alive, cancer, treated, nothing came back"),
        (MERGED_DEAD, (), (), Reason.RECORD_REPLACED, "a record that must not be used is asked first"),
        (DEAD_CHILD, (), (), Reason.DECEASED, "then death"),
        (CHILD, (), (), Reason.UNDER_AGE, "then age"),
        (ADULT, (condition("secondary"),), (), Reason.NO_PRIMARY_LIVER_CANCER, "then the cancer"),
        (ADULT, SPREAD, (), Reason.NO_INTERVENTIONAL_PROCEDURE, "then the procedure"),
        (ADULT, SPREAD, TREATED, Reason.RECURRENCE_KNOWN, "recurrence is asked last"),
        (ADULT, (), TREATED, Reason.NO_PRIMARY_LIVER_CANCER, "a procedure alone does not prove the cancer"),
        (ADULT, CANCER, (), Reason.NO_INTERVENTIONAL_PROCEDURE, "not treated"),
        (ADULT, (condition("history"),), TREATED, None, "history of liver cancer and a qualifying procedure"),
        (ADULT, (condition("history"),), (), Reason.NO_INTERVENTIONAL_PROCEDURE, "history alone is not enough"),
        (ADULT, CANCER, (procedure(None),), None, "an undated procedure qualifies"),
        (None, CANCER, TREATED, None, "the Patient is optional data"),
    ],
)
def test_eligibility_first_question_answered_no_gives_the_reason(
    patient: PatientFact | None,
    conditions: tuple[ConditionFact, ...],
    procedures: tuple[ProcedureFact, ...],
    expected: Reason | None,
    reason: str,
) -> None:
    assert judge_eligibility(ChartFacts(patient, conditions, procedures), POLICY, NOW).reason is expected, reason


@pytest.mark.parametrize(
    ("patient", "conditions", "procedures", "expected", "reason"),
    [
        (ADULT, (), (), None, "the EHR vouches for cancer and treatment"),
        (CHILD, (), (), Reason.UNDER_AGE, "not for age"),
        (DEAD, (), (), Reason.DECEASED, "nor for life"),
        (ADULT, SPREAD, (), Reason.RECURRENCE_KNOWN, "a recorded metastasis answers the question all the same"),
    ],
)
def test_eligibility_assumed_asks_neither_for_cancer_nor_for_procedure(
    patient: PatientFact,
    conditions: tuple[ConditionFact, ...],
    procedures: tuple[ProcedureFact, ...],
    expected: Reason | None,
    reason: str,
) -> None:
    assert judge_eligibility(ChartFacts(patient, conditions, procedures), ASSUMED, NOW).reason is expected, reason


@pytest.mark.parametrize(
    ("born", "today", "under_age", "reason"),
    [
        ("2008-03-10", "2026-03-10", False, "on the eighteenth birthday"),
        ("2008-03-11", "2026-03-10", True, "the day before"),
        ("2008-03-09", "2026-03-10", False, "the day after"),
        ("2008-02-29", "2026-02-28", True, "a leap day's child, on the last day of February"),
        ("2008-02-29", "2026-03-01", False, "and on the day after it"),
        ("2004-02-29", "2022-02-28", True, "the same four years earlier"),
        ("2008-12-31", "2026-03-10", True, "born 2008 without a day: the youngest the patient may be"),
        ("2007-12-31", "2026-03-10", False, "born 2007 without a day: eighteen whatever the day"),
        ("2008-04-01", "2026-03-31", True, "the month counts before the day"),
        ("2008-02-28", "2026-03-01", False, "the month counts before the day"),
        ("2030-01-01", "2026-03-10", True, "a birth date ahead of the clock"),
        ("1900-01-01", "2026-03-10", False, "very old"),
    ],
)
def test_age_counts_whole_years_of_the_calendar(born: str, today: str, under_age: bool, reason: str) -> None:
    now = datetime.fromisoformat(f"{today}T12:00").replace(tzinfo=POLICY.timezone)
    patient = PatientFact(date.fromisoformat(born), deceased=False)

    found = judge_eligibility(ChartFacts(patient, CANCER, TREATED), POLICY, now).reason

    assert found is (Reason.UNDER_AGE if under_age else None), reason


@pytest.mark.parametrize(
    ("zone", "expected", "reason"),
    [
        ("Asia/Shanghai", None, "there the birthday has begun"),
        ("America/Los_Angeles", Reason.UNDER_AGE, "there it is still the day before"),
    ],
)
def test_age_is_counted_by_the_day_of_the_site(zone: str, expected: Reason | None, reason: str) -> None:
    born = PatientFact(date(2008, 3, 10), deceased=False)
    policy = replace(POLICY, timezone=ZoneInfo(zone))
    now = datetime(2026, 3, 9, 20, 0, tzinfo=UTC)

    assert judge_eligibility(ChartFacts(born, CANCER, TREATED), policy, now).reason is expected, reason


@pytest.mark.parametrize(("minimum", "expected"), [(16, None), (18, Reason.UNDER_AGE), (0, None)])
def test_age_is_compared_with_the_minimum_of_the_site(minimum: int, expected: Reason | None) -> None:
    teenager = PatientFact(date(2009, 3, 11), deceased=False)

    assert (
        judge_eligibility(ChartFacts(teenager, CANCER, TREATED), replace(POLICY, minimum_age=minimum), NOW).reason
        is expected
    )


def test_age_without_birth_date_excludes_nobody() -> None:
    assert judge_eligibility(ChartFacts(PatientFact(None, deceased=False), CANCER, TREATED), POLICY, NOW).reason is None


OLD, LATEST = at("2025-06-01"), at("2026-01-15")
WEEKS = done(at("2025-12-01"), at("2026-01-15"))
YEAR = ProcedureTime(at("2025-01-01"), at("2025-12-31"), "2025", "2025")


@pytest.mark.parametrize(
    ("recurrence", "procedures", "known", "reason"),
    [
        (condition("secondary", date(2026, 1, 14)), (LATEST,), False, "the day before: the procedure treated it"),
        (condition("secondary", date(2026, 1, 15)), (LATEST,), False, "on the day: what the procedure was for"),
        (condition("secondary", date(2026, 1, 16)), (LATEST,), True, "after"),
        (condition("secondary"), (LATEST,), True, "undated: it may be after"),
        (condition("recurrence", date(2026, 2, 1)), (LATEST,), True, "local recurrence by its own code"),
        (condition("primary", date(2026, 2, 1), came_back=True), (LATEST,), True, "relapse as the cancer's status"),
        (condition("primary", date(2025, 2, 1), came_back=True), (LATEST,), False, "a relapse before the procedure"),
        (condition("primary", date(2026, 2, 1)), (LATEST,), False, "the cancer recorded anew is no recurrence"),
        (condition("history", date(2026, 2, 1)), (LATEST,), False, "nor is its history"),
        (condition("secondary", date(2025, 9, 1)), (LATEST, OLD), False, "between two: before the latest counts"),
        (condition("secondary", date(2026, 2, 1)), (OLD, LATEST), True, "after the latest, whatever the order sent"),
        (condition("secondary", date(2025, 9, 1)), (None,), True, "no procedure is dated: nothing can be before it"),
        (condition("secondary", date(2025, 9, 1)), (LATEST, None), False, "the dated one counts"),
        (condition("secondary", date(2025, 11, 30)), (WEEKS,), False, "before the first day of the procedure"),
        (condition("secondary", date(2025, 12, 1)), (WEEKS,), False, "on its first day: what it was for"),
        (condition("secondary", date(2026, 1, 14)), (WEEKS,), True, "while it may have been"),
        (
            condition("secondary", date(2025, 3, 10)),
            (YEAR, at("2025-11-10")),
            False,
            "one known to the year ends last, and another was surely later than the metastasis",
        ),
        (condition("secondary", date(2025, 11, 10)), (YEAR, at("2025-11-10")), False, "on the day of that other one"),
        (condition("secondary", date(2025, 12, 10)), (YEAR, at("2025-11-10")), True, "after it, within the year"),
        (condition("secondary", date(2024, 12, 31)), (YEAR,), False, "before the year"),
    ],
)
def test_recurrence_is_known_unless_before_the_latest_procedure(
    recurrence: ConditionFact, procedures: tuple[EffectiveTime | ProcedureTime | None, ...], known: bool, reason: str
) -> None:
    found = judge_eligibility(ChartFacts(ADULT, (*CANCER, recurrence), [procedure(p) for p in procedures]), POLICY, NOW)

    assert found.reason is (Reason.RECURRENCE_KNOWN if known else None), reason


def test_eligibility_procedures_come_latest_end_first_with_the_undated_counted() -> None:
    weeks = done(at("2025-01-01"), at("2026-01-01"))
    times = [
        at("2025-06-01"),
        None,
        weeks,
        at("2026-01-15", "14:00"),
        at("2026-01-15", "09:00"),
        None,
        at("2026-01-15"),
    ]

    found = judge_eligibility(ChartFacts(ADULT, CANCER, [procedure(time) for time in times]), POLICY, NOW)

    assert found.procedures == dated(
        at("2026-01-15", "14:00"),
        at("2026-01-15", "09:00"),
        at("2026-01-15"),
        weeks,
        at("2025-06-01"),
    )
    assert found.undated_procedures == 2


def test_eligibility_procedures_that_end_together_come_in_one_order_whatever_the_order_sent() -> None:
    last_day = at("2025-12-31")
    times = [done(last_day), YEAR, done(at("2025-12-01"), last_day), ProcedureTime(YEAR.first, last_day, "?", "2025")]

    orders = [
        judge_eligibility(ChartFacts(ADULT, CANCER, [procedure(time) for time in sent]), POLICY, NOW).procedures
        for sent in permutations(times)
    ]

    assert orders == [orders[0]] * len(orders)
    assert orders[0][0] == done(last_day), "the one that began last"
