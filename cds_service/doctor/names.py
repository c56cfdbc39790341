"""Does a name sound like one of ours? A suspicion for a person to confirm, never a mapping."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cds_service.doctor.lookalikes import Kind, Lookalikes, Term, fold, load_lookalikes, words_of

if TYPE_CHECKING:
    from collections.abc import Iterable

# Shorter terms match whole words only: "seg" is not "Segovia", "alb" is not "albert".
_SHORTEST_PREFIX: Final = 6


class NameBook:
    """Recognises names of analytes, diagnoses and procedures."""

    def __init__(self, lookalikes: Lookalikes | None = None) -> None:
        """Take the shipped names unless others are given."""
        self._known = lookalikes or load_lookalikes()

    def analyte(self, texts: Iterable[str]) -> str | None:
        """Return the analyte that names or a code speak of; None where none, several, or something else is meant."""
        names = [_Name(text) for text in texts]
        found = {term.stands_for for term in self._known.names if any(name.holds(term) for name in names)}
        if len(found) != 1:
            return None
        (analyte,) = found
        others = (term for term in self._known.others if term.stands_for == analyte)
        return None if any(name.holds(term, within=True) for term in others for name in names) else analyte

    def basis(self, texts: Iterable[str]) -> str | None:
        """Return the basis that names speak of, "count" or "percent"; None where they leave it open."""
        names = [_Name(text) for text in texts]
        found = {term.stands_for for term in self._known.bases if any(name.holds(term) for name in names)}
        return found.pop() if len(found) == 1 else None

    def sounds_eligible(self, kind: Kind, texts: Iterable[str]) -> bool:
        """Tell whether names speak of primary liver cancer, or of an interventional procedure for it."""
        names = [_Name(text) for text in texts]
        if any(name.holds(term) for term in self._known.not_eligibility if term.stands_for == kind for name in names):
            return False
        return any(name.holds(term) for term in self._known.eligibility if term.stands_for == kind for name in names)


class _Name:
    def __init__(self, text: str) -> None:
        self._folded = fold(text)
        self._words = words_of(self._folded)

    def holds(self, term: Term, *, within: bool = False) -> bool:
        """Tell whether the words of a term follow one another here; `within`: long ones also inside of a word."""
        first = term.words[0]
        if len(term.words) == 1 and (not first.isalnum() or _is_chinese(first)):
            return first in self._folded
        if within and len(term.words) == 1 and len(first) >= _SHORTEST_PREFIX:
            return any(first in word for word in self._words)
        length = len(term.words)
        return any(
            all(map(_matches, self._words[place : place + length], term.words))
            for place in range(len(self._words) - length + 1)
        )


def _matches(word: str, wanted: str) -> bool:
    return word == wanted or (len(wanted) >= _SHORTEST_PREFIX and word.startswith(wanted))


def _is_chinese(word: str) -> bool:
    return "\u4e00" <= word[0] <= "\u9fff"
