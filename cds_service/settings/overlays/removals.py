"""Shipped codes that do not count at a site."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cds_service.settings.wording import shown
from fhir_mappings.codes import comparable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cds_service.settings.overlays.entries import Entry, Findings
    from cds_service.settings.overlays.forms import Removal
    from cds_service.settings.overlays.operations import KnownOperations
    from cds_service.settings.overlays.systems import SystemDirectory
    from fhir_mappings.mappings import Mappings
    from fhir_mappings.models import AnalyteCode, ConceptCode, ProcedureCode

Key = tuple[str, str]


class Removals:
    """The removed codes by (system key, comparable code)."""

    def __init__(self, shipped: Mappings, known: KnownOperations, systems: SystemDirectory, findings: Findings) -> None:
        self._systems = systems
        self._operations = known
        self._findings = findings
        self._removed: dict[Key, Entry[Removal]] = {}
        dotted = shipped.rows.dotted_systems
        self._shipped = shipped
        self._counted = {comparable(row.system, row.code, dotted) for row in _counted_rows(shipped)}

    def __contains__(self, key: Key) -> bool:
        """Tell whether an overlay removes the code."""
        return key in self._removed

    def __getitem__(self, key: Key) -> Entry[Removal]:
        """Return the entry that removes the code. Raises KeyError."""
        return self._removed[key]

    def add(self, entry: Entry[Removal]) -> None:
        """Remove a code that the shipped tables count; another one becomes a finding."""
        key = self._systems.key_of(entry)
        if key is None:
            return
        code = shown(entry.row.code)
        is_counted = key in self._counted or self._is_operation(key, entry)
        if not is_counted and not self._is_inherited(key, entry.row.code):
            # No nearest code is offered: of a number, the nearest is another test and not a better spelling.
            text = f"the shipped tables have no row that counts {code}"
            self._findings.problems.append(entry.problem(text, "code"))
        elif key in self._removed:
            text = f"stands already in {self._removed[key].origin}"
            self._findings.problems.append(entry.problem(text, "code"))
        else:
            self._removed[key] = entry
            text = f"{code} of the shipped tables does not count at this site: {entry.row.reason}"
            self._findings.warnings.append(entry.problem(text, "code"))

    def inherited_diagnoses(self) -> Iterator[tuple[Key, ConceptCode]]:
        """Yield the removed diagnoses that an edition has from its parent, with the row that speaks for them."""
        for key, entry in self._removed.items():
            row = self._inherited(key, entry.row.code)
            if row is not None and key not in self._counted:
                yield key, row

    def operations(self) -> Iterator[tuple[Key, Entry[Removal]]]:
        """Yield the removed operations: of a row, of a row above or a form, or of an edition's parent."""
        return ((key, entry) for key, entry in self._removed.items() if self._is_operation(key, entry))

    def _is_operation(self, key: Key, entry: Entry[Removal]) -> bool:
        return self._operations.find(key[0], entry.row.code) is not None

    def _is_inherited(self, key: Key, code: str) -> bool:
        return self._inherited(key, code) is not None

    def _inherited(self, key: Key, code: str) -> ConceptCode | None:
        """Return the row of the parent that speaks for a code of an edition; None for another system."""
        parent = self._systems.parent_of(key[0])
        return self._shipped.condition(parent, code) if parent else None


def _counted_rows(shipped: Mappings) -> Iterator[AnalyteCode | ConceptCode | ProcedureCode]:
    yield from shipped.rows.analyte_codes
    yield from shipped.rows.conditions
    yield from shipped.rows.procedures
