"""Outcomes that people of the hospital adjudicated: they stand in the place of what codes say.

A CSV file with the columns `patient`, `event` and `date`, one line for each event. `event` is `recurrence`,
`metastasis`, `death`, or `none` for a patient who was followed until that day without recurrence. A patient with a
line of `recurrence`, `metastasis` or `none` has no other recurrences than these; with `none` follow-up ends on that
day. A patient with a line of `death` died on that day. `patient` is the FHIR id, or the pseudonym of an earlier run.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from datetime import date
from typing import TYPE_CHECKING, Final, NamedTuple

from cds_service.errors import CohortInputError
from cds_service.foreign_bytes import text_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_COLUMNS: Final = ("patient", "event", "date")
_RECURRENCES: Final = frozenset({"recurrence", "metastasis"})
_EVENTS: Final = (*sorted(_RECURRENCES), "death", "none")


class Adjudicated(NamedTuple):
    """What is known of one patient. `tells_recurrence`: somebody looked for it, and `recurrences` are all of them."""

    recurrences: tuple[date, ...]
    death: date | None
    followed_to: date | None
    tells_recurrence: bool


class _Line(NamedTuple):
    event: str
    day: date


def read_outcomes(path: Path) -> Mapping[str, Adjudicated]:
    """Read adjudicated outcomes by patient. Raises CohortInputError that names the line, and nothing it holds."""
    try:
        text = text_of(path.read_bytes())
    except OSError as error:
        raise CohortInputError(f"{path}: the outcomes cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise CohortInputError(f"{path} {error}") from error
    found: defaultdict[str, list[_Line]] = defaultdict(list)
    for patient, line in _lines(text, path):
        found[patient].append(line)
    return {patient: _of_patient(lines) for patient, lines in found.items()}


def _lines(text: str, path: Path) -> Iterator[tuple[str, _Line]]:
    rows = csv.DictReader(text.splitlines(), skipinitialspace=True)
    if not set(_COLUMNS) <= set(rows.fieldnames or ()):
        raise CohortInputError(f"{path}: needs the columns {', '.join(_COLUMNS)} in its first line")
    for row in rows:
        patient, event, day = ((row[name] or "").strip() for name in _COLUMNS)
        place = f"{path}: line {rows.line_num}"
        if not patient:
            raise CohortInputError(f"{place}: names no patient")
        if event not in _EVENTS:
            raise CohortInputError(f"{place}: event is none of {', '.join(_EVENTS)}")
        try:
            yield patient.removeprefix("Patient/"), _Line(event, date.fromisoformat(day))
        except ValueError:
            raise CohortInputError(f"{place}: date is no day such as 2024-03-01") from None


def _of_patient(lines: list[_Line]) -> Adjudicated:
    recurrences = sorted(line.day for line in lines if line.event in _RECURRENCES)
    ends = [line.day for line in lines if line.event == "none"]
    deaths = [line.day for line in lines if line.event == "death"]
    return Adjudicated(
        recurrences=tuple(recurrences),
        death=min(deaths, default=None),
        followed_to=max(ends, default=None),
        tells_recurrence=bool(recurrences or ends),
    )
