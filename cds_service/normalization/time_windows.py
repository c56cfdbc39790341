"""Draws among results that no specimen reference joins: within the span of minutes, newest first."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from typing import TYPE_CHECKING

from cds_service.normalization.one_draw import Kind, Members, Pick, pick_best

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, timedelta

    from cds_service.clinical.models import BloodDraw, LabResult
    from cds_service.normalization.one_draw import DrawBuilder

_Order = tuple["date", float]


class _Lane:
    """Results of one kind and preference: timed ones by instant, day-only ones by day."""

    def __init__(self) -> None:
        self.moments: list[float] = []
        self.timed: list[LabResult] = []
        self.by_day: defaultdict[date, list[LabResult]] = defaultdict(list)

    def add(self, result: LabResult) -> None:
        """Take a result; callers add them oldest first."""
        if result.effective.instant is None:
            self.by_day[result.effective.day].append(result)
        else:
            self.moments.append(result.effective.instant.timestamp())
            self.timed.append(result)

    def pick(self, earliest: float, latest: float, day: date) -> Pick | None:
        """Pick the newest result in [earliest, latest], else one of the same day without a time."""
        end = bisect_right(self.moments, latest)
        if end and self.moments[end - 1] >= earliest:
            start = bisect_left(self.moments, self.moments[end - 1])
            return pick_best(self.timed[start:end])
        return pick_best(self.by_day[day]) if self.by_day.get(day) else None


def draws_by_time(results: Sequence[LabResult], same_draw: timedelta, builder: DrawBuilder) -> list[BloodDraw]:
    """Form draws from the newest moment backwards; a result belongs to one draw at most.

    Every distinct moment is tried once as the latest member of a draw, so the cost is near linear in the results.
    """
    lanes = _lanes(results)
    anchors: list[_Order] = sorted({r.effective.order for r in results}, reverse=True)
    ceiling: _Order | None = None
    draws: list[BloodDraw] = []
    for anchor in anchors:
        if ceiling is not None and anchor >= ceiling:
            continue
        draw = builder.build(_members(lanes, anchor, same_draw.total_seconds()))
        if draw is not None:
            draws.append(draw)
            ceiling = min(r.effective.order for r in draw.results)
    return draws


def _lanes(results: Sequence[LabResult]) -> dict[Kind, dict[int, _Lane]]:
    lanes: dict[Kind, dict[int, _Lane]] = {}
    for result in sorted(results, key=lambda r: r.effective.order):
        by_preference = lanes.setdefault((result.analyte, result.basis), {})
        by_preference.setdefault(result.preference, _Lane()).add(result)
    return lanes


def _members(lanes: dict[Kind, dict[int, _Lane]], anchor: _Order, span: float) -> Members:
    day, moment = anchor
    picks: dict[Kind, Pick] = {}
    for kind, by_preference in lanes.items():
        for preference in sorted(by_preference):
            pick = by_preference[preference].pick(moment - span, moment, day)
            if pick is not None:
                picks[kind] = pick
                break
    return Members(picks)
