"""Which of several draws decides, and which one is the baseline beside it."""

from __future__ import annotations

import pytest

from cds_service.clinical.reasons import Reason
from cds_service.clinical.timing import Relation, TimedDraw, choose_draws
from tests.unit.clinical.values import at, day, draw

AFTER, BEFORE = Relation.AFTER, Relation.BEFORE


def timed(age: int, relation: Relation | None, refusal: Reason | None = None, *problems: Reason) -> TimedDraw:
    return TimedDraw(draw(at(day(age)), ("1", "1", "1"), *problems), relation, None, refusal)


PROBLEM = Reason.CONFLICTING_RESULTS
STALE, WINDOW, BASELINE = Reason.STALE, Reason.POST_PROCEDURE_WINDOW, Reason.OUTSIDE_BASELINE_WINDOW


@pytest.mark.parametrize(
    ("draws", "decisive", "baseline", "reason"),
    [
        ([], None, None, "no draw"),
        ([timed(1, AFTER)], 1, None, "one after"),
        ([timed(1, BEFORE)], 1, None, "one before: it decides, and is no baseline beside itself"),
        ([timed(1, None)], 1, None, "no dated procedure: the newest"),
        ([timed(1, AFTER), timed(2, AFTER), timed(3, BEFORE), timed(4, BEFORE)], 1, 3, "the newest of each kind"),
        ([timed(1, AFTER, WINDOW), timed(2, AFTER), timed(3, BEFORE)], 2, 3, "the newest that may be used"),
        ([timed(1, AFTER, WINDOW), timed(2, BEFORE)], 2, None, "none after may be used"),
        ([timed(1, AFTER, STALE), timed(2, BEFORE, BASELINE)], None, None, "none may be used at all"),
        ([timed(1, AFTER), timed(2, BEFORE, BASELINE)], 1, None, "no usable baseline"),
        ([timed(1, AFTER, None, PROBLEM), timed(2, AFTER)], 1, None, "a problem does not pass the choice on"),
        ([timed(1, BEFORE, None, PROBLEM), timed(2, BEFORE)], 1, None, "nor among baselines"),
        ([timed(1, AFTER), timed(2, BEFORE, None, PROBLEM)], 1, 2, "nor for the baseline beside"),
    ],
)
def test_choice_among_draws_newest_first(
    draws: list[TimedDraw], decisive: int | None, baseline: int | None, reason: str
) -> None:
    chosen = choose_draws(draws)

    assert chosen.decisive == next((d for d in draws if d.draw.effective.day == _day(decisive)), None), reason
    assert chosen.baseline == next((d for d in draws if d.draw.effective.day == _day(baseline)), None), reason


def _day(age: int | None) -> object:
    return day(age) if age is not None else None
