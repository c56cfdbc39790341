"""The short detail of a card: what a clinician reads between two patients. The rest stands behind its links."""

from __future__ import annotations

import re
from itertools import accumulate
from typing import TYPE_CHECKING, Final

from cds_service.cards import notes
from cds_service.cards.blood_notes import notes_on_indeterminate
from cds_service.cards.chart_notes import not_checked, notes_on_chart
from cds_service.cards.detail import dated_reason, notes_of_decided, paragraphs, readable_blood, statement
from cds_service.cards.inputs import brief_inputs, earlier_line, timing

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from cds_service.cards.detail import Said
    from cds_service.cards.gaps import Gap
    from cds_service.cards.notes import Note
    from cds_service.cards.wording.texts import Texts
    from cds_service.clinical.outcomes import Decided, Indeterminate

# Before the inputs. A card of 360 words was not read (review of November 2026).
MOST_WORDS: Final = 110

_WORD: Final = re.compile(r"[\u4e00-\u9fff]|[^\W\u4e00-\u9fff][^\s\u4e00-\u9fff]*")
_CHARACTERS_A_CHINESE_WORD: Final = 2

_MOST_REASONS: Final = 3

# Without these a reason reads as a riddle: they are said whatever else there is.
_EXPLAIN: Final = frozenset({"contrary-readings", "segmented-alone", "clumps-unreadable", "too-soon", "no-day-between"})

# What can wait for another page is said in full only.
_LEFT_TO_FULL: Final = frozenset({"low-platelets"})


def brief_decided(assessment: Decided, said: Said, gaps: Collection[Gap] = ()) -> str:
    """Write the short detail for a decided outcome; `gaps` are data nobody delivered."""
    texts = said.texts
    found = [
        paragraphs([statement(assessment, texts)]),
        timing(assessment, texts, gaps),
        *(earlier_line(earlier, assessment, texts) for earlier in assessment.earlier if earlier.baseline),
    ]
    particular = [note for note in notes_of_decided(assessment, said, gaps) if note.kind not in _LEFT_TO_FULL]
    return paragraphs(
        [
            *found,
            *_fitting(particular, MOST_WORDS - words(" ".join(found)), texts),
            *brief_inputs(assessment, texts, gaps),
            texts.brief_evidence,
            not_checked(assessment.notes, texts),
            texts.read_on,
        ]
    )


def brief_indeterminate(assessment: Indeterminate, said: Said, gaps: Collection[Gap] = ()) -> str:
    """Write the short detail for an indeterminate outcome: reasons, and which blood can be read."""
    texts = said.texts
    particular = [
        *notes_on_indeterminate(assessment, texts),
        *notes_on_chart(assessment.notes, texts),
        *notes.of_delivery(gaps),
    ]
    why = [note.in_brief(texts) for note in particular if note.kind in _EXPLAIN]
    found = [texts.indeterminate_statement, *_reasons(assessment, texts), *why, *readable_blood(assessment, said)]
    others = [note for note in particular if note.kind not in _EXPLAIN]
    return paragraphs([*found, *_fitting(others, MOST_WORDS - words(" ".join(found)), texts), texts.read_on])


def _reasons(assessment: Indeterminate, texts: Texts) -> list[str]:
    """Return the first reasons as sentences, the others in a few words each."""
    sentences = [f"* {dated_reason(assessment, reason, texts)}" for reason in assessment.reasons[:_MOST_REASONS]]
    others = texts.comma.join(texts.short_reasons[reason] for reason in assessment.reasons[_MOST_REASONS:])
    return ["\n".join(sentences), *([texts.further_notes.format(names=others)] if others else [])]


def words(text: str) -> int:
    """Count the words of a text; of Chinese, two characters are taken for one."""
    found = _WORD.findall(text)
    chinese = sum(1 for word in found if "\u4e00" <= word <= "\u9fff")
    return len(found) - chinese + -(-chinese // _CHARACTERS_A_CHINESE_WORD)


def _fitting(found: Sequence[Note], budget: int, texts: Texts) -> list[str]:
    """Say as many notes as fit, the weightiest first, and name the others: nothing is passed over."""
    said = [note.in_brief(texts) for note in found]
    costs = list(accumulate((words(text) for text in said), initial=0))
    kinds: dict[str, None] = {}
    tail = ""
    best = (0, tail)
    for count in range(len(found), -1, -1):
        best = (count, tail)
        if costs[count] + words(tail) <= budget:
            break
        if count:
            kinds = {found[count - 1].kind: None, **kinds}
            tail = texts.further_notes.format(names=texts.comma.join(texts.note_names[kind] for kind in kinds))
    count, tail = best
    return [*said[:count], *([tail] if tail else [])]
