"""Text into GitHub-flavored markdown without any chance to become markup (requirement 94)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_LONGEST: Final = 60

# What units, codes and the names of studies are made of. Anything else (angle brackets, at signs, control characters)
# only helps an attacker. GFM turns bare URLs into links, and older parsers look for them after they have read the
# escapes: so neither a colon inside a word, nor two slashes, nor a point before what may be the end of a domain.
_FOREIGN: Final = re.compile(r"""[^\w \-+*/^%{}\[\]().,:;='"&#~°×]|:(?! |$)|(?<=/)/|\.(?=[^\W\d_]{2})""")
_MARKUP: Final = re.compile(r"([\\`*_{}\[\]()#.!|~^&])")


def escape(text: str, longest: int = _LONGEST) -> str:
    """Return data as inert markdown text: one line, at most so many characters, foreign ones as question marks."""
    line = " ".join(text.split())[:longest]
    return _MARKUP.sub(r"\\\1", _FOREIGN.sub("?", line))


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a GFM table. Cells are markdown already."""
    lines = [_row(columns), _row(["---"] * len(columns)), *(_row(row) for row in rows)]
    return "\n".join(lines)


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
