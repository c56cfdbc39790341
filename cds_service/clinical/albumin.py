"""Albumin beside the draw: context for the reader, never part of SII."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cds_service.clinical.outcomes import AlbuminContext

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cds_service.clinical.models import DatedResult, EffectiveTime, LabResult


def choose_albumin(results: Sequence[DatedResult], draw: EffectiveTime, window_days: int) -> AlbuminContext | None:
    """Choose the albumin nearest to the draw; None when the chart holds no usable one.

    Among equally near ones the newer wins, then preferred codes, then corrected results, then the latest issued; what
    is equal in all of these is told apart by value and reference, so that the order of the results never matters.
    `within_window` tells whether it lies within the inclusive window of calendar days.
    """
    if not results:
        return None
    distances = [abs((result.effective.day - draw.day).days) for result in results]
    days = min(distances)
    near = [result.whole() for result, distance in zip(results, distances, strict=True) if distance == days]
    nearest = min(near, key=_rank)
    return AlbuminContext(nearest, days, days <= window_days)


def _rank(result: LabResult) -> tuple[object, ...]:
    day, instant = result.effective.order
    issued = result.issued.timestamp() if result.issued is not None else float("-inf")
    return (
        -day.toordinal(),
        -instant,
        result.preference,
        -result.corrected,
        -issued,
        result.quantity.value,
        result.origin,
    )
