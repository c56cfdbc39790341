"""The rule from facts to outcome: eligible? which draw? above the cut-off? The first answer wins."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from cds_service.clinical.albumin import choose_albumin
from cds_service.clinical.eligibility import CANCER_CATEGORIES
from cds_service.clinical.indeterminate import (
    count_unplaced,
    date_reasons,
    explain_newer,
    explain_no_draw,
    has_segmented_alone,
    has_unreadable_clumps,
    newest_result,
)
from cds_service.clinical.outcomes import (
    AboveCutoff,
    Doubts,
    EarlierSII,
    Indeterminate,
    NotAboveCutoff,
    NotEligible,
)
from cds_service.clinical.readings import all_readings, notable_readings, problems_under
from cds_service.clinical.reasons import Reason
from cds_service.clinical.rule import Criterion, is_above, shown_beside
from cds_service.clinical.timing import ChosenDraws, Relation, TimedDraw, choose_draws

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from cds_service.clinical.chart_facts import ChartFacts, ProcedureTime
    from cds_service.clinical.eligibility import Eligibility
    from cds_service.clinical.models import BloodCounts, DatedResult, ExcludedResult
    from cds_service.clinical.outcomes import Decided
    from cds_service.clinical.policy import ClinicalPolicy
    from cds_service.clinical.readings import ReadingSII
    from cds_service.clinical.rule import Index


def refuse_ineligible(reason: Reason, doubts: tuple[Reason, ...], policy: ClinicalPolicy) -> NotEligible:
    """Return the outcome for a patient the study does not speak about; blood counts are not looked at.

    `doubts` name what may have hidden a diagnosis or procedure (malformed entries, missing pages).
    """
    return NotEligible(cutoff=policy.cutoff, reasons=(reason, *doubts))


def leave_open(facts: ChartFacts, doubts: tuple[Reason, ...], policy: ClinicalPolicy) -> Indeterminate:
    """Return the outcome where the part of a list that did not come may hold what makes the patient eligible.

    Blood counts are not looked at. `doubts` name what did not come or could not be read. Without any diagnosis or
    procedure nothing speaks for a card.
    """
    grounds = bool(facts.procedures) or any(c.category in CANCER_CATEGORIES for c in facts.conditions)
    return Indeterminate(
        cutoff=policy.cutoff,
        reasons=doubts,
        taken={},
        exclusions={},
        latest_procedure=None,
        newest_draw=None,
        newest_result=None,
        has_grounds=grounds,
    )


def assess(
    index: Index,
    eligibility: Eligibility,
    counts: BloodCounts,
    albumin: Sequence[DatedResult],
    policy: ClinicalPolicy,
    now: datetime,
    *,
    pages_missing: bool = False,
    unreadable: int = 0,
) -> Decided | Indeterminate:
    """Assess an eligible patient by an index.

    Returns Indeterminate when no draw may be used or the newest usable one has problems. `pages_missing`: Conditions or
    Procedures were not delivered, `unreadable` counts those that could not be read; a later procedure may be one.
    """
    criterion = Criterion(index, policy.cutoff)
    calendar = eligibility.calendar(policy, now)
    timed = [calendar.place(draw) for draw in counts.draws]
    chosen = choose_draws(timed)
    latest = eligibility.procedures[0] if eligibility.procedures else None
    exclusions, truncated = _count_reasons(counts.excluded), counts.truncated or pages_missing
    reasons = _undecidable(eligibility, counts, timed, chosen, criterion)
    if reasons or chosen.decisive is None:
        found = _indeterminate(reasons, eligibility, counts, timed, chosen, policy, now)
        told = (*reasons, Reason.TRUNCATED) if truncated else reasons
        return replace(found, reasons=told, readings=_contrary_readings(chosen, criterion))
    newer = explain_newer(counts, timed, chosen.decisive, policy.same_draw)
    doubts = Doubts(eligibility.undated_procedures, unreadable, newer, count_unplaced(counts))
    earlier = _earlier(chosen.decisive, chosen.baseline, timed, criterion)
    decided = _decide(
        chosen.decisive, earlier, albumin, exclusions, policy, criterion, latest, doubts, truncated=truncated
    )
    return replace(decided, clumps_unreadable=has_unreadable_clumps(counts, chosen.decisive, policy.same_draw))


def _indeterminate(
    reasons: tuple[Reason, ...],
    eligibility: Eligibility,
    counts: BloodCounts,
    timed: Sequence[TimedDraw],
    chosen: ChosenDraws,
    policy: ClinicalPolicy,
    now: datetime,
) -> Indeterminate:
    return Indeterminate(
        cutoff=policy.cutoff,
        reasons=reasons,
        taken=date_reasons(reasons, counts, timed, chosen.decisive),
        exclusions=_count_reasons(counts.excluded),
        latest_procedure=eligibility.procedures[0] if eligibility.procedures else None,
        newest_draw=timed[0] if timed else None,
        newest_result=newest_result(counts),
        open_days=eligibility.open_days(policy, now),
        clumps_unreadable=bool(counts.unreadable_clumps),
        segmented_alone=Reason.MISSING_NEUTROPHILS in reasons and has_segmented_alone(counts),
    )


def _contrary_readings(chosen: ChosenDraws, criterion: Criterion) -> tuple[ReadingSII, ...]:
    return all_readings(chosen.decisive.draw, criterion) if chosen.decisive is not None else ()


def _undecidable(
    eligibility: Eligibility,
    counts: BloodCounts,
    timed: Sequence[TimedDraw],
    chosen: ChosenDraws,
    criterion: Criterion,
) -> tuple[Reason, ...]:
    """Name why SII cannot be told; empty when it can."""
    if not eligibility.latest_is_dated:
        return (Reason.PROCEDURE_DATE_MISSING,)
    if chosen.decisive is None:
        return explain_no_draw(counts, timed)
    return problems_under(chosen.decisive.draw, criterion)


def _decide(
    decisive: TimedDraw,
    earlier: tuple[EarlierSII, ...],
    albumin: Sequence[DatedResult],
    exclusions: Mapping[Reason, int],
    policy: ClinicalPolicy,
    criterion: Criterion,
    latest: ProcedureTime | None,
    doubts: Doubts,
    *,
    truncated: bool,
) -> Decided:
    value = criterion.value(decisive.draw)
    outcome = AboveCutoff if is_above(value, policy.cutoff) else NotAboveCutoff
    return outcome(
        cutoff=policy.cutoff,
        sii=shown_beside(value, policy.cutoff),
        timed=decisive,
        exclusions=exclusions,
        truncated=truncated,
        doubts=doubts,
        readings=notable_readings(decisive.draw, criterion),
        latest_procedure=latest,
        earlier=earlier,
        albumin=choose_albumin(albumin, decisive.draw.effective, policy.albumin_window_days),
    )


def _earlier(
    decisive: TimedDraw, baseline: TimedDraw | None, timed: Sequence[TimedDraw], criterion: Criterion
) -> tuple[EarlierSII, ...]:
    """Collect the baseline and the draw before the decisive one, where their SII can be told."""
    older = timed[timed.index(decisive) + 1 :]
    in_time = (t for t in older if t.refusal is not Reason.POST_PROCEDURE_WINDOW)
    readable = next((t for t in in_time if not problems_under(t.draw, criterion)), None)
    wanted = [readable] if readable is not None else []
    if baseline is not None and not problems_under(baseline.draw, criterion) and baseline not in wanted:
        wanted.append(baseline)
    return tuple(
        EarlierSII(
            criterion.shown(t.draw),
            t.draw.effective,
            t is baseline or (t.relation is Relation.BEFORE and t.refusal is None),
            tuple([result.origin for result in t.draw.results]),
        )
        for t in wanted
    )


def _count_reasons(excluded: Sequence[ExcludedResult]) -> Mapping[Reason, int]:
    return dict(sorted(Counter(e.reason for e in excluded).items()))
