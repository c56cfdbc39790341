"""The folders of a run, and what its parts leave in them: sorted rows, which are merged to the rows of the whole."""

from __future__ import annotations

import csv
import heapq
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from cds_service.insight.cohort.rows import COLUMNS
from cds_service.insight.cohort.tables import open_private

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

_RECORD: Final = COLUMNS.index("record")
# So many files are open together; there are more parts than that where an export is large.
_AT_ONCE: Final = 256

Cells = tuple[str, ...]


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


def merged_rows(rooms: Rooms) -> Iterator[Cells]:
    """Yield the rows of all parts by patient, design, decision and record."""
    return _merged(rooms.rows, row_order)


def merged_disagreements(rooms: Rooms) -> Iterator[Cells]:
    """Yield the disagreements of all parts by the number of the record."""
    return _merged(rooms.disagreements, record_order)


def joined_problems(rooms: Rooms) -> Iterator[str]:
    """Yield the lines about bad lines, file by file in their order."""
    for file in sorted(rooms.problems.iterdir()):
        with file.open(encoding="utf-8") as stream:
            yield from stream


def row_order(cells: Cells) -> tuple[Any, ...]:
    """Return what rows are sorted by: the first three columns, and what settles those that they leave open."""
    return (*cells[:3], int(cells[_RECORD] or 0), cells)


def record_order(cells: Cells) -> tuple[Any, ...]:
    """Return what disagreements are sorted by."""
    return int(cells[0]), cells


def write_cells(path: Path, rows: Iterable[Cells]) -> None:
    """Write rows to a new file without a heading. Raises OSError."""
    with open_private(path) as stream:
        csv.writer(stream, lineterminator="\n").writerows(rows)


def _merged(room: Path, order: Callable[[Cells], tuple[Any, ...]]) -> Iterator[Cells]:
    """Merge the sorted files of a folder, in several rounds where they are many."""
    files = sorted(room.iterdir())
    rounds = 0
    while len(files) > _AT_ONCE:
        rounds += 1
        groups = [files[first : first + _AT_ONCE] for first in range(0, len(files), _AT_ONCE)]
        files = [_merge_to(room / f"round-{rounds}-{number}", group, order) for number, group in enumerate(groups)]
    return heapq.merge(*map(_read, files), key=order)


def _merge_to(path: Path, files: Sequence[Path], order: Callable[[Cells], tuple[Any, ...]]) -> Path:
    write_cells(path, heapq.merge(*map(_read, files), key=order))
    for file in files:
        file.unlink()
    return path


def _read(path: Path) -> Iterator[Cells]:
    with path.open(encoding="utf-8", newline="") as stream:
        yield from map(tuple, csv.reader(stream))
