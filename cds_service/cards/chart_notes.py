"""What the chart holds beside the draw, in words: it decides nothing, and the reader should know it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cds_service.cards import numbers
from cds_service.cards.markdown import escape
from cds_service.cards.notes import Note

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cds_service.cards.wording.texts import Texts
    from cds_service.clinical.chart_facts import OperationFact
    from cds_service.clinical.noted import ChartNotes, RecordedFact, Suspicion

# A card is read, a list is not.
_MOST_NAMED: Final = 4


def notes_on_chart(notes: ChartNotes, texts: Texts) -> list[Note]:
    """Name what the chart holds beside the draw, the weightiest first."""
    found = [
        *_listed("suspected", [_suspicion(suspicion, texts) for suspicion in notes.suspected], texts),
        *_listed("recorded", [_recorded(fact, texts) for fact in notes.recorded], texts),
        *_listed("closing", [_operation(operation, texts) for operation in notes.closing], texts),
        *_listed("unplaced-procedures", [_operation(operation, texts) for operation in notes.unplaced], texts),
    ]
    if notes.too_soon_after is not None:
        procedure = numbers.procedure_date(notes.too_soon_after, texts)
        found.append(Note("too-soon", {"days": numbers.days(notes.days or 0, texts), "procedure": procedure}))
    found += _listed("between", [numbers.procedure_date(time, texts) for time in notes.between], texts)
    if notes.recent_procedures > 1:
        found.append(Note("several-procedures", {"count": notes.recent_procedures}))
    flags = {
        "no-day-between": notes.no_day_between,
        "diagnosed-later": notes.diagnosed_later,
        "another-cancer": notes.may_be_of_another_cancer,
    }
    return [*found, *(Note(kind) for kind, holds in flags.items() if holds)]


def not_checked(notes: ChartNotes, texts: Texts) -> str:
    """Name what was not checked, without what is recorded and named."""
    recorded = {fact.kind for fact in notes.recorded}
    items = [text for kind, text in texts.not_checked_items.items() if kind not in recorded]
    return texts.not_checked.format(items=texts.comma.join(items))


def _listed(kind: str, named: Sequence[str], texts: Texts) -> list[Note]:
    """Return one note that lists the first of what it names and how many more there are; none for nothing."""
    distinct = list(dict.fromkeys(named))
    if not distinct:
        return []
    more = len(distinct) - _MOST_NAMED
    shown = texts.between_items.join(distinct[:_MOST_NAMED])
    return [Note(kind, {"items": texts.and_more.format(items=shown, count=more) if more > 0 else shown})]


def _suspicion(suspicion: Suspicion, texts: Texts) -> str:
    return texts.named.format(name=texts.suspected_kinds[suspicion.category], detail=escape(suspicion.code))


def _recorded(fact: RecordedFact, texts: Texts) -> str:
    detail = [escape(fact.code)]
    if fact.first_day != fact.last_day:
        detail.append(texts.date_span.format(began=fact.first_day, ended=fact.last_day))
    elif fact.last_day is not None:
        detail.append(fact.last_day.isoformat())
    return texts.named.format(name=texts.recorded_kinds[fact.kind], detail=texts.comma.join(detail))


def _operation(operation: OperationFact, texts: Texts) -> str:
    name = texts.closing_kinds[operation.kind]
    if operation.performed is None:
        return name
    return texts.named.format(name=name, detail=numbers.procedure_date(operation.performed, texts))
