"""When blood counts may be read: after the procedure has settled, or shortly before it, never in between.

Windows: see ClinicalPolicy. They count from the last day on which a procedure may have been; blood counts as drawn
before it only if drawn before the first moment at which it may have begun. After transarterial therapy counts move for
days to weeks (post-embolization syndrome, steroids), so days 0-27 after any qualifying procedure are never used. The
same holds after one that was begun and not completed, and after a resection or transplantation of the liver.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from cds_service.clinical.closed_days import all_closed_days, first_moments
from cds_service.clinical.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from cds_service.clinical.chart_facts import ProcedureTime
    from cds_service.clinical.models import BloodCounts, BloodDraw, EffectiveTime
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


class TreatmentCalendar:
    """Places blood draws among the procedures of a patient; each draw costs one search among sorted days."""

    def __init__(
        self,
        procedures: Sequence[ProcedureTime],
        policy: ClinicalPolicy,
        today: date,
        closing: Sequence[ProcedureTime] = (),
    ) -> None:
        """Sort the days that are closed by qualifying procedures (latest end first) and by `closing` ones."""
        self.procedures = procedures
        self.today = today
        self._policy = policy
        self._spans = all_closed_days((*procedures, *closing), policy.post_procedure_exclusion_days, today)
        self._begins = [span.first for span in self._spans]
        self._first_moments = first_moments((*procedures, *closing), policy.post_procedure_exclusion_days, today)

    @property
    def closed_days(self) -> tuple[tuple[date, date], ...]:
        """Return the days whose blood is never used, from the first to the last of each span, oldest first.

        Blood of a first day is used where it was surely drawn before the procedure.
        """
        return tuple((span.first - timedelta(days=1), span.last) for span in self._spans)

    def place(self, draw: BloodDraw) -> TimedDraw:
        """Place a draw relative to the latest procedure and name why it may not be used, if so."""
        taken, latest = draw.effective.day, self.procedures[0] if self.procedures else None
        relation, days = None, None
        if latest is not None:
            relation = Relation.BEFORE if is_surely_before(draw, latest.first) else Relation.AFTER
            since = (taken - latest.last_day(self.today)).days
            days = max(since if relation is Relation.AFTER else -since, 0)
        if self._is_closed(draw):
            return TimedDraw(draw, relation, days, Reason.POST_PROCEDURE_WINDOW)
        if relation is Relation.BEFORE:
            outside = days is not None and days > self._policy.baseline_window_days
            return TimedDraw(draw, relation, days, Reason.OUTSIDE_BASELINE_WINDOW if outside else None)
        stale = (self.today - taken).days > self._policy.max_age_days
        return TimedDraw(draw, relation, days, Reason.STALE if stale else None)

    def _is_closed(self, draw: BloodDraw) -> bool:
        taken = draw.effective.day
        place = bisect_right(self._begins, taken)
        if place and taken <= self._spans[place - 1].last:
            return True
        moments = (self._first_moments.get(day) for day in (taken, _last_possible_day(draw)))
        return any(began is not None and not is_surely_before(draw, began) for began in moments)


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


def first_day_in_use(calendar: TreatmentCalendar, policy: ClinicalPolicy) -> date:
    """Return the earliest day of the windows in use: no draw of a day before it can decide or be the baseline."""
    after = calendar.today - timedelta(days=policy.max_age_days)
    if not calendar.procedures:
        return after
    return min(after, calendar.procedures[0].last_day(calendar.today) - timedelta(days=policy.baseline_window_days))


def has_decisive_draw(counts: BloodCounts, calendar: TreatmentCalendar) -> bool:
    """Tell whether a delivered draw may be used: blood counts older than all that came cannot take its place."""
    return any(calendar.place(draw).refusal is None for draw in counts.draws)


def missing_baseline_window(
    counts: BloodCounts, calendar: TreatmentCalendar, policy: ClinicalPolicy
) -> tuple[date, date] | None:
    """Return the days before the latest procedure that a cut-off delivery may lack; None when they do not matter.

    They matter when no delivered draw may be used: results come newest first, so what is missing is older. Where the
    procedure may have begun before them, no blood of these days was surely drawn before it.
    """
    if not counts.truncated or not calendar.procedures:
        return None
    if has_decisive_draw(counts, calendar):
        return None
    first, last = calendar.procedures[0].first.day, calendar.procedures[0].last_day(calendar.today)
    oldest = last - timedelta(days=policy.baseline_window_days)
    return (oldest, first) if oldest <= first else None


def is_surely_before(draw: BloodDraw, began: EffectiveTime) -> bool:
    """Tell whether blood was surely drawn before something began; on that day only when all carry times.

    Exactly midnight stands for any hour of the day that it begins.
    """
    taken = draw.effective
    if taken.day > began.day:
        return False
    if _last_possible_day(draw) < began.day:
        return True
    if taken.instant is None or began.instant is None:
        return False
    times = [part.effective for part in draw.parts]
    if any(time.instant is None or time.midnight_of is not None for time in times):
        return False
    # Not `<` on the datetimes: within one zone Python compares wall clocks, which run twice when summer time ends.
    return taken.instant.timestamp() < began.instant.timestamp()


def _last_possible_day(draw: BloodDraw) -> date:
    """Return the last day on which blood may have been drawn: midnight may be the end of a day or its beginning."""
    return max(part.effective.midnight_of or part.effective.day for part in draw.parts)
