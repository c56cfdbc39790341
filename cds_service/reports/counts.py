"""Counts as people read them: thousands apart, and one of something without a plural. Values are no counts."""

from __future__ import annotations


def thousands(count: int) -> str:
    """Return a count with its thousands apart, such as 12,345. SII and other values are never written so."""
    return f"{count:,}"


def counted(count: int, noun: str, plural: str | None = None) -> str:
    """Return a count with its noun: 1 user, 2 users, 1,204 entries. `plural` is the noun and an s unless given."""
    return f"{thousands(count)} {noun if count == 1 else plural or noun + 's'}"
