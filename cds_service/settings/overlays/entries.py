"""Rows of overlays with the place each was written, and what was found wrong or odd about them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from cds_service.settings.errors import KeyPath, Problem, dotted
from cds_service.settings.overlays.forms import (
    ConditionCode,
    Form,
    LaboratoryCode,
    LocalOperation,
    LocalProcedure,
    LocalSystem,
    LocalUnit,
    Removal,
)

if TYPE_CHECKING:
    from cds_service.settings.yaml_source import Document

# The key under which the source of an overlay stands in `MappingRows.sources`.
SITE_SOURCE: Final = "SITE"

Row = TypeVar("Row", bound=Form, covariant=True)


@dataclass(frozen=True, slots=True)
class Entry(Generic[Row]):
    """One row, and where it stands."""

    row: Row
    document: Document
    path: KeyPath

    @property
    def origin(self) -> str:
        """The position of the row, `file:line:column`."""
        return self.document.place_of(self.path).text

    def problem(self, sentence: str, *key: str) -> Problem:
        """Put a sentence to the row, or to one of its keys."""
        path = (*self.path, *key)
        return Problem(self.document.place_of(path), dotted(path), sentence)


@dataclass(slots=True)
class Findings:
    """Problems stop the start; warnings are printed and stay."""

    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)


@dataclass(slots=True)
class Overlay:
    """The rows of one file that are sound in themselves. `source`: what the file holds and who answers for it."""

    name: str
    content: bytes
    """What the version is computed from: the values, not the layout."""
    source: str = ""
    systems: list[Entry[LocalSystem]] = field(default_factory=list)
    laboratory_codes: list[Entry[LaboratoryCode]] = field(default_factory=list)
    units: list[Entry[LocalUnit]] = field(default_factory=list)
    condition_codes: list[Entry[ConditionCode]] = field(default_factory=list)
    procedure_codes: list[Entry[LocalProcedure]] = field(default_factory=list)
    operation_codes: list[Entry[LocalOperation]] = field(default_factory=list)
    removals: list[Entry[Removal]] = field(default_factory=list)
