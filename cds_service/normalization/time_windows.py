"""Draws among results that no specimen reference joins: within the span of minutes, newest first."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from typing import TYPE_CHECKING

from cds_service.normalization.observed import CORRECTED_STATUSES
from cds_service.normalization.one_draw import Members, Pick, pick_best

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, timedelta

    from cds_service.clinical.models import BloodDraw
    from cds_service.normalization.measures import Kind
    from cds_service.normalization.observed import ObservedResult
    from cds_service.normalization.one_draw import DrawBuilder

_Order = tuple["date", float]
_Lanes = dict["Kind", dict[int, "_Lane"]]


class _Lane:
    """Results of one kind and preference: timed ones by instant, day-only ones by day.

    `corrections` are those among them that stand in no draw of their own.
    """

    def __init__(self) -> None:
        self.corrections: _Lane | None = None
        self.moments: list[float] = []
        self.timed: list[ObservedResult] = []
        self.by_day: defaultdict[date, list[ObservedResult]] = defaultdict(list)
        # Many windows end in the same moment or day, and choosing among its results costs as much as there are.
        self._picked: dict[date | float, Pick] = {}

    def add(self, result: ObservedResult) -> None:
        """Take a result; callers add them oldest first."""
        if result.effective.instant is None:
            self.by_day[result.effective.day].append(result)
        else:
            self.moments.append(result.effective.instant.timestamp())
            self.timed.append(result)

    def pick_timed(self, earliest: float, latest: float) -> Pick | None:
        """Pick the newest result in [earliest, latest]."""
        end = bisect_right(self.moments, latest)
        if not end or self.moments[end - 1] < earliest:
            return None
        moment = self.moments[end - 1]
        if moment not in self._picked:
            self._picked[moment] = pick_best(self.timed[bisect_left(self.moments, moment) : end])
        return self._picked[moment]

    def pick_without_time(self, day: date) -> Pick | None:
        """Pick among the results of a day that tell no time."""
        if day in self.by_day and day not in self._picked:
            self._picked[day] = pick_best(self.by_day[day])
        return self._picked.get(day)


def draws_by_time(results: Sequence[ObservedResult], same_draw: timedelta, builder: DrawBuilder) -> list[BloodDraw]:
    """Form draws from the newest moment backwards; a result belongs to one draw at most.

    A corrected result that stands in none of them belongs to the draw in whose span it lies: it comes before the
    final one there.
    """
    lanes = _lanes(results)
    draws = _draws(results, lanes, same_draw, builder)
    corrected = [r for r in results if r.observation.status in CORRECTED_STATUSES]
    if not corrected:
        return draws
    # What stands at one moment was compared already.
    compared = {(part.analyte, part.basis, part.effective) for draw in draws for part in draw.parts}
    left = [r for r in corrected if (r.analyte, r.basis, r.effective) not in compared]
    for kind, by_preference in _lanes(left).items():
        for preference, lane in by_preference.items():
            lanes[kind][preference].corrections = lane
    return _draws(results, lanes, same_draw, builder) if left else draws


def _draws(
    results: Sequence[ObservedResult], lanes: _Lanes, same_draw: timedelta, builder: DrawBuilder
) -> list[BloodDraw]:
    """Try every distinct moment once as the latest member of a draw, so the cost is near linear in the results."""
    anchors: list[_Order] = sorted({r.effective.order for r in results}, reverse=True)
    ceiling: _Order | None = None
    draws: list[BloodDraw] = []
    for anchor in anchors:
        if ceiling is not None and anchor >= ceiling:
            continue
        draw = _draw_at(lanes, anchor, same_draw.total_seconds(), builder)
        if draw is not None:
            draws.append(draw)
            ceiling = min(part.effective.order for part in draw.parts)
    return draws


def _lanes(results: Sequence[ObservedResult]) -> _Lanes:
    lanes: _Lanes = {}
    for result in sorted(results, key=lambda r: r.effective.order):
        by_preference = lanes.setdefault(result.kind, {})
        by_preference.setdefault(result.preference, _Lane()).add(result)
    return lanes


def _draw_at(lanes: _Lanes, anchor: _Order, span: float, builder: DrawBuilder) -> BloodDraw | None:
    """Build the draw whose latest member is the anchor.

    A result without a time goes with times of its own day only. So a window that reaches back over midnight is tried
    on the anchor's day, and then once more with timed results alone.
    """
    day, moment = anchor
    window = (moment - span, moment)
    members = _pick_each(lanes, window, day)
    if not _mixes_days(members):
        return builder.build(members)
    same_day = builder.build(_pick_each(lanes, window, day, same_day=True))
    return same_day or builder.build(_pick_each(lanes, window, None))


def _mixes_days(members: Members) -> bool:
    times = [result.effective for result in members.best.values()]
    return any(time.instant is None for time in times) and len({time.day for time in times}) > 1


def _pick_each(lanes: _Lanes, window: tuple[float, float], day: date | None, *, same_day: bool = False) -> Members:
    """Pick of each kind the preferred result in the window, else one of `day` without a time."""
    picks: dict[Kind, Pick] = {}
    for kind, by_preference in lanes.items():
        for preference in sorted(by_preference):
            pick = _pick(by_preference[preference], window, day, same_day=same_day)
            if pick is not None:
                picks[kind] = pick
                break
    return Members.of_picks(picks)


def _pick(lane: _Lane, window: tuple[float, float], day: date | None, *, same_day: bool) -> Pick | None:
    pick = lane.pick_timed(*window)
    if pick is None or (same_day and pick.result.effective.day != day):
        pick = lane.pick_without_time(day) if day is not None else None
    if pick is None or lane.corrections is None or pick.result.corrected:
        return pick
    return _pick(lane.corrections, window, day, same_day=same_day) or pick
