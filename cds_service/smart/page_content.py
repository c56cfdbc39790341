"""What a page says, in the words of the cards."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from cds_service.cards.detail import decided_detail, indeterminate_detail
from cds_service.cards.summary import decided_summary, indeterminate_summary
from cds_service.cards.wording import TEXTS, TREND_TEXTS
from cds_service.clinical.outcomes import Indeterminate, NotEligible
from cds_service.reports.markdown import render_detail

if TYPE_CHECKING:
    from markupsafe import Markup

    from cds_service.cards.wording.texts import Texts
    from cds_service.services.decision import Decision
    from cds_service.services.site import Site
    from cds_service.smart.view import View


class Excluded(NamedTuple):
    """How many results or entries are not used for a reason; nothing of what they say."""

    code: str
    sentence: str
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PageContent:
    """All that the template fills in."""

    name: str
    born: str
    number: str
    read_line: str
    outcome: str
    headline: str
    detail: Markup
    excluded: tuple[Excluded, ...]


def page_content(view: View, site: Site) -> PageContent:
    """Put a view into words."""
    texts = TEXTS[site.cards.language]
    trend, banner = TREND_TEXTS[site.cards.language], view.banner
    headline, detail = _words(view.decision, site, texts)
    return PageContent(
        name=banner.name or trend.not_recorded,
        born=banner.born or trend.not_recorded,
        number=banner.number,
        read_line=trend.read_line.format(
            time=view.now.astimezone(site.policy.timezone).strftime("%Y-%m-%d %H:%M %Z"), user=view.user
        ),
        outcome=view.decision.assessment.outcome,
        headline=headline,
        detail=render_detail(detail),
        excluded=_excluded(view.decision, texts),
    )


def _excluded(decision: Decision, texts: Texts) -> tuple[Excluded, ...]:
    """Count what is not used by reason: a result of another record shows its reason and nothing it says."""
    laboratory = decision.laboratory
    reasons = Counter(result.reason for result in laboratory.counts.excluded) if laboratory is not None else Counter()
    return tuple(Excluded(reason, texts.reasons[reason], count) for reason, count in reasons.most_common())


def _words(decision: Decision, site: Site, texts: Texts) -> tuple[str, str]:
    """Return headline and text, as the card has them or would have them."""
    assessment, mappings = decision.assessment, site.mappings.version
    if isinstance(assessment, NotEligible):
        reasons = "\n".join(f"* {texts.reasons[reason]} `{reason}`" for reason in assessment.reasons)
        return TREND_TEXTS[site.cards.language].outcomes[assessment.outcome], reasons
    if isinstance(assessment, Indeterminate):
        detail = indeterminate_detail(assessment, texts, mappings, site.policy, decision.gaps)
        return indeterminate_summary(assessment, texts), detail
    detail = decided_detail(assessment, texts, mappings, site.policy.cutoff_source, decision.gaps)
    return decided_summary(assessment, texts), detail
