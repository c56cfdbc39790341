"""Lines grouped by patient on the disk: parts by a hash of the patient, each small enough for one process.

A patient stands in one part, whatever file a line came from. A record is one line: the kind, the patient, a tab, the
content. Neither holds a line feed or a tab where it must not: heads with control characters in an id are refused, and
a line of an export ends at its line feed.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final
from zlib import crc32

from cds_service.insight.cohort.export_heads import RECORDED_DECISION, Head

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from cds_service.insight.cohort.export_heads import Kind

# One part as it stands in memory, before anything of it is decoded; and what waits to be written.
_PART_BYTES: Final = 12 * 1024 * 1024
_WAITING_BYTES: Final = 8 * 1024 * 1024
_MOST_PARTS: Final = 256
_READ_BYTES: Final = 1024 * 1024


def number_of_parts(size: int) -> int:
    """Return how many parts an export of so many bytes, unpacked, is split into."""
    return max(1, min(_MOST_PARTS, -(-size // _PART_BYTES)))


class SpillWriter:
    """Writes heads of one reader to the parts of a folder. `writer` tells its files from those of others."""

    def __init__(self, folder: Path, writer: str, parts: int, *, salt: int = 0) -> None:
        """Open nothing yet. `salt` makes another hash of the same patients, to split a part again."""
        self._folder = folder
        self._writer = writer
        self._salt = salt
        self._waiting: list[list[bytes]] = [[] for _ in range(parts)]
        self._size = 0

    def add(self, head: Head, key: str) -> None:
        """Add a head to the part of its key, which is the same for all that belongs to one patient."""
        patient = key.encode()
        record = b"%c%b\t%b\n" % (head.kind, head.patient.encode(), head.content)
        waiting = self._waiting
        waiting[crc32(patient, self._salt) % len(waiting)].append(record)
        self._size += len(record)
        if self._size >= _WAITING_BYTES:
            self.flush()

    def flush(self) -> None:
        """Write what waits. Raises OSError."""
        for number, records in enumerate(self._waiting):
            if records:
                path = self._folder / f"{number:03d}.{self._writer}"
                descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
                with os.fdopen(descriptor, "ab") as stream:
                    stream.write(b"".join(records))
                records.clear()
        self._size = 0


class Part:
    """All files of one part."""

    def __init__(self, files: tuple[Path, ...], *, depth: int = 0) -> None:
        """Name the files; `depth` is how often it was split."""
        self.files = files
        self._depth = depth

    @property
    def size(self) -> int:
        """Bytes on the disk."""
        return sum(file.stat().st_size for file in self.files)

    def patients(self, key_of: Callable[[str], str]) -> Iterator[tuple[str, list[tuple[Kind, bytes]]]]:
        """Yield every patient with all lines, and remove the files. Raises OSError.

        Lines with equal keys are of one patient, who goes by the name that the export has for them. A part that is
        larger than fits is split once more on the disk.
        """
        if self.size > 2 * _PART_BYTES and not self._depth:
            for part in self._split(key_of):
                yield from part.patients(key_of)
            return
        groups: dict[str, list[tuple[Kind, bytes]]] = {}
        names: dict[str, str] = {}
        for record in self._records():
            head = _unpack(record)
            key = key_of(head.patient)
            groups.setdefault(key, []).append((head.kind, head.content))
            if head.kind != RECORDED_DECISION:
                names[key] = head.patient
        self._remove()
        while groups:
            key, lines = groups.popitem()
            yield names.get(key, key), lines

    def _split(self, key_of: Callable[[str], str]) -> Iterator[Part]:
        parts = number_of_parts(2 * self.size)
        name = self.files[0].name
        writer = SpillWriter(self.files[0].parent, f"of-{name}", parts, salt=1)
        for record in self._records():
            head = _unpack(record)
            writer.add(head, key_of(head.patient))
        writer.flush()
        self._remove()
        for number in range(parts):
            file = self.files[0].with_name(f"{number:03d}.of-{name}")
            if file.exists():
                yield Part((file,), depth=self._depth + 1)

    def _records(self) -> Iterator[bytes]:
        for file in self.files:
            with file.open("rb") as stream:
                rest = b""
                while block := stream.read(_READ_BYTES):
                    *records, rest = (rest + block).split(b"\n")
                    yield from records

    def _remove(self) -> None:
        for file in self.files:
            file.unlink()


def _unpack(record: bytes) -> Head:
    tab = record.index(b"\t")
    kind: Kind = record[:1]  # type: ignore[assignment]
    return Head(record[1:tab].decode(), kind, record[tab + 1 :])


def parts_of(folder: Path) -> list[Part]:
    """Return the parts that were written to a folder, the largest first, so that the last to end are small."""
    files: dict[str, list[Path]] = {}
    for file in sorted(folder.iterdir()):
        files.setdefault(file.name.partition(".")[0], []).append(file)
    return sorted((Part(tuple(found)) for found in files.values()), key=lambda part: -part.size)
