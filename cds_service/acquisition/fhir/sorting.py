"""Whether results came newest first, by what came: only then a page of old ones tells that only older ones follow.

Servers count days in zones of their own, so a day more or less proves nothing.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cds_service.acquisition.bundles import BundleContent
    from cds_service.acquisition.resources import Observation

_SLACK: Final = timedelta(days=1)


def is_newest_first(observations: Iterable[Observation]) -> bool:
    """Tell whether results are proved to be sorted: none is newer than one before it, and they do get older.

    Results without a day that can be read prove nothing and disprove nothing.
    """
    days = [day for observation in observations if (day := day_of(observation)) is not None]
    oldest = date.max
    for day in days:
        if day - _SLACK > oldest:
            return False
        oldest = min(oldest, day)
    return bool(days) and days[0] - oldest > _SLACK


def only_older_follow(pages: Sequence[BundleContent[Any]], first_needed: date) -> bool:
    """Tell whether all that follows these pages was taken before a day: sorted so far, and the last page lies there."""
    last = pages[-1]
    if last.malformed or not last.resources:
        return False
    for observation in last.resources:
        day = day_of(observation)
        if day is None or day + _SLACK >= first_needed:
            return False
    return is_newest_first(observation for page in pages for observation in page.resources)


def day_of(observation: Observation) -> date | None:
    """Return the day of a result as written; None where there is none to the day."""
    period = observation.effectivePeriod
    of_period = (period.end or period.start) if period is not None else None
    text = observation.effectiveDateTime or observation.effectiveInstant or of_period or ""
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None
