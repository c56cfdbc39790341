"""The line of a file that a problem is about, with a caret under the place; nothing where it may hold a secret."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

_WIDEST: Final = 100
_BEFORE_THE_CARET: Final = 60
_CUT: Final = "…"
_TAB: Final = "    "
_WIDE: Final = frozenset("WF")
_WITHOUT_WIDTH: Final = frozenset({"Mn", "Me"})

# A user name or password in an address, what is called a secret, and a private key.
_SECRETS: Final = (
    re.compile(r"[/:][^\s/:]*@"),
    re.compile(
        r"(?:pass(?:wor[dt]|wd|phrase)?|pwd|secret|token|key|credentials?|bearer|basic"
        r"|密码|口令|密钥)[\"']?\s*(?:[:=：]|\s\S)",
        re.IGNORECASE,
    ),
    re.compile("BEGIN [A-Z ]{0,40}KEY"),
)
# Long texts without a blank in which letters and digits are mixed are keys and tokens, or are taken for such.
_UNBROKEN: Final = re.compile("[A-Za-z0-9+_=-]{32,}")


def may_hold_secret(text: str) -> bool:
    """Tell whether a text may hold what nobody is to read over a shoulder or in a log: rather too often than not."""
    if any(secret.search(text) for secret in _SECRETS):
        return True
    unbroken = (found[0] for found in _UNBROKEN.finditer(text))
    return any(re.search("[0-9]", run) and re.search("[A-Za-z]", run) for run in unbroken)


class SourceLine(NamedTuple):
    """A line of a file without its end, and where in it something stands; numbers count from 1."""

    text: str
    number: int
    column: int


def excerpt(source: SourceLine) -> tuple[str, str]:
    """Return the line after its number, and below it the caret. Long lines are cut on both sides of the place."""
    before, at = "".join(_seen(source.text[: source.column - 1])), "".join(_seen(source.text[source.column - 1 :]))
    if _width(before) > _BEFORE_THE_CARET:
        before = _CUT + _last(before, _BEFORE_THE_CARET - 1)
    shown = before + at
    if _width(shown) > _WIDEST:
        shown = _first(shown, _WIDEST - 1) + _CUT
    number = str(source.number)
    return f"  {number} | {shown}".rstrip(), f"  {' ' * len(number)} | {' ' * _width(before)}^"


def _seen(text: str) -> Iterator[str]:
    """Yield what stands on a terminal for each character: a control character there could move or clear lines."""
    for character in text:
        if character == "\t":
            yield _TAB
        else:
            yield character if character.isprintable() else "?"


def _width(text: str) -> int:
    return sum(map(_cells, text))


def _cells(character: str) -> int:
    if unicodedata.category(character) in _WITHOUT_WIDTH:
        return 0
    return 2 if unicodedata.east_asian_width(character) in _WIDE else 1


def _first(text: str, width: int) -> str:
    left = width
    for place, character in enumerate(text):
        left -= _cells(character)
        if left < 0:
            return text[:place]
    return text


def _last(text: str, width: int) -> str:
    return _first(text[::-1], width)[::-1]
