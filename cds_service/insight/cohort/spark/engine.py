"""A run on Spark: pieces of files are read, records shuffled by patient and sorted, and partitions assessed.

RDDs, not data frames: those were seen to hand on a patient in pieces (docs/decisions/0079).
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from importlib import import_module
from secrets import token_hex
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from cds_service.errors import CohortRunError
from cds_service.insight.cohort.reading import FileReading
from cds_service.insight.cohort.spark.partitions import Partition, PartitionResult
from cds_service.insight.cohort.spark.reading import partition_of, read_split, record_of
from cds_service.insight.cohort.spark.shipping import ShippedRun, build, ship
from cds_service.insight.cohort.spark.splits import split_up
from cds_service.insight.cohort.spark.starting import spark_context
from cds_service.insight.cohort.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from cds_service.insight.cohort.assessing import Plan
    from cds_service.insight.cohort.export_heads import Head
    from cds_service.insight.cohort.identifiers import NamingKeys
    from cds_service.insight.cohort.inputs import Inputs
    from cds_service.insight.cohort.reading import ExportFile
    from cds_service.insight.cohort.rooms import Rooms
    from cds_service.insight.cohort.spark.reading import PieceReading, Record
    from cds_service.insight.cohort.spark.splits import Split

# Of lines, unpacked or not: a partition is sorted in memory where there is enough, else on the disk.
_PARTITION_BYTES: Final = 64 * 1024 * 1024
_PARALLELISM: Final = "spark.default.parallelism"
# What our own sentence looks like at the end of a trace of an executor.
_SENTENCE: Final = re.compile(r"^cds_service\.errors\.CohortRunError: (.+)$", re.MULTILINE)
_NOT_READ: Final = re.compile(r"^(?:FileNotFoundError|PermissionError|OSError): .*$", re.MULTILINE)
# Of Spark, where the system ended a Python process, and of Python where it got no memory.
_NO_MEMORY: Final = re.compile(r"Python worker exited unexpectedly|^MemoryError\b", re.MULTILINE)


class SparkRun(NamedTuple):
    """What a run needs: the plan with what it was made of, the folders, and how many threads one machine gives."""

    plan: Plan
    overlays: Sequence[Path]
    keys: NamingKeys
    rooms: Rooms
    workers: int


class RecordedHeads:
    """Keeps the heads of recorded decisions, to be shuffled with the lines of the export."""

    def __init__(self) -> None:
        """Know none yet."""
        self.records: list[Record] = []

    def add(self, head: Head, key: str) -> None:
        """Add one under its key."""
        self.records.append(record_of(head, key))

    def flush(self) -> None:
        """Nothing waits."""


def assess_on_spark(inputs: Inputs, recorded: RecordedHeads, run: SparkRun) -> tuple[Tally, tuple[FileReading, ...]]:
    """Assess an export; return what was counted, and what each file held.

    Rows, disagreements and problems stand in the folders then. Raises MissingExtraError, and CohortRunError where Spark
    could not finish.
    """
    shipped = ship(token_hex(8), run.plan, run.overlays, run.keys)
    with spark_context(run.workers, run.rooms.parts) as context, _in_words():
        results = _collect(context, inputs, recorded, run.rooms, shipped)
    _remove_of_lost_tasks(run.rooms, {file for result in results for file in result.files})
    tally = Tally()
    for result in results:
        tally.add(result.tally)
    return tally, _file_readings(inputs.files, [reading for result in results for reading in result.readings])


def _collect(
    context: Any, inputs: Inputs, recorded: RecordedHeads, rooms: Rooms, shipped: ShippedRun
) -> list[PartitionResult]:
    splits = list(split_up(inputs.files))
    partitions = _partitions(context, inputs.size)
    told = context.broadcast(shipped)
    names = [file.name for file in inputs.files]
    records = context.parallelize(splits, len(splits)).mapPartitions(_Reading(told))
    if recorded.records:
        records = records.union(context.parallelize(recorded.records, 1))
    grouped = records.repartitionAndSortWithinPartitions(partitions, _Place(partitions))
    results: list[PartitionResult] = grouped.mapPartitionsWithIndex(
        _Assessing(told, partitions, rooms, names)
    ).collect()
    return results


def _partitions(context: Any, size: int) -> int:
    """Return how many partitions: as many as the configuration asks for, else by the size of the export."""
    asked = context.getConf().get(_PARALLELISM)
    return int(asked) if asked else max(2 * context.defaultParallelism, -(-size // _PARTITION_BYTES))


class _Reading(NamedTuple):
    """Reads pieces, on an executor."""

    told: Any

    def __call__(self, splits: Iterable[Split]) -> Iterator[Record]:
        parts = build(self.told.value)
        for split in splits:
            yield from read_split(split, parts)


class _Place(NamedTuple):
    """Says to which partition a key belongs, on an executor."""

    partitions: int

    def __call__(self, key: bytes) -> int:
        return partition_of(key, self.partitions)


class _Assessing(NamedTuple):
    """Assesses a partition, on an executor."""

    told: Any
    partitions: int
    rooms: Rooms
    names: Sequence[str]

    def __call__(self, number: int, records: Iterable[Record]) -> Iterator[PartitionResult]:
        attempt = import_module("pyspark").TaskContext.get().taskAttemptId()
        yield Partition(number, self.partitions, attempt).assess(
            records, build(self.told.value), self.rooms, self.names
        )


@contextmanager
def _in_words() -> Iterator[None]:
    """Turn what Spark says of a run that failed into a sentence; its own log has the rest."""
    java_error: type[Exception] = import_module("py4j.protocol").Py4JError
    try:
        yield
    except java_error as error:
        raise CohortRunError(sentence_of(str(error))) from error


def sentence_of(trace: str) -> str:
    """Return what a trace of Spark says, in one sentence: ours where one of ours is in it."""
    found = _SENTENCE.findall(trace) or _NOT_READ.findall(trace)
    if found:
        return str(found[-1])
    if _NO_MEMORY.search(trace):
        return "a Python process of an executor ended; there may be too little memory for the results of one patient"
    return "Spark could not finish the run; its log says why"


def _remove_of_lost_tasks(rooms: Rooms, files: set[str]) -> None:
    """Remove what tasks wrote whose executor was lost, or that were begun twice."""
    for room in (rooms.rows, rooms.disagreements, rooms.problems):
        for file in room.iterdir():
            if file.name not in files and file.name != "records":
                file.unlink()


def _file_readings(files: Sequence[ExportFile], pieces: Iterable[PieceReading]) -> tuple[FileReading, ...]:
    """Return what each file held, of what was told of its pieces."""
    found: list[list[PieceReading]] = [[] for _ in files]
    for piece in pieces:
        found[piece.file].append(piece)
    return tuple(_file_reading(file, told) for file, told in zip(files, found, strict=True))


def _file_reading(file: ExportFile, told: Sequence[PieceReading]) -> FileReading:
    return FileReading(
        file.name,
        sum(piece.size for piece in told),
        "".join(piece.sha256 for piece in told),
        lines=sum(piece.lines for piece in told),
        bad=sum(piece.bad for piece in told),
        other=sum(piece.other for piece in told),
        nobody=sum(piece.nobody for piece in told),
        fault="".join(piece.fault for piece in told),
    )
