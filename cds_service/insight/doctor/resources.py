"""FHIR resources as the service reads them; diagnoses and procedures with names, which it does not read."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from cds_service.acquisition.bundles import BundleReader
from cds_service.acquisition.resources import (
    Condition,
    DescribedCoding,
    DescribedConcept,
    Observation,
    Parts,
    Procedure,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

# Names are cut here: some systems put whole reports into them.
_LONGEST_NAME: Final = 80


class NamedCoding(DescribedCoding, frozen=True, gc=False):
    """FHIR Coding with its display."""

    display: Any = None


class NamedConcept(DescribedConcept, frozen=True, gc=False):
    """FHIR CodeableConcept with its text."""

    coding: Parts[NamedCoding] = ()
    text: Any = None


class NamedCondition(Condition):
    """FHIR Condition with names."""

    code: NamedConcept | None = None


class NamedProcedure(Procedure):
    """FHIR Procedure with names."""

    code: NamedConcept | None = None


OBSERVATIONS: Final[BundleReader[Observation]] = BundleReader(Observation, "Observation")
CONDITIONS: Final[BundleReader[Condition]] = BundleReader(NamedCondition, "Condition")
PROCEDURES: Final[BundleReader[Procedure]] = BundleReader(NamedProcedure, "Procedure")


def names_of(concept: object) -> Iterator[str]:
    """Yield what a CodeableConcept is called: displays first, then its text; nothing where it was read without."""
    for coding in getattr(concept, "coding", ()):
        yield from _clean(getattr(coding, "display", None))
    yield from _clean(getattr(concept, "text", None))


def _clean(name: object) -> Iterator[str]:
    if isinstance(name, str) and (text := printable(name)):
        yield text


def printable(text: str) -> str:
    """Return a text that a terminal and a page can show on one line, cut to a readable length."""
    return _printable(text[: 2 * _LONGEST_NAME])


@lru_cache(maxsize=8192)
def _printable(text: str) -> str:
    # The names of an export repeat with every result.
    shown = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(shown.split())[:_LONGEST_NAME]
