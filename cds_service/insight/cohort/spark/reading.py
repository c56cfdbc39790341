"""A piece of a file to records for the shuffle: lines by patient, and what is to be told of the file.

What is told of files travels as records, too: a piece that is read twice, since its executor was lost, counts once.
Keys are bytes. What is told sorts before all patients, by file, piece and line.
"""

from __future__ import annotations

from collections import Counter
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final
from zlib import crc32

import msgspec

from cds_service.insight.cohort.reading import LineSorter
from cds_service.insight.sources.export_files import ExportError, read_line_blocks, read_split_blocks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cds_service.insight.cohort.export_heads import Head
    from cds_service.insight.cohort.spark.shipping import RunParts
    from cds_service.insight.cohort.spark.splits import Split

Record = tuple[bytes, Any]

_TOLD: Final = b"\x00"
_PATIENT: Final = b"\x01"
_BLOCK: Final = 1024 * 1024


class PieceReading(msgspec.Struct, frozen=True, array_like=True):
    """What a piece held. `all_lines` counts blank ones, too; size and sha256 are of the file, where it was hashed."""

    file: int
    piece: int
    all_lines: int = 0
    lines: int = 0
    bad: int = 0
    other: int = 0
    nobody: int = 0
    size: int = 0
    sha256: str = ""
    fault: str = ""


_PIECE: Final = msgspec.json.Decoder(PieceReading)


def read_split(split: Split, parts: RunParts) -> Iterator[Record]:
    """Yield the records of a piece. Raises OSError where the file cannot be read: another executor may be able to."""
    if split.only_hash:
        yield _told(_hashed(split))
        return
    counts: Counter[str] = Counter()
    waiting: list[Record] = []
    file = (split.file, split.piece)

    def add(head: Head) -> None:
        waiting.append(record_of(head, parts.key_of(head.patient)))

    def add_problem(line: int, reason: str) -> None:
        waiting.append((_told_key(*file, line), reason))

    sorter = LineSorter(parts.reader, add, add_problem, counts)
    source = _Source(split)
    for lines in source.blocks():
        sorter.take(lines, counts["all_lines"])
        counts["all_lines"] += len(lines)
        yield from waiting
        waiting.clear()
    yield _told(msgspec.structs.replace(source.told(), **counts))


class _Source:
    """The lines of a piece, and what there is to tell of its file."""

    def __init__(self, split: Split) -> None:
        self._split = split
        self._digest = sha256()
        self._size = 0
        self._fault = ""

    def blocks(self) -> Iterator[list[bytes]]:
        split = self._split
        if split.end is not None:
            yield from read_split_blocks(split.path, split.start, split.end)
            return
        try:
            yield from read_line_blocks(split.path, self._advance, self._digest)
        except ExportError as error:
            if isinstance(error.__cause__, OSError):
                raise error.__cause__ from None
            self._fault = str(error).partition(": ")[2]

    def told(self) -> PieceReading:
        split = self._split
        if split.end is not None:
            return PieceReading(split.file, split.piece)
        digest = self._digest.hexdigest()
        return PieceReading(split.file, split.piece, size=self._size, sha256=digest, fault=self._fault)

    def _advance(self, read: int) -> None:
        self._size += read


def _hashed(split: Split) -> PieceReading:
    digest, size = sha256(), 0
    with split.path.open("rb", buffering=0) as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
            size += len(block)
    return PieceReading(split.file, split.piece, size=size, sha256=digest.hexdigest())


def record_of(head: Head, key: str) -> Record:
    """Return the record of a line. The patient's name stands in it where the key is another one."""
    name = head.patient if head.patient != key else ""
    return _PATIENT + key.encode(), b"%c%b\t%b" % (head.kind, name.encode(), head.content)


def is_told(key: bytes) -> bool:
    """Tell whether a record is about a file, and not about a patient."""
    return key.startswith(_TOLD)


def patient_of(key: bytes) -> str:
    """Return the key of a patient as heads have it."""
    return key[1:].decode()


def partition_of(key: bytes, partitions: int) -> int:
    """Return where a record belongs; the same on every machine."""
    return 0 if is_told(key) else crc32(key) % partitions


def _told(reading: PieceReading) -> Record:
    # The line before the first one: the number of lines is known before those of the next piece are told.
    return _told_key(reading.file, reading.piece, 0), msgspec.json.encode(reading)


def _told_key(file: int, piece: int, line: int) -> bytes:
    return _TOLD + b"%08d%08d%012d" % (file, piece, line)


def place_of(key: bytes) -> tuple[int, int, int]:
    """Return file, piece and line in it of what is told; line 0 is about the piece as a whole."""
    return int(key[1:9]), int(key[9:17]), int(key[17:])


def decode_reading(value: bytes) -> PieceReading:
    """Return what was told of a piece."""
    return _PIECE.decode(value)
