"""One file of an export to the parts of its patients, with what of it could not be read."""

from __future__ import annotations

import json
from collections import Counter
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple

from cds_service.insight.cohort.export_heads import BadLine, Head
from cds_service.insight.cohort.tables import open_private
from cds_service.insight.sources.export_files import ExportError, read_line_blocks

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import TextIO

    from cds_service.insight.cohort.export_heads import HeadReader
    from cds_service.insight.cohort.spill import SpillWriter
    from cds_service.insight.sources.export_files import Digest
    from cds_service.insight.sources.remote_files import ExportPath


class ExportFile(NamedTuple):
    """A file of an export, and what it is called in reports."""

    path: ExportPath
    name: str


class FileReading(NamedTuple):
    """What a file held. `size` and `sha256` are of the file as it stands on the disk, as far as it was read.

    `lines` are those that hold something: good ones, `bad` ones, and of the good ones `other` of types that are not
    read and `nobody` without a patient. `fault` says why the file could not be read to its end; empty where it could.
    """

    name: str
    size: int
    sha256: str
    lines: int
    bad: int
    other: int
    nobody: int
    fault: str

    def described(self) -> dict[str, Any]:
        """Return it for run.json."""
        return self._asdict()


class LineSorter:
    """Sorts lines: those about a patient, bad ones, and the rest, which is counted."""

    def __init__(
        self,
        reader: HeadReader,
        add: Callable[[Head], None],
        add_problem: Callable[[int, str], None],
        counts: Counter[str],
    ) -> None:
        """Keep what reads and what takes: heads, and numbers of bad lines with reasons. `counts` is added to."""
        self._read = reader.read
        self._add = add
        self._add_problem = add_problem
        self._counts = counts

    def take(self, lines: list[bytes], before: int) -> None:
        """Sort lines of a file; `before` is the number of those that stand before them."""
        read, add, counts = self._read, self._add, self._counts
        blank = 0
        for number, line in enumerate(lines, before + 1):
            head = read(line)
            if isinstance(head, Head):
                add(head)
            elif head is None:
                blank += 1
            elif isinstance(head, BadLine):
                counts["bad"] += 1
                self._add_problem(number, head.reason)
            else:
                counts["nobody" if head.is_without_patient else "other"] += 1
        counts["lines"] += len(lines) - blank


def problem_line(file: str, line: int, reason: str) -> str:
    """Return what problems.jsonl says of a bad line."""
    return json.dumps({"file": file, "line": line, "reason": reason}) + "\n"


def _by_key(writer: SpillWriter, key_of: Callable[[str], str]) -> Callable[[Head], None]:
    add = writer.add
    return lambda head: add(head, key_of(head.patient))


class FileSplitter:
    """Splits files: good lines to the parts of their patients, bad ones by number and reason to a file of problems."""

    def __init__(
        self, reader: HeadReader, writer: SpillWriter, key_of: Callable[[str], str], advance: Callable[[int], None]
    ) -> None:
        """Keep what reads and what writes; `advance` is told the bytes of the file."""
        self._reader = reader
        self._flush = writer.flush
        self._add = _by_key(writer, key_of)
        self._advance = advance
        self._size = 0
        self._counts: Counter[str] = Counter()

    def split(self, file: ExportFile, problems: Path) -> FileReading:
        """Split one file; `problems` is made. Raises OSError where the parts cannot be written."""
        self._size, self._counts = 0, Counter()
        digest = sha256()
        with open_private(problems) as stream:
            fault = self._split_lines(file, digest, stream)
        self._flush()
        counts = self._counts
        return FileReading(
            file.name,
            self._size,
            digest.hexdigest(),
            lines=counts["lines"],
            bad=counts["bad"],
            other=counts["other"],
            nobody=counts["nobody"],
            fault=fault,
        )

    def _split_lines(self, file: ExportFile, digest: Digest, problems: TextIO) -> str:
        """Split as far as the file can be read; return why it could not be read further."""
        number = 0
        write = problems.write

        def add_problem(line: int, reason: str) -> None:
            write(problem_line(file.name, line, reason))

        sorter = LineSorter(self._reader, self._add, add_problem, self._counts)
        blocks = read_line_blocks(file.path, self._told, digest)
        while True:
            # Not a loop over the blocks: what the parts raise is no fault of the file.
            try:
                lines = next(blocks, None)
            except ExportError as error:
                return str(error).partition(": ")[2]
            if lines is None:
                return ""
            sorter.take(lines, number)
            number += len(lines)

    def _told(self, read: int) -> None:
        self._size += read
        self._advance(read)
