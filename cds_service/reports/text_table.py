"""Tables and paragraphs in columns of a terminal, where a Chinese character takes two."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Final

from cds_service.reports.printable import printable

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

_MARGIN: Final = 2
# A column of words is readable down to this width; where that is too much, minor columns go.
_NARROWEST_CELL: Final = 14


def table_lines(
    heads: Sequence[str],
    rows: Sequence[Sequence[str]],
    width: int,
    *,
    numeric: Collection[int] = (),
    minor: Collection[int] = (),
) -> list[str]:
    """Return aligned lines; `numeric` columns stand at the right, cells that are too long go on below.

    Where the columns do not fit, `minor` ones are left out, the last first, and then the widest become narrower.
    """
    table = [tuple(map(printable, row)) for row in ([heads, *rows] if heads else rows)]
    kept = list(range(max(map(len, table), default=0)))
    sizes = [_size(heads[place] if heads else "", [row[place] for row in table[bool(heads) :]]) for place in kept]
    for place in sorted(minor, reverse=True):
        if sum(min(sizes[column], _NARROWEST_CELL) + _MARGIN for column in kept) > width:
            kept.remove(place)
    while sum(sizes[place] + _MARGIN for place in kept) > width:
        widest = max(kept, key=lambda place: (_gives_way(place, sizes[place], numeric, minor), sizes[place]))
        if sizes[widest] <= _NARROWEST_CELL:
            widest = max(kept, key=lambda place: sizes[place])
        if sizes[widest] == 1:
            break
        sizes[widest] -= 1
    return [line for row in table for line in _row([(row[at], sizes[at], at in numeric) for at in kept])]


def wrapped(text: str, width: int, *, anywhere: bool = False) -> list[str]:
    """Break a text between words; `anywhere` also breaks a word that is longer than a line."""
    lines = [""]
    # A number and its percent sign stay together.
    for word in re.split(" (?!%)", text):
        joined = f"{lines[-1]} {word}" if lines[-1] else word
        if columns_of(joined) <= width or not lines[-1]:
            lines[-1] = joined
        else:
            lines.append(word)
        while anywhere and columns_of(lines[-1]) > width and len(lines[-1]) > 1:
            head = _fitting(lines[-1], width)
            lines[-1:] = [head, lines[-1][len(head) :]]
    return lines


def columns_of(text: str) -> int:
    """Return how many columns of a terminal a text takes."""
    if text.isascii():
        return len(text)
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def _size(head: str, cells: Sequence[str]) -> int:
    """Return the width a column would like to have: that of its cells, and of the longest word of its heading."""
    return max(map(columns_of, [*cells, *head.split(" ")]), default=0)


def _gives_way(place: int, size: int, numeric: Collection[int], minor: Collection[int]) -> int:
    """Return how soon a column becomes narrower: minor ones first, numbers last."""
    return 0 if place in numeric else 2 if place in minor and size > _NARROWEST_CELL else 1


def _row(cells: Sequence[tuple[str, int, bool]]) -> list[str]:
    parts = [wrapped(text, size, anywhere=True) for text, size, _ in cells]
    lines = []
    for number in range(max(map(len, parts))):
        padded = []
        for (_, size, at_right), part in zip(cells, parts, strict=True):
            text = part[number] if number < len(part) else ""
            space = " " * (size - columns_of(text))
            padded.append(space + text if at_right else text + space)
        lines.append((" " * _MARGIN + (" " * _MARGIN).join(padded)).rstrip())
    return lines


def _fitting(text: str, width: int) -> str:
    """Return the longest beginning that fits, of one character at least."""
    size = 0
    for place, character in enumerate(text):
        size += columns_of(character)
        if size > width:
            return text[: max(place, 1)]
    return text
