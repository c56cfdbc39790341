"""Texts that came from requests, made safe for a terminal and for a page."""

from __future__ import annotations

import re
from typing import Final

# Outside ASCII, what is not printable may turn a line of a terminal around, clear it, or hide in it. In JSON such a
# character can only stand in a text, and JSON has another spelling for it there.
_BEYOND_ASCII: Final = re.compile("[^\\x00-\\x7e]")


def printable(text: str) -> str:
    """Replace what is not printable, line feeds too: control characters must not reach a terminal or an SVG."""
    return "".join(character if character.isprintable() else "?" for character in text)


def printable_json(text: str) -> str:
    """Spell what is not printable in the texts of JSON as `\\u…`: the same JSON, made safe for a terminal.

    JSON itself escapes the control characters of ASCII, but neither DEL and those from U+0080 on nor the marks that
    turn text around.
    """
    return text if text.isascii() and "\x7f" not in text else _BEYOND_ASCII.sub(_spelled, text)


def _spelled(found: re.Match[str]) -> str:
    character = found[0]
    if character.isprintable():
        return character
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[place]:02x}{units[place + 1]:02x}" for place in range(0, len(units), 2))
