"""The summary of a card: one line that names SII, the cut-off and the day of the blood draw."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cds_service.cards import numbers
from cds_service.clinical.outcomes import AboveCutoff

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cds_service.cards.wording.texts import Texts
    from cds_service.clinical.outcomes import Decided, Indeterminate
    from cds_service.clinical.reasons import Reason

# CDS Hooks 2.0, Card Attributes: fewer than 140 characters. Clients may count UTF-16 units, so texts keep to
# characters of one unit.
LONGEST_SUMMARY: Final = 139


def decided_summary(assessment: Decided, texts: Texts) -> str:
    """Say on which side of the cut-off SII lies; in brief where its digits need the room."""
    full, brief = (
        (texts.above_summary, texts.above_summary_brief)
        if isinstance(assessment, AboveCutoff)
        else (texts.not_above_summary, texts.not_above_summary_brief)
    )
    values = {
        "sii": numbers.sii(assessment.sii, assessment.cutoff),
        "cutoff": f"{assessment.cutoff:f}",
        "date": assessment.timed.draw.effective.day.isoformat(),
    }
    summary = full.format(**values)
    return summary if len(summary) <= LONGEST_SUMMARY else brief.format(**values)[:LONGEST_SUMMARY]


def indeterminate_summary(assessment: Indeterminate, texts: Texts) -> str:
    """Name the first reasons with their dates in one line, as many as fit, and how many more there are."""
    summary = ""
    for count in range(len(assessment.reasons), 0, -1):
        reason = _name_reasons(assessment, assessment.reasons[:count], texts)
        more = len(assessment.reasons) - count
        if more:
            reason = texts.indeterminate_more.format(reason=reason, count=more)
        summary = texts.indeterminate_summary.format(cutoff=f"{assessment.cutoff:f}", reason=reason)
        if len(summary) <= LONGEST_SUMMARY:
            break
    return summary[:LONGEST_SUMMARY]


def _name_reasons(assessment: Indeterminate, reasons: Sequence[Reason], texts: Texts) -> str:
    """List reasons; a date that neighbors share is said once, after the last of them."""
    days = [assessment.taken[reason].day if reason in assessment.taken else None for reason in reasons]
    phrases = [texts.short_reasons[reason] for reason in reasons]
    for place, (day, following) in enumerate(zip(days, [*days[1:], None], strict=True)):
        if day is not None and day != following:
            phrases[place] = texts.indeterminate_dated.format(reason=phrases[place], date=day)
    named = texts.comma.join(phrases)
    if any(days) or assessment.newest_result is None:
        return named
    return texts.indeterminate_newest.format(reason=named, date=assessment.newest_result.day)
