"""Rows of overlays with the place each was written, and whether they may be added to the shipped rows.

Nothing is overruled in silence: a code that the shipped tables do not count needs `contradicts_refused` in the row,
and a code that they count as something else has to be listed under `removals` first.
"""

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
    from collections.abc import Hashable

    from cds_service.settings.overlays.forms import Claim
    from cds_service.settings.yaml_source import Document


# The key under which the source of an overlay stands in `MappingRows.sources`.
SITE_SOURCE: Final = "SITE"

Row = TypeVar("Row", bound=Form, covariant=True)


@dataclass(frozen=True, slots=True)
class Entry(Generic[Row]):
    """One row, and where it was written."""

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


# A code may be given another meaning once its shipped meaning is taken away.
REMOVE_FIRST: Final = "; to change that here, list the code under removals as well"

_ClaimT = TypeVar("_ClaimT", bound="Claim", covariant=True)


class Judge:
    """Decides about the rows of one table, in the order written."""

    def __init__(self, findings: Findings, subject: str, way_out: str = "") -> None:
        """Keep where findings go.

        `subject` is the key of a row that names what the row is about, `way_out` what to do where the shipped tables
        give it another meaning.
        """
        self._findings = findings
        self._subject = subject
        self._way_out = way_out
        self._seen: dict[Hashable, str] = {}

    def admits(
        self, entry: Entry[_ClaimT], about: Hashable, meaning: str, *, known: str | None, refusal: str | None
    ) -> bool:
        """Tell whether to add the row; the reason for a no goes to the findings.

        `about`: what the row is about, to find it twice. `known`: the meaning it has in the shipped tables.
        `refusal`: why the shipped tables do not count it.
        """
        problems = self._findings.problems
        if about in self._seen:
            problems.append(entry.problem(f"stands already in {self._seen[about]}", self._subject))
            return False
        self._seen[about] = entry.origin
        if refusal is not None:
            return self._admits_contradiction(entry, refusal)
        if entry.row.contradicts_refused is not None and known != meaning:
            text = "the shipped tables do not refuse this; take the line out"
            problems.append(entry.problem(text, "contradicts_refused"))
        elif known == meaning:
            text = f"the shipped tables say the same ({meaning}); the row changes nothing"
            self._findings.warnings.append(entry.problem(text, self._subject))
        elif known is not None:
            problems.append(
                entry.problem(f"the shipped tables say {known}, not {meaning}{self._way_out}", self._subject)
            )
        else:
            return True
        return False

    def _admits_contradiction(self, entry: Entry[_ClaimT], refusal: str) -> bool:
        reason = entry.row.contradicts_refused
        if reason is None:
            text = (
                f"the shipped tables do not count this ({refusal}); to count it all the same, add "
                'contradicts_refused: "why, and who approved it" to a row of a YAML overlay'
            )
            self._findings.problems.append(entry.problem(text, self._subject))
            return False
        text = f"the shipped tables do not count this ({refusal}); counted at this site: {reason}"
        self._findings.warnings.append(entry.problem(text, "contradicts_refused"))
        return True
