"""A log with every kind of record, and every kind of edit that may be made to it, as strategies."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from hypothesis import strategies as st

from tests.unit.audit.samples import KEY, Clock, audit_log, feedback_record, files_of, hook_record

Log = dict[str, bytes]
Edit = Callable[[Log], Log]
KEYS = (KEY, None)


class Place(NamedTuple):
    """A line of a log: its file, its number from 1, and its bytes."""

    file: str
    number: int
    line: bytes


@cache
def written(key: bytes | None) -> tuple[tuple[str, bytes], ...]:
    """A log with every kind of record: files removed after their time, and a line cut short by a crash."""
    clock = Clock()
    with TemporaryDirectory() as name:
        directory = Path(name)
        for day in range(6):
            log = audit_log(directory, key=key, clock=clock, retention_days=2)
            for number in range(3):
                hook = hook_record(request_id=f"h{number}", now=clock())
                log.append(hook if number % 2 else feedback_record(time=clock()))
            if day == 3:
                with files_of(directory)[-1].open("ab") as stream:
                    stream.write(b'{"sequence":99,"kind":"ho')
                audit_log(directory, key=key, clock=clock, retention_days=2).append(hook_record(now=clock()))
            clock.advance(days=1)
        return tuple((path.name, path.read_bytes()) for path in files_of(directory))


def lines_of(data: bytes) -> list[bytes]:
    """Split as a file is read from disk."""
    return re.findall(rb"[^\n]*\n|[^\n]+", data)


def places(log: Log) -> list[Place]:
    """All lines in the order of the chain; an empty file counts as a line without bytes."""
    return [
        Place(name, number, line)
        for name, data in sorted(log.items())
        for number, line in enumerate(lines_of(data) or [b""], start=1)
    ]


def rebuilt(log: Log, change: Callable[[list[list[bytes]]], None], names: list[str] | None = None) -> Log:
    """Change the lines of all files in place, and give the files back under their names or under others."""
    files = [lines_of(data) for _, data in sorted(log.items())]
    change(files)
    return dict(zip(names or sorted(log), (b"".join(lines) for lines in files), strict=True))


def spots() -> st.SearchStrategy[tuple[int, int]]:
    """Any line: the number of its file and its own, from 0."""
    counts = [len(lines_of(data)) for _, data in written(KEY)]
    return st.sampled_from([(file, line) for file, count in enumerate(counts) for line in range(count)])


class Cut(NamedTuple):
    """Where a line edit is made: the lines of all files, a line, another one, a position within the line, and bits."""

    files: list[list[bytes]]
    spot: tuple[int, int]
    other: tuple[int, int]
    at: float
    flip: int

    @property
    def text(self) -> bytes:
        """The line."""
        return self.files[self.spot[0]][self.spot[1]]

    @property
    def position(self) -> int:
        """A byte of the line."""
        return int(self.at * len(self.text))

    def put(self, *lines: bytes) -> None:
        """Put these in the place of the line."""
        self.files[self.spot[0]][self.spot[1] : self.spot[1] + 1] = lines


def _swap(cut: Cut) -> None:
    text = cut.text
    cut.put(cut.files[cut.other[0]][cut.other[1]])
    cut.files[cut.other[0]][cut.other[1]] = text


def _move(cut: Cut) -> None:
    text = cut.text
    cut.put()
    cut.files[cut.other[0]].insert(cut.other[1], text)


def _truncate(cut: Cut) -> None:
    cut.files[cut.spot[0]][cut.spot[1] :] = [cut.text[: cut.position]]


LINE_EDITS: dict[str, Callable[[Cut], None]] = {
    "change a byte": lambda c: c.put(
        c.text[: c.position] + bytes([c.text[c.position] ^ c.flip]) + c.text[c.position + 1 :]
    ),
    "delete": lambda c: c.put(),
    "insert garbage": lambda c: c.put(b'{"kind":"hook"}\n', c.text),
    "insert another line": lambda c: c.put(c.files[c.other[0]][c.other[1]], c.text),
    "duplicate": lambda c: c.put(c.text, c.text),
    "join with the next": lambda c: c.put(c.text[:-1]),
    "swap": _swap,
    "move": _move,
    "truncate": _truncate,
}


def line_edits() -> st.SearchStrategy[Edit]:
    """One edit of lines."""

    def prepared(name: str, spot: tuple[int, int], other: tuple[int, int], at: float, flip: int) -> Edit:
        return lambda log: rebuilt(log, lambda files: LINE_EDITS[name](Cut(files, spot, other, at, flip)))

    within, bits = st.floats(0, 1, exclude_max=True), st.integers(1, 255)
    return st.builds(prepared, st.sampled_from(sorted(LINE_EDITS)), spots(), spots(), within, bits)


@st.composite
def file_edits(draw: st.DrawFn) -> Edit:
    """Drop, rename, empty, duplicate or exchange files."""
    names = [name for name, _ in written(KEY)]
    name, other = draw(st.sampled_from(names)), draw(st.sampled_from(names))
    sequence, day = draw(st.integers(0, 40)), draw(st.integers(1, 28))
    renamed = f"audit-{sequence:012d}-2026-03-{day:02d}.jsonl"
    kind = draw(st.sampled_from(["drop", "rename", "empty", "copy", "exchange", "concatenate"]))

    def edit(log: Log) -> Log:
        edited = dict(log)
        if kind == "drop":
            del edited[name]
        elif kind == "rename":
            edited[renamed] = edited.pop(name)
        elif kind == "empty":
            edited[name] = b""
        elif kind == "copy":
            edited[renamed] = edited[name]
        elif kind == "exchange":
            edited[name], edited[other] = edited[other], edited[name]
        else:
            edited[name] += edited[other]
        return edited

    return edit
