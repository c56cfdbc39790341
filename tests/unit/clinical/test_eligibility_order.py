"""The order of the questions of eligibility: what a date decides, what a cut-off list leaves open."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from typing import Any

import pytest

from cds_service.clinical.chart_facts import ChartFacts, ConditionFact, OperationFact, PatientFact, ProcedureFact
from cds_service.clinical.eligibility import judge_eligibility
from cds_service.clinical.reasons import Reason
from tests.unit.clinical.values import NOW, POLICY, at, done

ADULT = PatientFact(date(1958, 3, 4), deceased=False)


def condition(category: str, last_day: str | None = None, *, over: bool = False) -> ConditionFact:
    day = date.fromisoformat(last_day) if last_day else None
    return ConditionFact(category, f"Condition/{category}", "1", "C", False, day, day, over)


def treated(*days: str | None) -> tuple[ProcedureFact, ...]:
    return tuple(ProcedureFact("ablation", "Procedure/1", "1", "x", done(at(day)) if day else None) for day in days)


def transplant(day: str | None, *, completed: bool = True) -> OperationFact:
    return OperationFact("liver-transplant", "Procedure/2", "x", completed, done(at(day)) if day else None)


def facts(*conditions: ConditionFact, **members: Any) -> ChartFacts:
    given: dict[str, Any] = {"patient": ADULT, "procedures": treated("2026-01-15")} | members
    return ChartFacts(conditions=(condition("primary"), *conditions), **given)


def reason_of(chart: ChartFacts) -> Reason | None:
    return judge_eligibility(chart, POLICY, NOW).reason


NO_CANCER = Reason.NO_PRIMARY_LIVER_CANCER
TRANSPLANTED = Reason.LIVER_TRANSPLANTED


@pytest.mark.parametrize(
    ("chart", "expected", "reason"),
    [
        (facts(condition("metastasis"), procedures=()), Reason.METASTASIS_KNOWN, "before the procedure is asked for"),
        (
            facts(condition("metastasis", "2020-01-01")),
            Reason.METASTASIS_KNOWN,
            "at any date",
        ),
        (facts(condition("metastasis", "2026-02-01")), Reason.METASTASIS_KNOWN, "and after the procedure"),
        (facts(condition("metastasis", "2025-12-01", over=True)), None, "over, and before the procedure"),
        (facts(condition("metastasis", "2026-01-15", over=True)), Reason.METASTASIS_KNOWN, "over, on its day"),
        (facts(condition("metastasis", over=True)), Reason.METASTASIS_KNOWN, "over, and nobody knows since when"),
        (
            facts(condition("metastasis", "2025-12-01", over=True), procedures=treated(None)),
            Reason.METASTASIS_KNOWN,
            "over, and no procedure is known to be later",
        ),
        (facts(condition("other-histology")), None, "beside a kind that is studied"),
        (facts(condition("transplant-status")), TRANSPLANTED, "a status without a day"),
        (facts(condition("transplant-status", "2026-01-14")), None, "a status from before the procedure"),
        (facts(condition("transplant-status", "2026-01-15")), TRANSPLANTED, "a status of its day"),
        (facts(operations=[transplant("2026-01-15")]), TRANSPLANTED, "on the day of the procedure"),
        (facts(operations=[transplant("2026-02-15")]), TRANSPLANTED, "later"),
        (facts(operations=[transplant("2026-01-14")]), None, "a procedure on the new liver"),
        (facts(operations=[transplant("2026-02-15", completed=False)]), None, "not completed"),
        (facts(operations=[transplant(None)]), None, "nobody knows when: the card names it"),
        (
            facts(condition("transplant-status"), operations=[transplant(None)]),
            TRANSPLANTED,
            "an undated Procedure tells no more than an undated status",
        ),
        (
            facts(condition("transplant-status"), operations=[transplant("2025-01-14")]),
            None,
            "the procedure tells more than the status",
        ),
        (
            facts(condition("recurrence"), operations=[transplant("2026-02-15")]),
            TRANSPLANTED,
            "a transplant is asked for before a recurrence",
        ),
        (facts(procedures=treated("2021-03-10")), None, "five years ago to the day (today is 2026-03-10)"),
        (facts(procedures=treated("2021-03-09")), Reason.BEYOND_FOLLOW_UP, "a day longer"),
        (facts(procedures=treated("2021-03-09", "2025-01-01")), None, "the latest counts"),
        (facts(procedures=treated("2021-03-09", None)), None, "one without a date may be later"),
        (
            facts(condition("recurrence", "2022-01-01"), procedures=treated("2021-03-09")),
            Reason.RECURRENCE_KNOWN,
            "follow-up is asked last",
        ),
    ],
)
def test_eligibility_question_by_question(chart: ChartFacts, expected: Reason | None, reason: str) -> None:
    assert reason_of(chart) is expected, reason


@pytest.mark.parametrize(
    ("categories", "expected", "reason"),
    [
        (("other-histology",), Reason.HISTOLOGY_NOT_STUDIED, "nothing but such a kind"),
        (("other-histology", "history"), Reason.HISTOLOGY_NOT_STUDIED, "a history names no other kind"),
        (("other-histology", "primary"), None, "two cancers, one of them studied"),
        (("secondary",), Reason.NO_PRIMARY_LIVER_CANCER, "what came from elsewhere is no primary"),
        (("history",), None, "history alone will do"),
    ],
)
def test_kind_of_cancer_decides(categories: tuple[str, ...], expected: Reason | None, reason: str) -> None:
    conditions = tuple(condition(category, "2025-01-01") for category in categories)

    assert reason_of(ChartFacts(ADULT, conditions, treated("2026-01-15"))) is expected, reason


@pytest.mark.parametrize(
    ("day", "today", "beyond", "reason"),
    [
        ("2024-02-29", "2029-02-28", False, "the anniversary of a leap day is the last day of February"),
        ("2024-02-29", "2029-03-01", True, "and over the day after"),
        ("2020-02-29", "2025-02-28", False, "in every year that has no such day"),
        ("2021-12-31", "2026-12-31", False, "the last day of a year"),
        ("2021-12-31", "2027-01-01", True, "and the first of the next"),
    ],
)
def test_follow_up_ends_on_the_anniversary_inclusive(day: str, today: str, beyond: bool, reason: str) -> None:
    now = datetime.fromisoformat(f"{today}T12:00").replace(tzinfo=POLICY.timezone)

    found = judge_eligibility(facts(procedures=treated(day)), POLICY, now)

    assert found.reason is (Reason.BEYOND_FOLLOW_UP if beyond else None), reason


def test_follow_up_is_that_of_the_site() -> None:
    chart = facts(procedures=treated("2021-03-09"))

    assert judge_eligibility(chart, replace(POLICY, follow_up_years=6), NOW).reason is None


@pytest.mark.parametrize(
    ("chart", "expected", "unsure", "reason"),
    [
        (
            ChartFacts(ADULT, (), treated("2026-01-15"), (), True),
            Reason.NO_PRIMARY_LIVER_CANCER,
            True,
            "on a later page",
        ),
        (
            ChartFacts(ADULT, (), (), (), False, True),
            Reason.NO_PRIMARY_LIVER_CANCER,
            False,
            "the other list is cut off",
        ),
        (
            ChartFacts(ADULT, (condition("primary"),), (), (), False, True),
            Reason.NO_INTERVENTIONAL_PROCEDURE,
            True,
            "on a later page",
        ),
        (
            ChartFacts(ADULT, (condition("primary"),), (), (), True),
            Reason.NO_INTERVENTIONAL_PROCEDURE,
            False,
            "the other list is cut off",
        ),
        (
            ChartFacts(ADULT, (condition("metastasis"),), (), (), True),
            Reason.METASTASIS_KNOWN,
            False,
            "whatever the other pages hold",
        ),
        (
            ChartFacts(ADULT, (condition("other-histology"),), (), (), True),
            Reason.HISTOLOGY_NOT_STUDIED,
            False,
            "other reasons stand",
        ),
        (
            ChartFacts(ADULT._replace(deceased=True), (), (), (), True, True),
            Reason.DECEASED,
            False,
            "so does death",
        ),
    ],
)
def test_cut_off_list_leaves_open_what_it_may_hold(
    chart: ChartFacts, expected: Reason, unsure: bool, reason: str
) -> None:
    found = judge_eligibility(chart, POLICY, NOW)

    assert (found.reason, found.unsure) == (expected, unsure), reason


def test_overdue_procedures_beside_one_without_a_date_tell_no_latest_one() -> None:
    found = judge_eligibility(facts(procedures=treated("2020-01-01", None)), POLICY, NOW)

    assert (found.reason, found.latest_is_dated) == (None, False)
