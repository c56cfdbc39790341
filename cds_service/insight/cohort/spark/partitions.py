"""One partition after the shuffle: patients in the order of their keys, assessed one by one, rows to files.

No patient may come in two pieces: each would be assessed as a whole one, and nobody would see it. So every key is held
against the one before, and against the partition that it belongs to: two pieces of a patient break one or the other.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Final

from cds_service.errors import CohortRunError
from cds_service.insight.cohort.export_heads import RECORDED_DECISION
from cds_service.insight.cohort.part_rows import PartRows
from cds_service.insight.cohort.reading import problem_line
from cds_service.insight.cohort.spark.reading import decode_reading, is_told, partition_of, patient_of, place_of
from cds_service.insight.cohort.tables import open_private
from cds_service.insight.cohort.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import TextIO

    from cds_service.insight.cohort.export_heads import Kind
    from cds_service.insight.cohort.rooms import Rooms
    from cds_service.insight.cohort.spark.reading import PieceReading, Record
    from cds_service.insight.cohort.spark.shipping import RunParts

# So many rows are sorted in memory; a partition may have any number.
_ROWS_AT_ONCE: Final = 20_000


@dataclass(slots=True)
class PartitionResult:
    """What came of a partition: what its files are called, what was counted, what was told of the export's files."""

    files: list[str] = field(default_factory=list)
    tally: Tally = field(default_factory=Tally)
    readings: list[PieceReading] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Partition:
    """A partition by its number, `of` so many. `attempt` tells its files from those of a task that was lost."""

    number: int
    of: int
    attempt: int

    def assess(self, records: Iterable[Record], parts: RunParts, rooms: Rooms, names: Sequence[str]) -> PartitionResult:
        """Assess all patients and write rows and problems; `names` are those of the export's files.

        Raises CohortRunError where a patient comes in two pieces, and OSError.
        """
        result = PartitionResult()
        name = f"{self.number:06d}-{self.attempt}"
        rows = PartRows(parts.plan, rooms)
        with open_private(rooms.problems / name) as stream:
            problems = _Problems(stream, names, result.readings)
            for key, group in groupby(self._checked(records), key=itemgetter(0)):
                if is_told(key):
                    problems.take(key, (value for _, value in group))
                    continue
                rows.add(*_patient(key, (value for _, value in group)))
                if rows.waiting >= _ROWS_AT_ONCE:
                    self._write(rows, name, result)
        self._write(rows, name, result)
        result.files.append(name)
        result.tally = rows.tally
        return result

    def _write(self, rows: PartRows, name: str, result: PartitionResult) -> None:
        file = f"{name}-{len(result.files)}"
        rows.write(file)
        result.files.append(file)

    def _checked(self, records: Iterable[Record]) -> Iterator[Record]:
        before = b""
        for record in records:
            key = record[0]
            if key != before:
                if key < before or partition_of(key, self.of) != self.number:
                    raise CohortRunError("Spark handed on a patient in two pieces; nothing of this run can be used")
                before = key
            yield record


class _Problems:
    """Writes what is told of bad lines, numbered as in their file, and keeps what is told of pieces."""

    def __init__(self, stream: TextIO, names: Sequence[str], readings: list[PieceReading]) -> None:
        self._stream = stream
        self._names = names
        self._readings = readings
        self._file = -1
        # Lines of the file before the piece, and before the next one.
        self._before = self._after = 0

    def take(self, key: bytes, values: Iterator[bytes | str]) -> None:
        file, _, line = place_of(key)
        for value in values:
            if isinstance(value, str):
                self._stream.write(problem_line(self._names[file], self._before + line, value))
                continue
            reading = decode_reading(value)
            self._before = self._after if file == self._file else 0
            self._after, self._file = self._before + reading.all_lines, file
            self._readings.append(reading)


def _patient(key: bytes, values: Iterable[bytes]) -> tuple[str, list[tuple[Kind, bytes]]]:
    """Return a patient, who goes by the name that the export has, with all lines."""
    patient = patient_of(key)
    name = ""
    lines: list[tuple[Kind, bytes]] = []
    for value in values:
        kind: Kind = value[:1]  # type: ignore[assignment]
        tab = value.index(b"\t")
        lines.append((kind, value[tab + 1 :]))
        if kind != RECORDED_DECISION and tab > 1:
            name = value[1:tab].decode()
    return name or patient, lines
