"""When blood counts may be read: after the procedure has settled, or shortly before it, never in between.

Windows: see ClinicalPolicy. They count from the last day on which a procedure may have been; blood counts as drawn
before it only if drawn before the first moment at which it may have begun. After transarterial therapy counts move for
days to weeks (post-embolization syndrome, steroids), so days 0-27 after any qualifying procedure are never used.
"""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from cds_service.clinical.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from cds_service.clinical.chart_facts import ProcedureTime
    from cds_service.clinical.models import BloodCounts, BloodDraw
    from cds_service.clinical.policy import ClinicalPolicy


class Relation(StrEnum):
    """Where a draw stands to the latest qualifying procedure."""

    AFTER = "after"
    BEFORE = "before"


class TimedDraw(NamedTuple):
    """A complete draw with its place in time. `refusal` is None where the rule may use it.

    `days` is never negative, and 0 for blood drawn while the procedure may have been; `relation` and `days` are None
    where no procedure is dated.
    """

    draw: BloodDraw
    relation: Relation | None
    days: int | None
    refusal: Reason | None


class ChosenDraws(NamedTuple):
    """The draw that decides, and the baseline beside it where both exist. `decisive` is None when none may."""

    decisive: TimedDraw | None
    baseline: TimedDraw | None


def time_draw(draw: BloodDraw, procedures: Sequence[ProcedureTime], policy: ClinicalPolicy, today: date) -> TimedDraw:
    """Place a draw relative to the procedures (latest end first) and name why it may not be used, if so."""
    taken = draw.effective.day
    if not procedures:
        stale = (today - taken).days > policy.max_age_days
        return TimedDraw(draw, None, None, Reason.STALE if stale else None)
    latest = procedures[0]
    relation = Relation.BEFORE if _is_before(draw, latest) else Relation.AFTER
    since = (taken - latest.last_day(today)).days
    days = max(since if relation is Relation.AFTER else -since, 0)
    settled = relation is Relation.AFTER and days > policy.post_procedure_exclusion_days
    # Past the window of the latest procedure is past those of all before it.
    if not settled and any(_in_exclusion_window(draw, procedure, policy, today) for procedure in procedures):
        return TimedDraw(draw, relation, days, Reason.POST_PROCEDURE_WINDOW)
    return TimedDraw(draw, relation, days, _refusal(taken, relation, days, policy, today))


def choose_draws(timed: Sequence[TimedDraw]) -> ChosenDraws:
    """Choose among draws sorted newest first: the newest usable one after the latest procedure, else before it.

    A draw with problems is chosen like any other, so that a newer problem is never hidden behind an older draw.
    """
    usable = [t for t in timed if t.refusal is None]
    after = next((t for t in usable if t.relation is not Relation.BEFORE), None)
    before = next((t for t in usable if t.relation is Relation.BEFORE), None)
    if after is not None:
        return ChosenDraws(after, before)
    return ChosenDraws(before, None)


def missing_baseline_window(
    counts: BloodCounts, procedures: Sequence[ProcedureTime], policy: ClinicalPolicy, today: date
) -> tuple[date, date] | None:
    """Return the days before the latest procedure that a cut-off delivery may lack; None when they do not matter.

    They matter when no delivered draw may be used: results come newest first, so what is missing is older. Where the
    procedure may have begun before them, no blood of these days was surely drawn before it.
    """
    if not counts.truncated or not procedures:
        return None
    timed = [time_draw(draw, procedures, policy, today) for draw in counts.draws]
    if choose_draws(timed).decisive is not None:
        return None
    first, last = procedures[0].first.day, procedures[0].last_day(today)
    oldest = last - timedelta(days=policy.baseline_window_days)
    return (oldest, first) if oldest <= first else None


def _refusal(taken: date, relation: Relation, days: int, policy: ClinicalPolicy, today: date) -> Reason | None:
    if relation is Relation.BEFORE:
        return Reason.OUTSIDE_BASELINE_WINDOW if days > policy.baseline_window_days else None
    return Reason.STALE if (today - taken).days > policy.max_age_days else None


def _in_exclusion_window(draw: BloodDraw, procedure: ProcedureTime, policy: ClinicalPolicy, today: date) -> bool:
    if _is_before(draw, procedure):
        return False
    return (draw.effective.day - procedure.last_day(today)).days <= policy.post_procedure_exclusion_days


def _is_before(draw: BloodDraw, procedure: ProcedureTime) -> bool:
    """Tell whether blood was surely drawn before the procedure; on the day it began only when all carry times.

    Exactly midnight stands for any hour of the day that it begins.
    """
    taken, began = draw.effective, procedure.first
    if taken.day > began.day:
        return False
    times = [part.effective for part in draw.parts]
    if max(time.midnight_of or time.day for time in times) < began.day:
        return True
    if taken.instant is None or began.instant is None:
        return False
    if any(time.instant is None or time.midnight_of is not None for time in times):
        return False
    # Not `<` on the datetimes: within one zone Python compares wall clocks, which run twice when summer time ends.
    return taken.instant.timestamp() < began.instant.timestamp()
