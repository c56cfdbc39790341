"""What a card says of the blood draw beside its numbers: other readings, derived totals, notes of the laboratory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cds_service.cards import numbers
from cds_service.cards.markdown import escape
from cds_service.cards.notes import Note

if TYPE_CHECKING:
    from collections.abc import Iterable
    from decimal import Decimal

    from cds_service.cards.wording.texts import Texts
    from cds_service.clinical.models import LabResult
    from cds_service.clinical.outcomes import Decided, Indeterminate
    from cds_service.clinical.readings import ReadingSII

_LONGEST_NOTE: Final = 120
# Two methods on two bases with all parts are eight; more are a list, not a note.
_MOST_READINGS: Final = 8


def notes_on_decided(assessment: Decided, texts: Texts) -> list[Note]:
    """Name the other readings, what was derived, and what the laboratory wrote beside a result that was used."""
    results = list(assessment.timed.draw.results)
    if assessment.albumin is not None:
        results.append(assessment.albumin.result)
    return [
        *([Note("clumps-unreadable")] if assessment.clumps_unreadable else []),
        *(_derived(result, texts) for result in results if result.parts),
        *_readings("other-readings", assessment, texts),
        *_parts_beside(assessment, texts),
        *_laboratory_notes(results, texts),
    ]


def notes_on_indeterminate(assessment: Indeterminate, texts: Texts) -> list[Note]:
    """Name the readings that lie on both sides of the cut-off, and segmented neutrophils without band forms."""
    return [
        *_readings("contrary-readings", assessment, texts),
        *([Note("segmented-alone")] if assessment.segmented_alone else []),
        *([Note("clumps-unreadable")] if assessment.clumps_unreadable else []),
    ]


def _derived(result: LabResult, texts: Texts) -> Note:
    parts = texts.joined.join(texts.analytes[part.analyte] for part in result.parts).lower()
    return Note("derived", {"total": texts.analytes[result.analyte], "parts": parts})


def _readings(kind: str, assessment: Decided | Indeterminate, texts: Texts) -> list[Note]:
    if not assessment.readings:
        return []
    named = [_reading(reading, assessment.cutoff, texts) for reading in assessment.readings[:_MOST_READINGS]]
    return [Note(kind, {"readings": texts.between_items.join(named)})]


def _parts_beside(assessment: Decided, texts: Texts) -> list[Note]:
    """Name parts of the differential on another basis than SII is computed on."""
    beside = [part.whole() for part in assessment.timed.draw.beside]
    if not beside:
        return []
    named = [f"{texts.analytes[part.analyte].lower()} {numbers.reported(part, texts)}" for part in beside]
    return [Note("parts-beside", {"parts": texts.comma.join(named)})]


def _reading(reading: ReadingSII, cutoff: Decimal, texts: Texts) -> str:
    words = [
        texts.reading_bases[reading.basis],
        texts.reading_methods["manual" if reading.manual else "automated"],
    ]
    if reading.parts:
        words.append(texts.reading_parts.format(parts=texts.joined.join(texts.analytes[a] for a in reading.parts)))
    return texts.reading.format(sii=numbers.sii(reading.sii, cutoff), how=texts.comma.join(words).lower())


def _laboratory_notes(results: Iterable[LabResult], texts: Texts) -> list[Note]:
    """Quote each note once, with the results that it stands beside."""
    noted: dict[str, list[str]] = {}
    for result in (part for whole in results for part in (whole, *whole.parts)):
        if result.note.strip():
            noted.setdefault(result.note, []).append(texts.analytes[result.analyte])
    return [
        Note("laboratory", {"tests": texts.comma.join(dict.fromkeys(tests)), "note": escape(note, _LONGEST_NOTE)})
        for note, tests in noted.items()
    ]
