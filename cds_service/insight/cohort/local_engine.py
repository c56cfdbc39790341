"""The local engine: files are split into parts on the disk, parts are assessed, and their rows are merged."""

from __future__ import annotations

import csv
import gc
import heapq
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from cds_service.insight.cohort.assessing import assess_patient
from cds_service.insight.cohort.reading import FileSplitter
from cds_service.insight.cohort.rows import COLUMNS
from cds_service.insight.cohort.spill import SpillWriter, parts_of
from cds_service.insight.cohort.tables import open_private

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from cds_service.insight.cohort.assessing import AssessedPatient, Plan
    from cds_service.insight.cohort.export_heads import HeadReader
    from cds_service.insight.cohort.processes import Counters, Workers
    from cds_service.insight.cohort.reading import ExportFile, FileReading
    from cds_service.insight.cohort.spill import Part

_RECORD: Final = COLUMNS.index("record")
# Patients are counted so many at a time.
_STEP: Final = 50

Cells = tuple[str, ...]


@dataclass(slots=True)
class Tally:
    """What was counted of patients: of each design its rows by outcome and reason.

    `patients` are those of the export. Of those without an index procedure there are no rows, but recorded ones.
    """

    patients: int = 0
    with_index_procedure: int = 0
    index_procedures: int = 0
    unclear: int = 0
    outcomes: dict[str, Counter[str]] = field(default_factory=dict)

    def count(self, assessed: AssessedPatient) -> None:
        """Count a patient."""
        self.patients += assessed.is_in_export
        self.with_index_procedure += assessed.index_procedures > 0
        self.index_procedures += assessed.index_procedures
        self.unclear += assessed.unclear
        for row in assessed.rows:
            name = f"{row.outcome}:{row.reason}" if row.reason else row.outcome
            self.outcomes.setdefault(row.design, Counter())[name] += 1

    def add(self, other: Tally) -> None:
        """Add what another one counted."""
        self.patients += other.patients
        self.with_index_procedure += other.with_index_procedure
        self.index_procedures += other.index_procedures
        self.unclear += other.unclear
        for design, counts in other.outcomes.items():
            self.outcomes.setdefault(design, Counter()).update(counts)

    def flow(self, designs: Iterable[str]) -> dict[str, Any]:
        """Return the flow of patients, in an order that depends on nothing but names."""
        return {
            design: {
                "index_procedures": self.index_procedures,
                "outcomes": dict(sorted(self.outcomes.get(design, Counter()).items())),
            }
            for design in sorted(designs)
        }


class Rooms(NamedTuple):
    """The folders of a run: parts, problems by file, rows by part and disagreements by part."""

    parts: Path
    problems: Path
    rows: Path
    disagreements: Path

    @classmethod
    def make(cls, folder: Path) -> Rooms:
        """Make them, for their owner alone. Raises OSError."""
        rooms = cls(*(folder / name for name in cls._fields))
        for room in rooms:
            room.mkdir(mode=0o700)
        return rooms


class Splitting(NamedTuple):
    """How files are split: read by what, into how many parts, by which key of a patient."""

    reader: HeadReader
    parts: int
    key_of: Callable[[str], str]


def split_files(
    files: Sequence[ExportFile], splitting: Splitting, rooms: Rooms, workers: Workers, counters: Counters
) -> tuple[FileReading, ...]:
    """Split files into parts; return what each held, in their order. Raises OSError."""

    def split(number: int) -> tuple[int, FileReading]:
        writer = SpillWriter(rooms.parts, f"{number:06d}", splitting.parts)
        splitter = FileSplitter(splitting.reader, writer, splitting.key_of, counters.add)
        return number, splitter.split(files[number], rooms.problems / f"{number:06d}")

    largest_first = sorted(range(len(files)), key=lambda number: -files[number].path.stat().st_size)
    return tuple(reading for _, reading in sorted(workers.run(split, largest_first)))


def assess_parts(rooms: Rooms, plan: Plan, key_of: Callable[[str], str], workers: Workers, counters: Counters) -> Tally:
    """Assess all patients of all parts; the rows of each part stand sorted in a file of its own. Raises OSError."""
    parts = parts_of(rooms.parts)

    def assess(number: int) -> Tally:
        with _without_collector():
            return _assess_part(parts[number], f"{number:06d}", rooms, plan, key_of, counters)

    tally = Tally()
    for one in workers.run(assess, range(len(parts))):
        tally.add(one)
    return tally


@contextmanager
def _without_collector() -> Iterator[None]:
    """Let a part be assessed without the garbage collector: what a patient is made of holds no cycles."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
            gc.collect()


def _assess_part(
    part: Part, name: str, rooms: Rooms, plan: Plan, key_of: Callable[[str], str], counters: Counters
) -> Tally:
    tally = Tally()
    rows: list[Cells] = []
    disagreements: list[Cells] = []
    size = 0
    for number, (patient, lines) in enumerate(part.patients(key_of), 1):
        assessed = assess_patient(patient, lines, plan)
        tally.count(assessed)
        rows += [row.cells for row in assessed.rows]
        disagreements += assessed.disagreements
        size += sum(len(content) for _, content in lines)
        if number % _STEP == 0:
            counters.add(size, _STEP)
            size = 0
    counters.add(size, number % _STEP if tally.patients else 0)
    _write(rooms.rows / name, sorted(rows, key=_row_order))
    if disagreements:
        _write(rooms.disagreements / name, sorted(disagreements, key=_by_record))
    return tally


def merged_rows(rooms: Rooms) -> Iterator[Cells]:
    """Yield the rows of all parts by patient, design, decision and record."""
    return heapq.merge(*map(_read, sorted(rooms.rows.iterdir())), key=_row_order)


def merged_disagreements(rooms: Rooms) -> Iterator[Cells]:
    """Yield the disagreements of all parts by the number of the record."""
    return heapq.merge(*map(_read, sorted(rooms.disagreements.iterdir())), key=_by_record)


def joined_problems(rooms: Rooms) -> Iterator[str]:
    """Yield the lines about bad lines, file by file in their order."""
    for file in sorted(rooms.problems.iterdir()):
        with file.open(encoding="utf-8") as stream:
            yield from stream


def _row_order(cells: Cells) -> tuple[Any, ...]:
    # The first three columns are those that rows are sorted by; the rest settles what they leave open.
    return (*cells[:3], int(cells[_RECORD] or 0), cells)


def _by_record(cells: Cells) -> tuple[Any, ...]:
    return int(cells[0]), cells


def _write(path: Path, rows: Iterable[Cells]) -> None:
    with open_private(path) as stream:
        csv.writer(stream, lineterminator="\n").writerows(rows)


def _read(path: Path) -> Iterator[Cells]:
    with path.open(encoding="utf-8", newline="") as stream:
        yield from map(tuple, csv.reader(stream))
