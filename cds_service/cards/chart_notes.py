"""What the chart holds beside the draw, in words: it decides nothing, and the reader should know it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cds_service.cards import numbers
from cds_service.cards.markdown import escape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cds_service.cards.wording.texts import Texts
    from cds_service.clinical.chart_facts import OperationFact
    from cds_service.clinical.noted import ChartNotes, RecordedFact

# A card is read, a list is not.
_MOST_NAMED: Final = 4


def note_paragraphs(notes: ChartNotes, texts: Texts) -> list[str]:
    """Write a paragraph for each kind of note, the weightiest first."""
    paragraphs = []
    if notes.suspected:
        named = [f"{texts.suspected_kinds[s.category]} ({escape(s.code)})" for s in notes.suspected]
        paragraphs.append(texts.suspected_note.format(items=_join(named, texts)))
    if notes.recorded:
        named = [_recorded(fact, texts) for fact in notes.recorded]
        paragraphs.append(texts.recorded_note.format(items=_join(named, texts)))
    if notes.closing:
        paragraphs.append(texts.closing_note.format(items=_operations(notes.closing, texts)))
    if notes.unplaced:
        paragraphs.append(texts.unplaced_procedures_note.format(items=_operations(notes.unplaced, texts)))
    if notes.too_soon_after is not None:
        date = numbers.procedure_date(notes.too_soon_after, texts)
        paragraphs.append(texts.too_soon_note.format(days=_days(notes.days or 0, texts), procedure=date))
    if notes.between:
        named = [numbers.procedure_date(time, texts) for time in notes.between]
        paragraphs.append(texts.between_note.format(items=_join(named, texts)))
    if notes.recent_procedures > 1:
        paragraphs.append(texts.several_procedures_note.format(count=notes.recent_procedures))
    flags = {
        texts.no_day_between_note: notes.no_day_between,
        texts.diagnosed_later_note: notes.diagnosed_later,
        texts.another_cancer_note: notes.may_be_of_another_cancer,
    }
    return [*paragraphs, *(text for text, holds in flags.items() if holds)]


def not_checked(notes: ChartNotes, texts: Texts) -> str:
    """Name what was not checked, without what is recorded and named."""
    recorded = {fact.kind for fact in notes.recorded}
    items = [text for kind, text in texts.not_checked_items.items() if kind not in recorded]
    return texts.not_checked.format(items=", ".join(items))


def _recorded(fact: RecordedFact, texts: Texts) -> str:
    days = "" if fact.last_day is None else f", {fact.last_day}"
    if fact.first_day != fact.last_day:
        days = f", {texts.date_span.format(began=fact.first_day, ended=fact.last_day)}"
    return f"{texts.recorded_kinds[fact.kind]} ({escape(fact.code)}{days})"


def _operations(operations: Sequence[OperationFact], texts: Texts) -> str:
    return _join([_operation(operation, texts) for operation in operations], texts)


def _operation(operation: OperationFact, texts: Texts) -> str:
    name = texts.closing_kinds[operation.kind]
    if operation.performed is None:
        return name
    return f"{name} ({numbers.procedure_date(operation.performed, texts)})"


def _join(named: Sequence[str], texts: Texts) -> str:
    distinct = list(dict.fromkeys(named))
    more = len(distinct) - _MOST_NAMED
    shown = "; ".join(distinct[:_MOST_NAMED])
    return texts.and_more.format(items=shown, count=more) if more > 0 else shown


def _days(count: int, texts: Texts) -> str:
    return texts.one_day if count == 1 else texts.several_days.format(count=count)
