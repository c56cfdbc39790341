"""Which days a cut-off delivery may lack: those of the baseline, and only where no delivered draw may be used."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

from cds_service.clinical.models import BloodCounts, EffectiveTime
from cds_service.clinical.reasons import Reason
from cds_service.clinical.timing import TreatmentCalendar, first_day_in_use, missing_baseline_window
from tests.unit.clinical.values import POLICY, TODAY, at, dated, day, done, draw

if TYPE_CHECKING:
    from cds_service.clinical.chart_facts import ProcedureTime

PROCEDURE = at(day(20))
BASELINE = (day(50), day(20))
SPAN = done(at(day(35)), at(day(10)))
TOO_SOON = draw(at(day(5)))


@pytest.mark.parametrize(
    ("counts", "procedures", "expected", "reason"),
    [
        (BloodCounts((TOO_SOON,), truncated=True), (PROCEDURE,), BASELINE, "no draw may be used: there may be older"),
        (BloodCounts(truncated=True), (PROCEDURE,), BASELINE, "no draw was delivered at all"),
        (BloodCounts((TOO_SOON,)), (PROCEDURE,), None, "all was delivered"),
        (BloodCounts((TOO_SOON,), truncated=True), (), None, "no procedure is dated: there is no baseline"),
        (BloodCounts((TOO_SOON, draw(at(day(30)))), truncated=True), (PROCEDURE,), None, "a baseline was delivered"),
        (
            BloodCounts((draw(at(day(30)), ("1", "1", "0"), Reason.ZERO_LYMPHOCYTES),), truncated=True),
            (PROCEDURE,),
            None,
            "a baseline with a problem decides, and no older one hides it",
        ),
        (
            BloodCounts(truncated=True),
            (SPAN,),
            (day(40), day(35)),
            "a span: before its first day, counted from its last",
        ),
        (BloodCounts(truncated=True), (done(at(day(40)), at(day(10))),), (day(40), day(40)), "a span of 30 days"),
        (BloodCounts(truncated=True), (done(at(day(41)), at(day(10))),), None, "a longer one: no draw is a baseline"),
        (
            BloodCounts(truncated=True),
            (done(at(day(10)), at(TODAY + timedelta(days=9))),),
            (day(30), day(10)),
            "its end lies ahead: today is its last day",
        ),
        (BloodCounts((TOO_SOON,), truncated=True), (PROCEDURE, at(day(200))), BASELINE, "of the latest procedure"),
        (
            BloodCounts((draw(at(day(91))),), truncated=True),
            (at(day(200)),),
            (day(230), day(200)),
            "the draw after the procedure is too old",
        ),
        (BloodCounts((draw(at(day(90))),), truncated=True), (at(day(200)),), None, "on its last day it decides"),
    ],
)
def test_missing_window_is_that_of_the_baseline(
    counts: BloodCounts,
    procedures: tuple[EffectiveTime | ProcedureTime, ...],
    expected: tuple[date, date] | None,
    reason: str,
) -> None:
    assert missing_baseline_window(counts, TreatmentCalendar(dated(*procedures), POLICY, TODAY), POLICY) == expected, (
        reason
    )


@pytest.mark.parametrize(
    ("procedures", "expected", "reason"),
    [
        ((), 90, "no procedure is dated: the oldest that counts"),
        ((at(day(20)),), 90, "the baseline is younger than that"),
        ((at(day(61)),), 91, "the baseline begins a day earlier"),
        ((at(day(200)), at(day(400))), 230, "the baseline of the latest procedure"),
        ((SPAN,), 90, "a span counts from its last day"),
        ((done(at(day(300)), at(day(70))),), 100, "a long one, too"),
        ((done(at(day(300)), at(TODAY + timedelta(days=9))),), 90, "its end lies ahead: today is its last day"),
    ],
)
def test_first_day_in_use_is_the_earliest_of_both_windows(
    procedures: tuple[EffectiveTime | ProcedureTime, ...], expected: int, reason: str
) -> None:
    assert first_day_in_use(TreatmentCalendar(dated(*procedures), POLICY, TODAY), POLICY) == day(expected), reason
