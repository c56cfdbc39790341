"""What a card says of the blood draw beside its numbers: other readings, derived totals, notes of the laboratory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cds_service.cards import numbers
from cds_service.cards.markdown import escape

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cds_service.cards.wording.texts import Texts
    from cds_service.clinical.models import LabResult
    from cds_service.clinical.outcomes import Decided, Indeterminate
    from cds_service.clinical.readings import ReadingSII

_LONGEST_NOTE: Final = 120
# Two methods on two bases with all parts are eight; more are a list, not a note.
_MOST_READINGS: Final = 8


def notes_on_decided(assessment: Decided, texts: Texts) -> list[str]:
    """Name the other readings, what was derived, and what the laboratory wrote beside a result that was used."""
    results = list(assessment.timed.draw.results)
    if assessment.albumin is not None:
        results.append(assessment.albumin.result)
    derived = [result for result in results if result.parts]
    return [
        *([texts.clumps_unreadable_note] if assessment.clumps_unreadable else []),
        *(texts.derived_note.format(total=texts.analytes[r.analyte], parts=_names(r.parts, texts)) for r in derived),
        *_other_readings(texts.other_readings_line, assessment.readings, texts),
        *_parts_beside(assessment, texts),
        *_laboratory_notes(results, texts),
    ]


def notes_on_indeterminate(assessment: Indeterminate, texts: Texts) -> list[str]:
    """Name the readings that lie on both sides of the cut-off, and segmented neutrophils without band forms."""
    return [
        *_other_readings(texts.contrary_readings_line, assessment.readings, texts),
        *([texts.segmented_alone_note] if assessment.segmented_alone else []),
        *([texts.clumps_unreadable_note] if assessment.clumps_unreadable else []),
    ]


def _other_readings(line: str, readings: tuple[ReadingSII, ...], texts: Texts) -> list[str]:
    if not readings:
        return []
    return [line.format(readings="; ".join(_reading(reading, texts) for reading in readings[:_MOST_READINGS]))]


def _parts_beside(assessment: Decided, texts: Texts) -> list[str]:
    """Name parts of the differential on another basis than SII is computed on."""
    beside = [part.whole() for part in assessment.timed.draw.beside]
    if not beside:
        return []
    named = [f"{texts.analytes[part.analyte].lower()} {numbers.reported(part, texts)}" for part in beside]
    return [texts.parts_beside_note.format(parts=", ".join(named))]


def _reading(reading: ReadingSII, texts: Texts) -> str:
    words = [texts.reading_bases[reading.basis], texts.reading_methods[reading.manual]]
    if reading.parts:
        words.append(texts.reading_parts.format(parts=texts.joined.join(texts.analytes[a] for a in reading.parts)))
    return texts.reading.format(sii=f"{reading.sii:f}", how=", ".join(words).lower())


def _names(parts: Iterable[LabResult], texts: Texts) -> str:
    return texts.joined.join(texts.analytes[part.analyte] for part in parts).lower()


def _laboratory_notes(results: Iterable[LabResult], texts: Texts) -> list[str]:
    """Quote each note once, with the results that it stands beside."""
    noted: dict[str, list[str]] = {}
    for result in (part for whole in results for part in (whole, *whole.parts)):
        if result.note.strip():
            noted.setdefault(result.note, []).append(texts.analytes[result.analyte])
    return [
        texts.laboratory_note_line.format(tests=", ".join(dict.fromkeys(tests)), note=escape(note, _LONGEST_NOTE))
        for note, tests in noted.items()
    ]
