"""The lines of an export: plain or gzip, one resource each, read in constant memory."""

from __future__ import annotations

import gzip
import zlib
from codecs import BOM_UTF8
from typing import TYPE_CHECKING, BinaryIO, Final, cast

from cds_service.foreign_bytes import wide_encoding

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

_ENDINGS: Final = (".ndjson", ".ndjson.gz", ".jsonl", ".jsonl.gz")
KNOWN_ENDINGS: Final = ", ".join(_ENDINGS)
_GZIP: Final = b"\x1f\x8b"
# No resource of the four types is larger; a longer line is not read.
LONGEST_LINE: Final = 8 * 1024 * 1024
_LINES_A_STEP: Final = 500


class ExportError(Exception):
    """A file of the export cannot be read to its end. The text names the file and holds no content of it."""


class NotNDJSONError(ExportError):
    """A file of another form than one resource a line in UTF-8."""


def find_files(paths: Iterable[Path]) -> tuple[Path, ...]:
    """Return the files that are named, and those of named folders with a known ending, in the order of their names."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found += sorted(file for file in path.rglob("*") if file.is_file() and file.name.endswith(_ENDINGS))
        else:
            found.append(path)
    return tuple(dict.fromkeys(found))


def read_lines(path: Path, advance: Callable[[int], None]) -> Iterator[bytes]:
    """Yield the lines that hold something; one that is longer than LONGEST_LINE is yielded cut to that length.

    `advance` is told how many bytes of the file were read. A byte order mark is left out, also one in the middle, where
    files were put together. Raises ExportError.
    """
    try:
        with path.open("rb") as raw:
            zipped = raw.read(2) == _GZIP
            raw.seek(0)
            stream = cast("BinaryIO", gzip.GzipFile(fileobj=raw)) if zipped else raw
            yield from _lines(stream, raw, advance, path.name)
    except (OSError, EOFError, zlib.error) as error:
        raise ExportError(f"{path.name}: {_words(error)}") from error


def _lines(stream: BinaryIO, raw: BinaryIO, advance: Callable[[int], None], name: str) -> Iterator[bytes]:
    told = number = 0
    while line := stream.readline(LONGEST_LINE):
        number += 1
        if number == 1:
            _check_form(line, name)
        if len(line) == LONGEST_LINE and not line.endswith(b"\n"):
            _skip_rest(stream)
        if number % _LINES_A_STEP == 0:
            advance(raw.tell() - told)
            told = raw.tell()
        if line.strip():
            yield line.removeprefix(BOM_UTF8)
    advance(raw.tell() - told)


def _check_form(first: bytes, name: str) -> None:
    """Look at the first line. Raises NotNDJSONError where it shows another form."""
    if wide := wide_encoding(first):
        raise NotNDJSONError(f"{name}: is {wide}; an export is UTF-8")
    text = first.removeprefix(BOM_UTF8).strip()
    if text.startswith((b"{", b"[")) and not text.endswith((b"}", b"]")) and len(first) < LONGEST_LINE:
        raise NotNDJSONError(f"{name}: is one JSON document over several lines")


def _skip_rest(stream: BinaryIO) -> None:
    while (rest := stream.readline(LONGEST_LINE)) and not rest.endswith(b"\n"):
        pass


def _words(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return "the compressed data are damaged or end too early"
