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


class ExportFile(NamedTuple):
    """A file of an export, and what it is called in reports."""

    path: Path
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


def read_export_file(
    file: ExportFile,
    reader: HeadReader,
    writer: SpillWriter,
    key_of: Callable[[str], str],
    problems: Path,
    advance: Callable[[int], None],
) -> FileReading:
    """Split one file: good lines to the writer, bad ones by file, number and reason to a new file of problems.

    Raises OSError where the parts cannot be written.
    """
    counts: Counter[str] = Counter()
    digest, size, fault = sha256(), 0, ""

    def told(read: int) -> None:
        nonlocal size
        size += read
        advance(read)

    with open_private(problems) as stream:
        number = 0
        blocks = read_line_blocks(file.path, told, digest)
        while True:
            try:
                lines = next(blocks, None)
            except ExportError as error:
                fault = str(error).partition(": ")[2]
                break
            if lines is None:
                break
            _split(lines, number, file.name, reader, writer, key_of, stream, counts)
            number += len(lines)
    writer.flush()
    return FileReading(
        file.name,
        size,
        digest.hexdigest(),
        lines=counts["lines"],
        bad=counts["bad"],
        other=counts["other"],
        nobody=counts["nobody"],
        fault=fault,
    )


def _split(
    lines: list[bytes],
    before: int,
    name: str,
    reader: HeadReader,
    writer: SpillWriter,
    key_of: Callable[[str], str],
    problems: TextIO,
    counts: Counter[str],
) -> None:
    read, add = reader.read, writer.add
    blank = heads = 0
    for number, line in enumerate(lines, before + 1):
        head = read(line)
        if isinstance(head, Head):
            heads += 1
            add(head, key_of(head.patient))
        elif head is None:
            blank += 1
        elif isinstance(head, BadLine):
            counts["bad"] += 1
            problems.write(json.dumps({"file": name, "line": number, "reason": head.reason}) + "\n")
        else:
            counts["nobody" if head.is_without_patient else "other"] += 1
    counts["lines"] += len(lines) - blank
