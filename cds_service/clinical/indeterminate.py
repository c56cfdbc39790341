"""Why no draw may be used: the reasons an indeterminate assessment gives, most telling first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cds_service.clinical.models import Analyte
from cds_service.clinical.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cds_service.clinical.models import BloodCounts, EffectiveTime
    from cds_service.clinical.timing import TimedDraw

MISSING = {
    Analyte.NEUTROPHILS: Reason.MISSING_NEUTROPHILS,
    Analyte.LYMPHOCYTES: Reason.MISSING_LYMPHOCYTES,
    Analyte.PLATELETS: Reason.MISSING_PLATELETS,
}


def explain_no_draw(counts: BloodCounts, timed: Sequence[TimedDraw]) -> tuple[Reason, ...]:
    """Name why no draw decides.

    Complete draws at the wrong time give their refusals, newest first. What is newer than the newest complete draw
    (or everything, where none is complete) gives the missing analytes and, with them, the reasons of the excluded
    results that led there. Never empty.
    """
    since = timed[0].draw.effective if timed else None
    reasons = [t.refusal for t in timed if t.refusal is not None]
    reasons += _incomplete_reasons(counts, since)
    return tuple(dict.fromkeys(reasons))


def _incomplete_reasons(counts: BloodCounts, since: EffectiveTime | None) -> list[Reason]:
    usable = {r.analyte for r in counts.unpaired if _is_newer(r.effective, since)}
    excluded = [e for e in counts.excluded if _is_newer(e.effective, since)]
    missing = [a for a in MISSING if a not in usable]
    if since is None and not missing:
        own_codes = [e.reason for e in excluded if e.analyte is not Analyte.ALBUMIN]
        return [Reason.NO_COMPLETE_DRAW, *counts.pairing_reasons, *sorted(own_codes)]
    if since is not None and not usable:
        missing = [a for a in missing if any(e.analyte is a for e in excluded)]
    # A result whose analyte could not be told may have been any of the missing ones.
    led_there = sorted(e.reason for e in excluded if e.analyte in missing or (missing and e.analyte is None))
    return [*(MISSING[a] for a in missing), *led_there]


def _is_newer(effective: EffectiveTime | None, since: EffectiveTime | None) -> bool:
    """Tell whether a result is newer than the newest complete draw; one without a usable time may be."""
    return since is None or effective is None or effective.order > since.order
