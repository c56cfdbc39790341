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


class Order:
    """The order of results as they come. Each is looked at once, however many pages there are.

    Results without a day that can be read prove nothing and disprove nothing.
    """

    def __init__(self) -> None:
        """Have seen nothing."""
        self._pages = 0
        self._newest: date | None = None
        self._oldest = date.max
        self._is_broken = False

    @property
    def is_newest_first(self) -> bool:
        """Tell whether results are proved to be sorted: none is newer than one before it, and they do get older."""
        return not self._is_broken and self._newest is not None and self._newest - self._oldest > _SLACK

    def take(self, observations: Iterable[Observation]) -> None:
        """Take further results into account."""
        for observation in observations:
            day = day_of(observation)
            if day is None:
                continue
            self._newest = self._newest or day
            self._is_broken = self._is_broken or (day > self._oldest and day - self._oldest > _SLACK)
            self._oldest = min(self._oldest, day)

    def only_older_follow(self, pages: Sequence[BundleContent[Any]], first_needed: date) -> bool:
        """Tell whether all that follows was taken before a day: sorted so far, and the last page lies wholly there."""
        for page in pages[self._pages :]:
            self.take(page.resources)
        self._pages = len(pages)
        last = pages[-1]
        if last.malformed or not last.resources or not self.is_newest_first:
            return False
        days = [day_of(observation) for observation in last.resources]
        return all(day is not None and first_needed - day > _SLACK for day in days)


def is_newest_first(observations: Iterable[Observation]) -> bool:
    """Tell whether results are proved to be sorted."""
    order = Order()
    order.take(observations)
    return order.is_newest_first


def day_of(observation: Observation) -> date | None:
    """Return the day of a result as written; None where there is none to the day."""
    period = observation.effectivePeriod
    of_period = (period.end or period.start) if period is not None else None
    text = observation.effectiveDateTime or observation.effectiveInstant or of_period or ""
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None
