"""The nearest right spelling of a wrong word."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def did_you_mean(word: str, candidates: Iterable[str]) -> str:
    """Return ` (did you mean "…"?)` with the nearest candidate, or an empty text when none is near."""
    by_folded = {candidate.casefold(): candidate for candidate in candidates}
    near = get_close_matches(word.casefold(), by_folded, n=1)
    return f' (did you mean "{by_folded[near[0]]}"?)' if near else ""
