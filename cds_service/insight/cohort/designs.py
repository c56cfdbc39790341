"""The designs of a cohort: on which day after a procedure the rule is asked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

from cds_service.clinical.models import Analyte

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cds_service.acquisition.resources import CodeableConcept
    from cds_service.insight.cohort.patient_record import PatientRecord
    from fhir_mappings.mappings import Mappings

BASELINE: Final = "baseline"
DRAW: Final = "draw"
RECORDED: Final = "recorded"
_LANDMARK: Final = "landmark:"
# A hundred years: no date leaves the calendar.
_LATEST_LANDMARK: Final = 36_500

_NEUTROPHILS: Final = frozenset({Analyte.NEUTROPHILS, Analyte.SEGMENTED, Analyte.BANDS})
_LYMPHOCYTES: Final = frozenset({Analyte.LYMPHOCYTES, Analyte.VARIANTS})
_ALL: Final = frozenset("PNL")
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Design:
    """A design by its name. `days` after the index procedure is when it asks; None for the day of a draw."""

    name: str
    days: int | None

    @property
    def is_landmark(self) -> bool:
        """Tell whether patients must be known to be there at its day."""
        return self.name.startswith(_LANDMARK)


def parse_design(text: str) -> Design:
    """Read `baseline`, `draw` or `landmark:N`. Raises ValueError with a sentence."""
    if text == BASELINE:
        return Design(BASELINE, 0)
    if text == DRAW:
        return Design(DRAW, None)
    days = text.removeprefix(_LANDMARK)
    if text == days or not days.isascii() or not days.isdecimal() or not 0 < int(days[:9]) <= _LATEST_LANDMARK:
        raise ValueError(f"{text!r} is no design: baseline, draw, or landmark:N with N days, such as landmark:90")
    return Design(f"{_LANDMARK}{int(days)}", int(days))


def days_with_draws(record: PatientRecord, mappings: Mappings, first: date) -> Iterator[date]:
    """Yield the days on which a draw of blood taken since `first` may have become known as a whole, the earliest first.

    What counts is only whether platelets, neutrophils and lymphocytes of neighbouring days were known by then: whether
    they make a draw that can be used is for the rule to say, and nothing known later makes a day another one.
    """
    found: dict[date, list[tuple[date, set[str]]]] = {}
    for known in record.results:
        if known.day is not None and known.since is not None and known.day >= first:
            letters = _letters(known.resource, mappings)
            if letters:
                found.setdefault(known.since[0], []).append((known.day, letters))
    seen: dict[date, set[str]] = {}
    for since in sorted(found):
        for taken, letters in found[since]:
            seen.setdefault(taken, set()).update(letters)
        if any(_is_whole(seen, taken) for taken, _ in found[since]):
            yield since


def _is_whole(seen: dict[date, set[str]], day: date) -> bool:
    near = (seen.get(day - _DAY, set()), seen.get(day, set()), seen.get(day + _DAY, set()))
    return set().union(*near) >= _ALL


def _letters(resource: object, mappings: Mappings) -> set[str]:
    """Return which of the three counts a resource may hold, one letter each."""
    concepts = [getattr(resource, "code", None)]
    concepts += [component.code for component in getattr(resource, "component", ()) if hasattr(component, "code")]
    return {letter for concept in concepts if concept is not None for letter in _letters_of(concept, mappings)}


def _letters_of(concept: CodeableConcept, mappings: Mappings) -> Iterator[str]:
    for coding in concept.coding:
        row = mappings.analyte_code(coding.system or "", coding.code or "")
        if row is None:
            continue
        if row.analyte == Analyte.PLATELETS:
            yield "P"
        elif row.analyte in _NEUTROPHILS:
            yield "N"
        elif row.analyte in _LYMPHOCYTES:
            yield "L"
