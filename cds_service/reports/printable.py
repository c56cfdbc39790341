"""Texts that came from requests, made safe for a terminal and for a page."""

from __future__ import annotations


def printable(text: str) -> str:
    """Replace what is not printable, line feeds too: control characters must not reach a terminal or an SVG."""
    return "".join(character if character.isprintable() else "?" for character in text)
