"""What each cut-off would mean for the people who read the cards: flagged, found, missed."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, NamedTuple

from cds_service.insight.cohort.statistics.classification import tabulate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cds_service.insight.cohort.statistics.values import Flags, Numbers

_DAYS_A_WEEK: Final = 7.0


class ThresholdRow(NamedTuple):
    """One cut-off: patients flagged, of these per week, recurrences found and missed, patients flagged for each found.

    `per_week` and `flagged_for_one` are nan where there is no time, or nothing found.
    """

    cutoff: float
    flagged: int
    per_week: float
    found: int
    missed: int
    flagged_for_one: float


def threshold_rows(sii: Numbers, event: Flags, cutoffs: Sequence[float], days: float) -> tuple[ThresholdRow, ...]:
    """Return a row for each cut-off; `days` is how long the decisions took to come, first to last."""
    return tuple(_row(sii, event, cutoff, days) for cutoff in cutoffs)


def _row(sii: Numbers, event: Flags, cutoff: float, days: float) -> ThresholdRow:
    table = tabulate(sii, event, cutoff)
    flagged = table.tp + table.fp
    per_week = flagged / days * _DAYS_A_WEEK if days > 0 else math.nan
    return ThresholdRow(cutoff, flagged, per_week, table.tp, table.fn, flagged / table.tp if table.tp else math.nan)
