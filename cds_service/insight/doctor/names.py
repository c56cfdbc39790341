"""Does a name sound like one of ours? A suspicion for a person to confirm, never a mapping."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from cds_service.insight.doctor.lookalikes import Kind, Lookalikes, load_lookalikes
from cds_service.insight.doctor.term_index import Name, TermIndex

if TYPE_CHECKING:
    from collections.abc import Iterable

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
        """Take the shipped names unless others are given."""
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
