"""Assessment to cards: one card at most (design of the card: docs/clinical.md)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import msgspec

from cds_service.cards.brief import brief_decided, brief_indeterminate
from cds_service.cards.detail import Said, decided_detail, indeterminate_detail
from cds_service.cards.summary import decided_summary, indeterminate_summary
from cds_service.clinical.outcomes import AboveCutoff, Indeterminate, NotAboveCutoff, NotEligible
from cds_service.hooks.response import Card, Coding, Link, Source

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from cds_service.cards.gaps import Gap
    from cds_service.cards.options import CardOptions
    from cds_service.cards.voice import Voice
    from cds_service.cards.wording.texts import Texts
    from cds_service.clinical.outcomes import Assessment, Decided
    from cds_service.clinical.policy import ClinicalPolicy
    from cds_service.hooks.response import Indicator

OVERRIDE_REASON_SYSTEM: Final = "https://sii-cds.org/CodeSystem/override-reasons"


class CardBuilder:
    """Builds the cards of one service in one language under one site's options."""

    def __init__(self, voice: Voice, options: CardOptions, policy: ClinicalPolicy, mapping_version: str) -> None:
        self._options = options
        self._made_with = (policy, mapping_version)
        self._voice = voice
        self._others: dict[str, CardBuilder] = {}
        self._texts = voice.texts_in(options.language)
        self._said = Said(voice.rule, self._texts, policy, mapping_version)
        self._source = Source(label=self._texts.source_label, url=voice.source_url, topic=voice.topic)
        self._links = (Link(label=self._texts.model_card_label, url=options.model_card_link, type="absolute"),)
        self._override_reasons = override_reasons(self._texts)

    def in_language(self, language: str | None) -> CardBuilder:
        """Return the builder for a client's language; None is the language of the site."""
        if language is None or language == self._options.language:
            return self
        if language not in self._others:
            options = replace(self._options, language=language)
            self._others[language] = CardBuilder(self._voice, options, *self._made_with)
        return self._others[language]

    def build(
        self,
        assessment: Assessment,
        new_uuid: Callable[[], str],
        gaps: Collection[Gap] = (),
        trend_app: str | None = None,
    ) -> tuple[Card, ...]:
        """Return the cards for an assessment: none for patients who are not eligible or as the site chooses.

        `gaps` are optional data that nobody delivered; the card names them. `trend_app` is where the client opens the
        trend app, None where it has none.
        """
        card = self._card_of(assessment, new_uuid, gaps)
        if card is None:
            return ()
        return (card if trend_app is None else self._with_app(card, trend_app),)

    def _card_of(self, assessment: Assessment, new_uuid: Callable[[], str], gaps: Collection[Gap]) -> Card | None:
        if isinstance(assessment, NotEligible):
            return None
        if isinstance(assessment, Indeterminate):
            shown = self._options.show_indeterminate and assessment.has_grounds
            return self._indeterminate(assessment, new_uuid(), gaps) if shown else None
        if isinstance(assessment, NotAboveCutoff) and not self._shows_not_above(assessment):
            return None
        return self._decided(assessment, new_uuid(), gaps)

    def _with_app(self, card: Card, trend_app: str) -> Card:
        """Add the link that opens the trend app; it tells the app which card it was opened from."""
        link = Link(label=self._texts.trend_app_label, url=trend_app, type="smart", appContext=card.uuid)
        return msgspec.structs.replace(card, links=(*card.links, link))

    def _shows_not_above(self, assessment: NotAboveCutoff) -> bool:
        """Tell whether there is a card: as the site chooses, or because SII was above before the procedure."""
        was_above = any(earlier.baseline and earlier.sii > assessment.cutoff for earlier in assessment.earlier)
        return self._options.show_not_above_cutoff or (self._options.show_baseline_above and was_above)

    def _decided(self, assessment: Decided, uuid: str, gaps: Collection[Gap]) -> Card:
        above = isinstance(assessment, AboveCutoff)
        write = decided_detail if self._options.detail == "full" else brief_decided
        detail = write(assessment, self._said, gaps)
        return self._card(uuid, decided_summary(assessment, self._texts), "warning" if above else "info", detail)

    def _indeterminate(self, assessment: Indeterminate, uuid: str, gaps: Collection[Gap]) -> Card:
        summary = indeterminate_summary(assessment, self._texts)
        write = indeterminate_detail if self._options.detail == "full" else brief_indeterminate
        detail = write(assessment, self._said, gaps)
        return self._card(uuid, summary, "info", detail)

    def _card(self, uuid: str, summary: str, indicator: Indicator, detail: str) -> Card:
        return Card(
            uuid=uuid,
            summary=summary,
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
