"""Which of many terms does a name hold? Indexed, so that thousands of names are looked at in a moment."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, Final, NamedTuple

from cds_service.insight.doctor.lookalikes import fold, words_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cds_service.insight.doctor.lookalikes import Term

# Shorter terms match whole words only: "seg" is not "Segovia", "alb" is not "albert".
_SHORTEST_PREFIX: Final = 6
# LOINC's property says nothing about what was measured: "Platelets [#/volume] in Blood" is no volume of platelets.
_PROPERTY: Final = re.compile(r"\[[^\[\]]*/[^\[\]]*\]")


class Name(NamedTuple):
    """A name, folded, whole and in words."""

    folded: str
    words: tuple[str, ...]

    @classmethod
    def of(cls, text: str) -> Name:
        """Fold a text."""
        folded = fold(_PROPERTY.sub(" ", text))
        return cls(folded, words_of(folded))


class TermIndex:
    """Finds what terms stand for.

    One word of six letters or more, or a stem, matches the beginning of a word; a shorter one a whole word; several
    words match words that follow one another; terms of scripts without spaces, and signs such as "%", match anywhere.
    `within`: long words also match inside of a word.
    """

    def __init__(self, terms: Iterable[Term], *, within: bool = False) -> None:
        """Sort the terms by how they match."""
        self._whole: defaultdict[str, set[str]] = defaultdict(set)
        self._beginnings: defaultdict[str, set[str]] = defaultdict(set)
        self._anywhere: list[tuple[str, str]] = []
        self._inside: list[tuple[str, str]] = []
        self._phrases: list[Term] = []
        for term in terms:
            first = term.words[0]
            if len(term.words) > 1:
                self._phrases.append(term)
            elif not first.isalnum() or _is_unspaced(first):
                self._anywhere.append((first, term.stands_for))
            elif term.is_stem or len(first) >= _SHORTEST_PREFIX:
                self._beginnings[first].add(term.stands_for)
                if within and len(first) >= _SHORTEST_PREFIX:
                    self._inside.append((first, term.stands_for))
            else:
                self._whole[first].add(term.stands_for)

    def find(self, names: Iterable[Name]) -> frozenset[str]:
        """Return what the terms that any of the names hold stand for."""
        return frozenset(found for name in names for found in self._find(name))

    def _find(self, name: Name) -> Iterator[str]:
        for word in name.words:
            yield from self._whole.get(word, ())
            for end in range(1, len(word) + 1):
                yield from self._beginnings.get(word[:end], ())
        yield from (found for text, found in self._anywhere if text in name.folded)
        yield from (found for text, found in self._inside if any(text in word for word in name.words))
        yield from (term.stands_for for term in self._phrases if _holds_phrase(name, term))


def _holds_phrase(name: Name, term: Term) -> bool:
    if _is_unspaced(term.words[0]):
        return " ".join(term.words) in " ".join(name.words)
    length = len(term.words)
    places = range(len(name.words) - length + 1)
    return any(all(map(_matches, name.words[place : place + length], term.words)) for place in places)


def _matches(word: str, wanted: str) -> bool:
    return word == wanted or (len(wanted) >= _SHORTEST_PREFIX and word.startswith(wanted))


def _is_unspaced(word: str) -> bool:
    """Tell whether a word is Chinese, Japanese or Korean, where words are not, or not always, set apart."""
    return any(low <= word[0] <= high for low, high in _UNSPACED)


_UNSPACED: Final = (("\u3040", "\u30ff"), ("\u3400", "\u9fff"), ("\uac00", "\ud7a3"))
