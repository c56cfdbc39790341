"""What a chart holds beside the draw that a reader of the card should know. It decides nothing.

Kinds that change blood counts on their own and how near to the draw they matter are judgement (docs/clinical.md).
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

from cds_service.clinical.closed_days import CLOSING_KINDS
from cds_service.clinical.diagnosis_dates import are_any_before_diagnosis, diagnosed_since
from cds_service.clinical.eligibility import LIVER_TRANSPLANT
from cds_service.clinical.noted import ChartNotes, RecordedFact, Suspicion
from cds_service.clinical.outcomes import Indeterminate
from cds_service.clinical.reasons import Reason
from cds_service.clinical.timing import Relation

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cds_service.clinical.chart_facts import ChartFacts, OperationFact
    from cds_service.clinical.eligibility import Eligibility
    from cds_service.clinical.outcomes import Decided
    from cds_service.clinical.policy import ClinicalPolicy

OPERATION: Final = "operation"
OTHER_CANCER: Final = "other-cancer"
# Another cancer that is over: not named, and still one whose metastases may have been treated.
PAST_CANCER: Final = "past-cancer"
POST_PROCEDURE: Final = Reason.POST_PROCEDURE_WINDOW
SPLENECTOMY: Final = "splenectomy"
# Kinds of Conditions that are named, with the days from the draw within which they matter; None: always.
RECORDED_KINDS: Final = {
    "infection": 14,
    SPLENECTOMY: None,
    "haematological-malignancy": None,
    "pregnancy": 300,
    "palliative-care": None,
    OTHER_CANCER: None,
}
_OPERATION_DAYS: Final = timedelta(days=28)


def note_chart(
    facts: ChartFacts,
    recorded: Sequence[RecordedFact],
    suspected: tuple[Suspicion, ...],
    eligibility: Eligibility,
    assessment: Decided | Indeterminate,
    policy: ClinicalPolicy,
    today: date,
) -> ChartNotes:
    """Collect what the card of an assessment names of the chart."""
    timed = assessment.newest_draw if isinstance(assessment, Indeterminate) else assessment.timed
    drawn = timed.draw.effective.day if timed is not None else today
    closing = [o for o in facts.operations if o.kind in CLOSING_KINDS and _matters(o, drawn, policy, today)]
    notes = ChartNotes(
        recorded=_once_each(*_near(recorded, drawn), *_operations(facts.operations, drawn)),
        suspected=tuple(sorted(set(suspected))),
        closing=tuple(o for o in closing if o.performed is not None and o.performed.is_precise),
        unplaced=tuple(o for o in closing if o.performed is None or not o.performed.is_precise),
        recent_procedures=sum(_is_of_the_last_year(time.last_day(today), today) for time in eligibility.procedures),
        diagnosed_later=are_any_before_diagnosis(eligibility.procedures, diagnosed_since(facts.conditions)),
        may_be_of_another_cancer=_may_be_of_another_cancer(facts, recorded),
    )
    if isinstance(assessment, Indeterminate):
        return _explain_window(notes, eligibility, assessment, policy, today)
    if timed is not None and timed.relation is Relation.BEFORE:
        # One of the day of the draw came after it too: else it would have closed that day.
        between = tuple(p for p in eligibility.procedures[1:] if drawn <= p.last_day(today))
        return notes._replace(between=between)
    return notes


def _explain_window(
    notes: ChartNotes, eligibility: Eligibility, assessment: Indeterminate, policy: ClinicalPolicy, today: date
) -> ChartNotes:
    """Name the qualifying procedure that closes the newest day, and whether procedures leave any day open."""
    dated = eligibility.procedures
    reach = timedelta(days=policy.post_procedure_exclusion_days + 1)
    crowded = (
        POST_PROCEDURE in assessment.reasons
        and len(dated) > 1
        and dated[0].first.day - dated[1].last_day(today) <= reach
    )
    notes = notes._replace(no_day_between=crowded)
    timed = assessment.newest_draw
    if timed is None or timed.refusal is not POST_PROCEDURE:
        return notes
    days = ((time, (timed.draw.effective.day - time.last_day(today)).days) for time in dated)
    found = next(((time, count) for time, count in days if 0 <= count < reach.days), None)
    return notes if found is None else notes._replace(too_soon_after=found[0], days=found[1])


def _once_each(*recorded: RecordedFact) -> tuple[RecordedFact, ...]:
    """Name a kind once: a spleen may be told as removed by a Condition and by a Procedure."""
    return tuple({fact.kind: fact for fact in reversed(recorded)}.values())[::-1]


def _near(recorded: Iterable[RecordedFact], drawn: date) -> list[RecordedFact]:
    """Keep the newest of each kind that lies near enough to the draw."""
    newest: dict[str, RecordedFact] = {}
    for fact in recorded:
        if fact.kind not in RECORDED_KINDS:
            continue
        limit = RECORDED_KINDS[fact.kind]
        if limit is not None and not _is_within(fact, drawn, timedelta(days=limit)):
            continue
        known = newest.get(fact.kind)
        if known is None or _newest(fact) > _newest(known):
            newest[fact.kind] = fact
    return [newest[kind] for kind in RECORDED_KINDS if kind in newest]


def _newest(fact: RecordedFact) -> tuple[date, date, str]:
    """Key that leaves the order of delivery nothing to decide: facts of one kind with the same key are the same."""
    return fact.last_day or date.min, fact.first_day or date.min, fact.code


def _is_within(fact: RecordedFact, drawn: date, limit: timedelta) -> bool:
    if fact.first_day is None or fact.last_day is None:
        return False
    return fact.first_day - drawn <= limit and drawn - fact.last_day <= limit


def _operations(operations: Iterable[OperationFact], drawn: date) -> list[RecordedFact]:
    """Name operations before the draw, a removed spleen and an earlier transplant whenever they were."""
    found: dict[str, RecordedFact] = {}
    for operation in operations:
        time = operation.performed
        recent = time is not None and time.first.day <= drawn and drawn - time.last.day <= _OPERATION_DAYS
        kind = operation.kind
        # An undated transplant is not known to be earlier; it is named among those whose day is not known.
        lasting = operation.completed and (kind == SPLENECTOMY or (kind == LIVER_TRANSPLANT and time is not None))
        if kind == "interventional" or not (recent or lasting):
            continue
        kind = OPERATION if kind == "other" else kind
        days = (time.first.day, time.last.day) if time is not None else (None, None)
        fact = RecordedFact(kind, operation.code, *days)
        found[kind] = max(found.get(kind, fact), fact, key=_newest)
    return [found[kind] for kind in sorted(found)]


def _matters(operation: OperationFact, drawn: date, policy: ClinicalPolicy, today: date) -> bool:
    """Tell whether a card should name an operation: without a day, or one whose days reach the draw or follow it."""
    if operation.performed is None:
        return True
    closed = timedelta(days=policy.post_procedure_exclusion_days)
    return operation.performed.last_day(today) >= drawn - closed


def _may_be_of_another_cancer(facts: ChartFacts, recorded: Iterable[RecordedFact]) -> bool:
    spread = any(c.category == "secondary" for c in facts.conditions)
    return spread and any(fact.kind in (OTHER_CANCER, PAST_CANCER) for fact in recorded)


def _is_of_the_last_year(day: date, today: date) -> bool:
    return (day.year + 1, day.month, day.day) >= (today.year, today.month, today.day)
