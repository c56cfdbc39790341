"""The lines of an export: plain or gzip, one resource each, read in constant memory."""

from __future__ import annotations

import zlib
from codecs import BOM_UTF8
from typing import TYPE_CHECKING, BinaryIO, Final, Protocol

from cds_service.foreign_bytes import wide_encoding

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from cds_service.insight.sources.remote_files import ExportPath

_ENDINGS: Final = (".ndjson", ".ndjson.gz", ".jsonl", ".jsonl.gz")
KNOWN_ENDINGS: Final = ", ".join(_ENDINGS)
_GZIP: Final = b"\x1f\x8b"
# No resource of the types that are read is larger; a longer line is not read.
LONGEST_LINE: Final = 8 * 1024 * 1024
_BLOCK: Final = 512 * 1024
_NO_LINE: Final = b""
# zlib: a gzip header is asked for.
_GZIP_WINDOW: Final = 31


class ExportError(Exception):
    """A file of the export cannot be read to its end. The text names the file and holds no content of it."""


class NotNDJSONError(ExportError):
    """A file of another form than one resource a line in UTF-8."""


class Digest(Protocol):
    """What is told every byte of a file as it stands on the disk."""

    def update(self, data: bytes, /) -> None:
        """Take further bytes into account."""


def find_files(paths: Iterable[ExportPath]) -> tuple[ExportPath, ...]:
    """Return the files that are named, and those of named folders with a known ending, in the order of their names."""
    found: list[ExportPath] = []
    for path in paths:
        if path.is_dir():
            files: Iterable[ExportPath] = path.rglob("*")
            found += sorted((f for f in files if f.name.endswith(_ENDINGS) and f.is_file()), key=str)
        else:
            found.append(path)
    return tuple(dict.fromkeys(found))


def read_lines(path: ExportPath, advance: Callable[[int], None]) -> Iterator[bytes]:
    """Yield the lines that hold something; one that is longer than LONGEST_LINE is yielded cut to that length.

    `advance` is told how many bytes of the file were read. A byte order mark is left out, also one in the middle, where
    files were put together. Raises ExportError.
    """
    for lines in read_line_blocks(path, advance):
        for line in lines:
            if line and not line.isspace():
                yield line.removeprefix(BOM_UTF8)


def read_line_blocks(
    path: ExportPath, advance: Callable[[int], None], digest: Digest | None = None
) -> Iterator[list[bytes]]:
    """Yield all lines in order, many at a time, as they stand in the file but for their line feeds.

    A line that is longer than LONGEST_LINE is cut to that length. `digest` is told the bytes of the file. Raises
    ExportError after the last line that could be read whole.
    """
    try:
        with path.open("rb", buffering=0) as raw:
            blocks = _blocks(raw, advance, digest)
            first = next(blocks, b"")
            content = _unzipped(first, blocks) if first.startswith(_GZIP) else _joined(first, blocks)
            yield from _lines(content, path.name)
    except (OSError, EOFError, zlib.error) as error:
        raise ExportError(f"{path.name}: {_words(error)}") from error


def can_be_split(path: ExportPath) -> bool:
    """Tell whether a file may be read from its middle: it is plain and holds one resource a line. Raises OSError."""
    with path.open("rb", buffering=0) as raw:
        first, feed, _ = raw.read(_BLOCK).partition(b"\n")
    if first.startswith(_GZIP) or not feed:
        return False
    try:
        _check_form(first, path.name)
    except NotNDJSONError:
        return False
    return True


def read_split_blocks(path: ExportPath, start: int, end: int) -> Iterator[list[bytes]]:
    """Yield the lines of a plain file that begin at its bytes from `start` up to `end`, many at a time.

    What ends at `end` and begins there together hold every line once. Raises OSError.
    """
    with path.open("rb", buffering=0) as raw:
        # The byte before tells whether a line begins at `start`.
        raw.seek(max(start - 1, 0))
        yield from _lines(_lines_within(raw, start, end), path.name, check=False)


def _lines_within(raw: BinaryIO, start: int, end: int) -> Iterator[bytes]:
    position, is_within = max(start - 1, 0), start == 0
    for block in _blocks(raw, lambda _: None, None):
        begin = 0
        if not is_within:
            begin = block.find(b"\n") + 1
            is_within = begin > 0
            if position + (begin or len(block)) >= end:
                return
        if is_within:
            last = block.find(b"\n", max(end - 1 - position, begin))
            yield block[begin : last + 1] if last >= 0 else block[begin:]
            if last >= 0:
                return
        position += len(block)


def _blocks(raw: BinaryIO, advance: Callable[[int], None], digest: Digest | None) -> Iterator[bytes]:
    while block := raw.read(_BLOCK):
        if digest is not None:
            digest.update(block)
        advance(len(block))
        yield block


def _joined(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


def _unzipped(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the content of one gzip member after another. Raises zlib.error, and EOFError where it ends early."""
    member = zlib.decompressobj(_GZIP_WINDOW)
    for block in _joined(first, rest):
        waiting = block
        while waiting:
            if member.eof:
                waiting = waiting.lstrip(b"\0")
                member = zlib.decompressobj(_GZIP_WINDOW) if waiting else member
            if waiting:
                # So much at a time: a few bytes may stand for any number of them.
                yield member.decompress(waiting, _BLOCK)
                waiting = member.unconsumed_tail or member.unused_data
    while not member.eof and (more := member.decompress(b"", _BLOCK)):
        yield more
    if not member.eof:
        raise EOFError


def _lines(content: Iterator[bytes], name: str, *, check: bool = True) -> Iterator[list[bytes]]:
    rest, is_first, skipping = b"", check, False
    for block in content:
        first, feed, others = block.partition(b"\n")
        if not feed:
            rest = rest if skipping else (rest + first)[:LONGEST_LINE]
            skipping = len(rest) >= LONGEST_LINE
            continue
        lines = others.split(b"\n")
        lines.insert(0, rest if skipping else (rest + first)[:LONGEST_LINE])
        rest, skipping = lines.pop(), False
        if is_first:
            _check_form(lines[0], name)
            is_first = False
        yield lines
    if rest:
        if is_first:
            _check_form(rest, name)
        yield [rest]


def _check_form(first: bytes, name: str) -> None:
    """Look at the first line. Raises NotNDJSONError where it shows another form."""
    if wide := wide_encoding(first):
        raise NotNDJSONError(f"{name}: is {wide}; an export is UTF-8")
    text = first.removeprefix(BOM_UTF8).strip()
    if text.startswith((b"{", b"[")) and not text.endswith((b"}", b"]")) and len(first) < LONGEST_LINE:
        raise NotNDJSONError(f"{name}: is one JSON document over several lines")


def _words(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return "the compressed data are damaged or end too early"
