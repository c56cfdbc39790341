"""The files of a log: their names, their order, and where the log ends.

Names are `audit-SEQUENCE-DATE.jsonl` with the sequence number of the first line and the UTC day of its writing, so
that names in alphabetical order are lines in the order of the chain.
"""

from __future__ import annotations

import os
import re
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from cds_service.audit.chain import GENESIS, read_line, read_opened
from cds_service.audit.lock import reader_lock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cds_service.audit.bookkeeping import OpenedRecord
    from cds_service.audit.chain import Line

_NAME: Final = re.compile(r"audit-(\d{12})-(\d{4}-\d{2}-\d{2})\.jsonl")
_CHUNK_BYTES: Final = 65_536
_READ_BYTES: Final = 1_048_576
_READER_LOCK_SECONDS: Final = 10.0


class Tail(NamedTuple):
    """Where a log ends.

    `file` is the newest file, empty when there is none; `size` are its bytes up to the last complete line, and
    `torn` the bytes after it. `begun` tells that a line of `file` can be read, and `opened` is its first record, None
    where it has none. `sequence` and `link` are those of the last line of the log, in `file` or before it; `closed`
    tells that this line closes its file.
    """

    file: str
    size: int
    torn: bytes
    begun: bool
    opened: OpenedRecord | None
    sequence: int
    link: str
    closed: bool


class Extent(NamedTuple):
    """A file and how much of it was there when the log was looked at."""

    path: Path
    size: int


def file_name(sequence: int, now: datetime) -> str:
    """Name the file whose first line has this sequence number."""
    return f"audit-{sequence:012d}-{now.astimezone(UTC).date().isoformat()}.jsonl"


def first_sequence(name: str) -> int:
    """Sequence number of the first line, from the name of a file."""
    return int(_parts(name)[1])


@lru_cache(maxsize=8)
def opening_day(name: str) -> date:
    """UTC day on which the file was begun, from its name."""
    return date.fromisoformat(_parts(name)[2])


def file_names(directory: Path) -> list[str]:
    """Names of the log files in the order of the chain. Other files are not of the log. Raises OSError."""
    return sorted(filter(_is_name, os.listdir(directory)))  # noqa: PTH208  names only


def look(directory: Path) -> tuple[Extent, ...]:
    """Fix what the log consists of now; lines appended later are not part of it.

    Raises OSError when the directory is missing or cannot be read, TimeoutError when a writer does not let go.
    """
    with reader_lock(directory, _READER_LOCK_SECONDS):
        paths = [directory / name for name in file_names(directory)]
        return tuple(Extent(path, path.stat().st_size) for path in paths)


def read_lines(extent: Extent) -> Iterator[bytes]:
    """Yield the lines of a file with their line feeds; the last one lacks it when it was cut short."""
    rest = extent.size
    if rest == 0:
        return
    with extent.path.open("rb", buffering=_READ_BYTES) as stream:
        for line in stream:
            if len(line) >= rest:
                # The rest of a longer line was written after the log was looked at.
                yield line[:rest]
                return
            rest -= len(line)
            yield line


def first_record(path: Path) -> OpenedRecord | None:
    """Read the first record of a file; None when its first line is cut short or damaged. Raises OSError."""
    with path.open("rb") as stream:
        return read_opened(stream.readline())


def find_tail(directory: Path) -> Tail:
    """Find where the log ends. To be called under the lock; raises OSError."""
    names = file_names(directory)
    tail = Tail("", 0, b"", begun=False, opened=None, sequence=0, link=GENESIS, closed=False)
    for name in reversed(names):
        path = directory / name
        size, torn, last = _end_of(path)
        if not tail.file:
            tail = tail._replace(file=name, size=size, torn=torn, begun=last is not None, opened=first_record(path))
        if last is not None:
            return tail._replace(sequence=last.sequence, link=last.link, closed=last.kind == "closed")
    return tail


def go_on(tail: Tail, appended: bytes) -> Tail | None:
    """Return where the log ends after others have appended to the file of a known tail; None where that is not plain.

    Only the last line is looked at: each of them was appended by a process that had found the one before it.
    """
    complete = appended.rfind(b"\n") + 1
    last = read_line(appended[appended.rfind(b"\n", 0, max(0, complete - 1)) + 1 : complete])
    if last is None:
        return None
    return tail._replace(
        size=tail.size + complete,
        torn=appended[complete:],
        sequence=last.sequence,
        link=last.link,
        closed=last.kind == "closed",
    )


def _end_of(path: Path) -> tuple[int, bytes, Line | None]:
    """Return the bytes of the complete lines, what follows them, and the last line that can be read."""
    with path.open("rb") as stream:
        start = end = stream.seek(0, os.SEEK_END)
        data = b""
        while True:
            complete = data.rfind(b"\n") + 1
            last = _last_readable(data[:complete], whole=start == 0)
            if last is not None or start == 0:
                return end - len(data) + complete, data[complete:], last
            start = max(0, start - max(_CHUNK_BYTES, len(data)))
            stream.seek(start)
            data = stream.read(end - start)


def _last_readable(data: bytes, *, whole: bool) -> Line | None:
    """Return the last readable of some complete lines; the first of them counts only if it is `whole`."""
    lines = data.split(b"\n")[:-1]
    candidates = lines if whole else lines[1:]
    return next(filter(None, (read_line(line + b"\n") for line in reversed(candidates))), None)


def _is_name(name: str) -> bool:
    """Tell whether a file is of the log; one of 30 February was put there by somebody else."""
    match = _NAME.fullmatch(name)
    if match is None:
        return False
    try:
        date.fromisoformat(match[2])
    except ValueError:
        return False
    return True


def _parts(name: str) -> re.Match[str]:
    match = _NAME.fullmatch(name)
    if match is None:
        raise ValueError(f"{name} is no name of an audit file")
    return match
