"""The files of an export in pieces that executors read: by ranges of bytes where a file is plain, else whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from cds_service.insight.sources.export_files import can_be_split

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cds_service.insight.cohort.reading import ExportFile
    from cds_service.insight.sources.remote_files import ExportPath

# A quarter of a minute of one core.
SPLIT_BYTES: Final = 128 * 1024 * 1024
WHOLE: Final = 0


class Split(NamedTuple):
    """A piece of work: lines of a file that begin from `start` up to `end`, or only its hash, where that is another.

    `file` and `piece` are numbers in order. `end` is None for a file that is read and hashed whole.
    """

    file: int
    piece: int
    path: ExportPath
    start: int = 0
    end: int | None = None
    only_hash: bool = False


def split_up(files: Iterable[ExportFile], size: int = SPLIT_BYTES) -> Iterator[Split]:
    """Yield the pieces of files, none much larger than `size` but those of gzip files. Raises OSError."""
    for number, file in enumerate(files):
        length = file.path.stat().st_size
        if length <= size or not can_be_split(file.path):
            yield Split(number, WHOLE, file.path)
            continue
        # A hash is of the bytes in their order, so it is a piece of work of its own.
        yield Split(number, WHOLE, file.path, only_hash=True)
        for piece, start in enumerate(range(0, length, size), 1):
            yield Split(number, piece, file.path, start, min(start + size, length))
