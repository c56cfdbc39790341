"""What a page says, in the words of the cards."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from markupsafe import Markup

from cds_service.audit.records import HookRecord
from cds_service.cards import numbers
from cds_service.cards.detail import Said, decided_detail, indeterminate_detail
from cds_service.cards.summary import decided_summary, indeterminate_summary
from cds_service.cards.wording import texts_in, trend_texts_in
from cds_service.clinical.outcomes import AboveCutoff, Indeterminate, NotAboveCutoff, NotEligible
from cds_service.reports.markdown import render_detail
from cds_service.smart.draw_rows import MOST_ROWS, Input, Row, draw_rows, loose_rows
from cds_service.smart.picture import draw_picture, numbered

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from cds_service.audit.earlier_decisions import EarlierDecisions
    from cds_service.audit.records import DecisionRecord
    from cds_service.cards.wording.texts import Texts
    from cds_service.cards.wording.trend_texts import TrendTexts
    from cds_service.clinical.reasons import Reason
    from cds_service.clinical.timing import TreatmentCalendar
    from cds_service.decision.flow import Decision
    from cds_service.decision.site import Site
    from cds_service.smart.view import View


class Excluded(NamedTuple):
    """How many results or entries are not used for a reason; nothing of what they say."""

    code: str
    sentence: str
    number: int


class Earlier(NamedTuple):
    """One earlier decision as a row."""

    time: str
    what: str
    outcome: str
    sii: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PageContent:
    """All that the template fills in.

    `sii` has every decimal, for programs. `picture` is empty where nothing is drawn, `reasons` where SII was decided.
    """

    name: str
    born: str
    number: str
    read_line: str
    outcome: str
    headline: str
    sii: str
    reasons: tuple[tuple[str, str], ...]
    detail: Markup
    picture: Markup
    procedures: tuple[tuple[str, str], ...]
    diagnoses: tuple[str, ...]
    draws: tuple[Row, ...]
    draws_line: str
    loose: tuple[Input, ...]
    excluded: tuple[Excluded, ...]
    chart_excluded: tuple[Excluded, ...]
    not_delivered: tuple[str, ...]
    earlier: tuple[Earlier, ...]
    earlier_line: str
    limits: Markup
    model_card: str
    version_line: str


def page_content(view: View, site: Site) -> PageContent:
    """Put a view into words."""
    texts, trend = texts_in(site.cards.language), trend_texts_in(site.cards.language)
    decision, banner = view.decision, view.banner
    assessment, laboratory = decision.assessment, decision.laboratory
    headline, detail = _words(decision, site, texts, trend)
    calendar = decision.eligibility.calendar(site.policy, view.now)
    excluded = [result.reason for result in laboratory.counts.excluded] if laboratory is not None else []
    return PageContent(
        name=banner.name or trend.not_recorded,
        born=banner.born or trend.not_recorded,
        number=banner.number,
        read_line=trend.read_line.format(time=_moment(view.now, site), user=view.user or trend.not_recorded),
        outcome=assessment.outcome,
        headline=headline,
        sii=f"{assessment.sii:f}" if isinstance(assessment, AboveCutoff | NotAboveCutoff) else "",
        reasons=tuple((reason, texts.reasons[reason]) for reason in _reasons(decision)),
        detail=render_detail(detail) if detail else Markup(),
        picture=_picture(decision, calendar, site, texts, trend),
        procedures=tuple((p.number, p.text) for p in numbered(decision.facts.procedures)),
        diagnoses=_diagnoses(decision) if laboratory is None else (),
        draws=draw_rows(decision, calendar, site, texts, trend),
        draws_line=_how_many(decision, trend),
        loose=loose_rows(decision, texts),
        excluded=_excluded(excluded, texts),
        chart_excluded=_excluded(decision.facts.excluded_reasons, texts),
        not_delivered=tuple(gap.key for gap in decision.gaps),
        earlier=tuple(_earlier(view.earlier, site, trend)),
        earlier_line=_how_far(view.earlier, site, trend),
        limits=Markup() if _is_decided(decision) else render_detail(f"{texts.evidence}\n\n{texts.timing_note}"),
        model_card=site.cards.model_card_link,
        version_line=texts.version_line.format(rule=site.service.rule_version, mappings=site.mappings.version),
    )


def _is_decided(decision: Decision) -> bool:
    return not isinstance(decision.assessment, NotEligible | Indeterminate)


def _reasons(decision: Decision) -> Sequence[Reason]:
    assessment = decision.assessment
    return assessment.reasons if isinstance(assessment, NotEligible | Indeterminate) else ()


def _words(decision: Decision, site: Site, texts: Texts, trend: TrendTexts) -> tuple[str, str]:
    """Return headline and text, as the card has them or would have them."""
    assessment, said = decision.assessment, Said(site.service.rule, texts, site.policy, site.mappings.version)
    if isinstance(assessment, NotEligible):
        return trend.outcomes[assessment.outcome], ""
    if isinstance(assessment, Indeterminate):
        detail = indeterminate_detail(assessment, said, decision.gaps)
        return indeterminate_summary(assessment, texts), detail
    detail = decided_detail(assessment, said, decision.gaps)
    return decided_summary(assessment, texts), detail


def _picture(decision: Decision, calendar: TreatmentCalendar, site: Site, texts: Texts, trend: TrendTexts) -> Markup:
    if decision.laboratory is None:
        return Markup()
    return draw_picture(decision.laboratory, decision, calendar, site.criterion, texts, trend)


def _diagnoses(decision: Decision) -> tuple[str, ...]:
    """Return what was read of the diagnoses, for a page that has no blood counts."""
    return tuple(
        " ".join(filter(None, (fact.category, fact.code, f"({fact.last_day})" if fact.last_day else "")))
        for fact in decision.facts.conditions[:MOST_ROWS]
    )


def _how_many(decision: Decision, trend: TrendTexts) -> str:
    """Say how many draws are not on the page, and whether blood counts were left unread; empty where neither is so."""
    laboratory = decision.laboratory
    if laboratory is None:
        return ""
    total = len(laboratory.counts.draws)
    told = [trend.draws_cut.format(count=MOST_ROWS, total=total)] if total > MOST_ROWS else []
    return " ".join((*told, trend.counts_unread) if laboratory.counts.truncated else told)


def _excluded(reasons: Iterable[Reason], texts: Texts) -> tuple[Excluded, ...]:
    """Count what is not used by reason: a result of another record shows its reason and nothing it says."""
    return tuple(Excluded(reason, texts.reasons[reason], count) for reason, count in Counter(reasons).most_common())


def _earlier(earlier: EarlierDecisions, site: Site, trend: TrendTexts) -> Iterable[Earlier]:
    for record in earlier.decisions:
        how = record.how_presented if isinstance(record, HookRecord) else "page"
        yield Earlier(_moment(record.time, site), trend.presented.get(how, how), record.outcome, _sii_of(record))


def _sii_of(record: DecisionRecord) -> str:
    """Write SII of a record as all texts do; empty where nothing was decided."""
    if record.sii is None or record.cutoff is None:
        return ""
    return numbers.sii(Decimal(record.sii), Decimal(record.cutoff))


def _how_far(earlier: EarlierDecisions, site: Site, trend: TrendTexts) -> str:
    if earlier.is_cut:
        return trend.earlier_cut.format(count=len(earlier.decisions))
    if earlier.is_complete or earlier.read_back_to is None:
        return trend.earlier_all if earlier.is_complete else trend.earlier_unread
    return trend.earlier_until.format(time=_moment(earlier.read_back_to, site))


def _moment(time: datetime, site: Site) -> str:
    return time.astimezone(site.policy.timezone).strftime("%Y-%m-%d %H:%M %Z")
