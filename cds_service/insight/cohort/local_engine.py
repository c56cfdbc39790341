"""The local engine: files are split into parts on the disk, parts are assessed, and their rows are merged."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, NamedTuple

from cds_service.insight.cohort.part_rows import PartRows
from cds_service.insight.cohort.reading import FileSplitter
from cds_service.insight.cohort.spill import SpillWriter, parts_of
from cds_service.insight.cohort.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from cds_service.insight.cohort.assessing import Plan
    from cds_service.insight.cohort.export_heads import HeadReader
    from cds_service.insight.cohort.processes import Counters, Workers
    from cds_service.insight.cohort.reading import ExportFile, FileReading
    from cds_service.insight.cohort.rooms import Rooms
    from cds_service.insight.cohort.spill import Part

# Patients are counted so many at a time.
_STEP: Final = 50


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
    rows = PartRows(plan, rooms)
    size = number = 0
    for number, (patient, lines) in enumerate(part.patients(key_of), 1):
        rows.add(patient, lines)
        size += sum(len(content) for _, content in lines)
        if number % _STEP == 0:
            counters.add(size, _STEP)
            size = 0
    counters.add(size, number % _STEP)
    rows.write(name)
    return rows.tally
