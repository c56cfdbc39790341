"""Procedures that close days and do not qualify: from the chart through eligibility to the draw that decides."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cds_service.clinical.assessment import assess
from cds_service.clinical.chart_facts import ChartFacts, ConditionFact, OperationFact, ProcedureFact
from cds_service.clinical.closed_days import OpenDays, all_closed_days, first_moments
from cds_service.clinical.eligibility import judge_eligibility
from cds_service.clinical.models import BloodCounts
from cds_service.clinical.outcomes import AboveCutoff, Indeterminate
from cds_service.clinical.reasons import Reason
from cds_service.clinical.sii import compute_sii
from tests.unit.clinical.values import NOW, POLICY, TODAY, at, day, done, draw, eligible

CANCER = ConditionFact("primary", "Condition/1", "1", "C22.0", False, day(400), day(400))
ABLATION = ProcedureFact("ablation", "Procedure/1", "1", "x", done(at(day(60))))


def test_operation_of_the_chart_closes_days() -> None:
    resection = OperationFact("liver-resection", "Procedure/2", "y", True, done(at(day(10))))
    eligibility = judge_eligibility(ChartFacts(None, (CANCER,), (ABLATION,), (resection,)), POLICY, NOW)

    assert eligibility.closing == (done(at(day(10))),)
    found = assess(compute_sii, eligibility, BloodCounts((draw(at(day(5))),)), (), POLICY, NOW)
    assert isinstance(found, Indeterminate)
    assert found.reasons == (Reason.POST_PROCEDURE_WINDOW,)
    assert found.open_days == OpenDays(day(-18), ((day(32), day(11)),), ((day(90), day(60)),))  # type: ignore[arg-type]


@pytest.mark.parametrize("unreadable", [(), (at(day(5)),)])
def test_indeterminate_outcome_tells_of_findings_that_cannot_be_read(unreadable: tuple[object, ...]) -> None:
    counts = BloodCounts(unreadable_clumps=unreadable)  # type: ignore[arg-type]

    found = assess(compute_sii, eligible(at(day(60))), counts, (), POLICY, NOW)

    assert isinstance(found, Indeterminate)
    assert found.clumps_unreadable is bool(unreadable)


def test_decision_without_word_of_the_unreadable_has_none() -> None:
    found = assess(compute_sii, eligible(at(day(60))), BloodCounts((draw(at(day(20))),)), (), POLICY, NOW)

    assert isinstance(found, AboveCutoff)
    assert found.doubts.unreadable == 0


@pytest.mark.parametrize(
    ("exclusion", "days", "expected", "reason"),
    [
        (0, (10,), [], "no day but that of the procedure"),
        (1, (10,), [(day(9), day(9))], "one day"),
        (2, (10, 8), [(day(9), day(8)), (day(7), day(6))], "two that do not meet"),
        (2, (10, 9), [(day(9), day(7))], "two that overlap"),
        (5, (10, 10), [(day(9), day(5))], "two of one day"),
    ],
)
def test_closed_days_are_whole_days_after_procedures(
    exclusion: int, days: tuple[int, ...], expected: list[tuple[object, object]], reason: str
) -> None:
    assert all_closed_days([done(at(day(ago))) for ago in days], exclusion, TODAY) == expected, reason


@pytest.mark.parametrize("turned", [False, True])
def test_earliest_moment_of_a_day_is_kept(turned: bool) -> None:
    early, late, other = at(day(9), "08:00"), at(day(9), "12:00"), at(day(5))
    times = [done(early), done(late), done(other)]

    found = first_moments(reversed(times) if turned else times, 27, TODAY)

    assert found == {day(9): early, day(5): other}


def test_procedure_that_begins_after_today_closes_no_moment() -> None:
    ahead = done(at(TODAY + timedelta(days=40)))

    assert first_moments([ahead], 27, TODAY) == {}
