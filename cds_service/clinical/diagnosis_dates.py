"""Was the cancer known when a procedure was done? A code of many uses counts only if it was, or nobody can tell."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

from cds_service.clinical.eligibility import CANCER_CATEGORIES, HISTORY

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cds_service.clinical.chart_facts import ConditionFact, ProcedureTime

# A diagnosis is often written down after the procedure that led to it; judgement, like the windows.
LATEST_DIAGNOSIS: Final = timedelta(days=30)


def diagnosed_since(conditions: Sequence[ConditionFact]) -> date | None:
    """Return the first day on which liver cancer may have been known; None when it cannot be told.

    An undated diagnosis may be older than any procedure, and so may the cancer of which only a history is recorded.
    """
    cancers = [c for c in conditions if c.category in CANCER_CATEGORIES]
    days = [c.first_day for c in cancers if c.category != HISTORY and c.first_day is not None]
    return min(days) if days and len(days) == len(cancers) else None


def is_before_diagnosis(performed: ProcedureTime | None, since: date | None) -> bool:
    """Tell whether the cancer was first recorded more than 30 days after the last day of a procedure."""
    if performed is None or since is None:
        return False
    return since - performed.last.day > LATEST_DIAGNOSIS


def are_any_before_diagnosis(times: Iterable[ProcedureTime], since: date | None) -> bool:
    """Tell whether any procedure was done before the cancer was recorded."""
    return any(is_before_diagnosis(time, since) for time in times)
