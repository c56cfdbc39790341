"""Assessment to cards: one card at most (design of the card: docs/clinical.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cds_service.cards.detail import decided_detail, indeterminate_detail
from cds_service.cards.wording import TEXTS
from cds_service.clinical.evidence import STUDY_URL
from cds_service.clinical.outcomes import AboveCutoff, Indeterminate, NotAboveCutoff, NotEligible
from cds_service.hooks.response import Card, Coding, Link, Source

if TYPE_CHECKING:
    from collections.abc import Callable

    from cds_service.cards.options import CardOptions
    from cds_service.cards.wording.texts import Texts
    from cds_service.clinical.outcomes import Assessment, Decided
    from cds_service.clinical.policy import ClinicalPolicy
    from cds_service.hooks.response import Indicator

# CDS Hooks 2.0, Card Attributes: fewer than 140 characters.
LONGEST_SUMMARY: Final = 139

OVERRIDE_REASON_SYSTEM: Final = "https://sii-cds.org/CodeSystem/override-reasons"

# Static per rule, and alphanumeric: Epic keys the persistence of overrides on it.
TOPIC: Final = Coding(code="siiRecurrenceRisk", system="https://sii-cds.org/CodeSystem/topics", display="SII")


class CardBuilder:
    """Builds cards in one language under one site's options."""

    def __init__(self, options: CardOptions, policy: ClinicalPolicy, mapping_version: str) -> None:
        """Prepare what is the same on every card."""
        self._options = options
        self._cutoff_source = policy.cutoff_source
        self._mapping_version = mapping_version
        self._texts = TEXTS[options.language]
        self._source = Source(label=self._texts.source_label, url=STUDY_URL, topic=TOPIC)
        self._links = (Link(label=self._texts.model_card_label, url=options.model_card_url, type="absolute"),)
        self._override_reasons = override_reasons(self._texts)

    def build(self, assessment: Assessment, new_uuid: Callable[[], str]) -> tuple[Card, ...]:
        """Return the cards for an assessment: none for patients who are not eligible or as the site chooses."""
        if isinstance(assessment, NotEligible):
            return ()
        if isinstance(assessment, Indeterminate):
            return (self._indeterminate(assessment, new_uuid()),) if self._options.show_indeterminate else ()
        if isinstance(assessment, NotAboveCutoff) and not self._options.show_not_above_cutoff:
            return ()
        return (self._decided(assessment, new_uuid()),)

    def _decided(self, assessment: Decided, uuid: str) -> Card:
        above = isinstance(assessment, AboveCutoff)
        sentence = self._texts.above_summary if above else self._texts.not_above_summary
        summary = sentence.format(
            sii=assessment.sii, cutoff=assessment.cutoff, date=assessment.timed.draw.effective.day.isoformat()
        )
        detail = decided_detail(assessment, self._texts, self._mapping_version, self._cutoff_source)
        return self._card(uuid, summary, "warning" if above else "info", detail)

    def _indeterminate(self, assessment: Indeterminate, uuid: str) -> Card:
        summary = indeterminate_summary(assessment, self._texts)
        return self._card(uuid, summary, "info", indeterminate_detail(assessment, self._texts, self._mapping_version))

    def _card(self, uuid: str, summary: str, indicator: Indicator, detail: str) -> Card:
        return Card(
            uuid=uuid,
            summary=summary[:LONGEST_SUMMARY],
            indicator=indicator,
            source=self._source,
            detail=detail,
            override_reasons=self._override_reasons,
            links=self._links,
        )


def override_reasons(texts: Texts) -> tuple[Coding, ...]:
    """Return the fixed list of override reasons, each with code, system and display (requirement 104)."""
    return tuple(
        Coding(code=code, system=OVERRIDE_REASON_SYSTEM, display=display)
        for code, display in texts.override_reasons.items()
    )


def indeterminate_summary(assessment: Indeterminate, texts: Texts) -> str:
    """Name the first reasons in one line, as many as fit, and how many more there are."""
    phrases = [texts.short_reasons[reason] for reason in assessment.reasons]
    if assessment.newest_result is not None:
        phrases[0] += f" (blood of {assessment.newest_result.day.isoformat()})"
    for shown in range(len(phrases), 0, -1):
        more = len(phrases) - shown
        reason = ", ".join(phrases[:shown]) + (texts.indeterminate_more.format(count=more) if more else "")
        summary = texts.indeterminate_summary.format(cutoff=assessment.cutoff, reason=reason)
        if len(summary) <= LONGEST_SUMMARY:
            return summary
    return summary
