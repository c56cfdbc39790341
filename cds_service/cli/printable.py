"""Texts that came from requests, made safe for a terminal."""

from __future__ import annotations


def printable(text: str) -> str:
    """Replace what is not printable: control characters must not reach a terminal."""
    return "".join(character if character.isprintable() else "?" for character in text)
