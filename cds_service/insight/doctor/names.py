"""Does a name sound like one of ours? A suspicion for a person to confirm, never a mapping."""

from __future__ import annotations

import re
from collections import defaultdict
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from cds_service.insight.doctor.lookalikes import Kind, Lookalikes, fold, load_lookalikes, words_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cds_service.insight.doctor.lookalikes import Term

UNKNOWN_THERAPY: Final = "unknown"
_EITHER_HEAT: Final = frozenset({"ablation/radiofrequency", "ablation/microwave"})
# Say less than any therapy that is named beside them.
_GENERAL: Final = ("ablation/thermal", "ablation/unspecified")


class Therapy(NamedTuple):
    """What a name says of a treatment: a therapy of the tables or "unknown", and whether the liver was treated."""

    therapy: str
    names_liver: bool


class NameBook:
    """Recognises names of analytes, diagnoses and procedures."""

    def __init__(self, lookalikes: Lookalikes | None = None) -> None:
        known = lookalikes or load_lookalikes()
        self._analytes = TermIndex(known.names)
        self._others = TermIndex(known.others, within=True)
        self._tests = TermIndex(known.tests)
        self._bases = TermIndex(known.bases)
        self._eligible = TermIndex(known.eligibility)
        self._not_eligible = TermIndex(known.not_eligibility)
        self._therapies = TermIndex(term for row in known.therapies for term in row.terms)
        self._hepatic = frozenset(row.therapy for row in known.therapies if row.hepatic)
        self._liver = TermIndex(known.liver)
        self._operations = TermIndex(known.operations)
        # The names of an export repeat with every resource.
        self._sounds = lru_cache(maxsize=8192)(self._sounds_eligible)

    def analyte(self, texts: Iterable[str]) -> str | None:
        """Return the analyte that names or a code speak of; None where none, several, or something else is meant."""
        names = _names(texts)
        found = self._analytes.find(names)
        return next(iter(found)) if len(found) == 1 and not found & self._others.find(names) else None

    def is_another_test(self, texts: Iterable[str]) -> bool:
        """Tell whether names speak of a test that is known and is none of ours, such as leukocytes or bands."""
        texts = tuple(texts)
        names = _names(texts)
        return self.analyte(texts) is None and bool(
            self._tests.find(names) or self._others.find(names) or self._analytes.find(names)
        )

    def basis(self, texts: Iterable[str]) -> str | None:
        """Return the basis that names speak of, "count" or "percent"; None where they leave it open."""
        found = self._bases.find(_names(texts))
        return next(iter(found)) if len(found) == 1 else None

    def sounds_eligible(self, kind: Kind, texts: Iterable[str]) -> bool:
        """Tell whether names speak of primary liver cancer, or of an interventional procedure for it."""
        return self._sounds(kind, tuple(texts))

    def therapy(self, texts: Iterable[str]) -> Therapy:
        """Guess the therapy of a procedure from its names; "unknown" where they name none, or several."""
        names = _names(texts)
        found = self._therapies.find(names)
        liver = bool(found & self._hepatic) or bool(self._liver.find(names))
        for general in _GENERAL:
            if len(found) > 1:
                found -= {general}
        if found == _EITHER_HEAT:
            return Therapy("ablation/radiofrequency-or-microwave", liver)
        return Therapy(next(iter(found)) if len(found) == 1 else UNKNOWN_THERAPY, liver)

    def operation(self, texts: Iterable[str]) -> str:
        """Return the kind of operation that names speak of; empty where they name none, or several."""
        found = self._operations.find(_names(texts))
        return next(iter(found)) if len(found) == 1 else ""

    def _sounds_eligible(self, kind: Kind, texts: tuple[str, ...]) -> bool:
        names = _names(texts)
        if kind in self._not_eligible.find(names):
            return False
        return bool(self._therapies.find(names)) if kind == "procedure" else kind in self._eligible.find(names)


def _names(texts: Iterable[str]) -> tuple[Name, ...]:
    return tuple(Name.of(text) for text in texts)


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
