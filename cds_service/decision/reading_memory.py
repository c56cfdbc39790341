"""Times that were read in one chart and mean the same in every other: for runs over many charts of one site.

The charts of hooks share hardly any, and what is in them their senders decide.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cds_service.normalization.effective_time import TimeReader

if TYPE_CHECKING:
    from datetime import datetime

    from cds_service.clinical.models import EffectiveTime
    from cds_service.clinical.reasons import Reason
    from cds_service.decision.site import Site

# So many texts are remembered; then it begins anew.
_MOST_TEXTS: Final = 20_000


class ReadingMemory:
    """Remembers times up to a bound; what codes and units mean, the site remembers (`Site.measures`)."""

    def __init__(self, site: Site) -> None:
        """Keep the site whose charts are read."""
        self._site = site
        self._seen: dict[str, EffectiveTime | Reason] = {}

    def times(self, now: datetime) -> TimeReader:
        """Return a reader of times as of a moment."""
        if len(self._seen) > _MOST_TEXTS:
            self._seen = {}
        return TimeReader(self._site.policy.timezone, now, self._seen)
