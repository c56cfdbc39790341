"""Local codes of operations that change blood counts, beside the shipped ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cds_service.settings.overlays.entries import REMOVE_FIRST, SITE_SOURCE, Judge
from cds_service.settings.wording import shown
from fhir_mappings.code_index import CodeIndex
from fhir_mappings.codes import comparable
from fhir_mappings.models import NO_OPERATION, OperationCode

if TYPE_CHECKING:
    from cds_service.settings.overlays.entries import Entry, Findings
    from cds_service.settings.overlays.forms import LocalOperation
    from cds_service.settings.overlays.procedures import ProcedureAdditions
    from cds_service.settings.overlays.removals import Key, Removals
    from cds_service.settings.overlays.systems import SystemDirectory
    from fhir_mappings.mappings import Mappings
    from fhir_mappings.models import CodeSystem, OperationForm


class KnownOperations:
    """Finds shipped operations under every system, those that overlays declare as editions among them."""

    def __init__(self, shipped: Mappings, systems: SystemDirectory) -> None:
        """Index the shipped rows under all systems; every system must have been declared before."""
        self._shipped = shipped
        self._systems = systems
        self._uris = {system.key: system.uris[0] for system in shipped.rows.systems}
        self._rows = CodeIndex(shipped.rows.operations, (*shipped.rows.systems, *systems.added.values()))

    def find(self, system_key: str, code: str) -> OperationCode | OperationForm | None:
        """Return the operation of a row, of a row above it, of a form, or of the parent of an edition."""
        uri = self._systems.parent_of(system_key) or self._uris.get(system_key, "")
        return self._rows.find(system_key, code) or self._shipped.operation(uri, code)


# Gives way to a qualifying procedure under the same code; every other kind stands beside it.
_YIELDING: Final = "other"


class OperationAdditions:
    """Collects the operation codes of all overlays."""

    def __init__(
        self,
        shipped: Mappings,
        known: KnownOperations,
        systems: SystemDirectory,
        removals: Removals,
        findings: Findings,
    ) -> None:
        self._shipped = shipped
        self._known = known
        self._systems = systems
        self._removals = removals
        self._findings = findings
        self._judge = Judge(findings, "code", REMOVE_FIRST)
        self._added: dict[Key, OperationCode] = {}
        self._entries: dict[Key, Entry[LocalOperation]] = {}
        dotted = shipped.rows.dotted_systems
        self._listed = {comparable(row.system, row.code, dotted): row for row in shipped.rows.operations}

    def add(self, entry: Entry[LocalOperation]) -> None:
        """Add an operation. Prefix rows and forms of the shipped tables speak for their codes, and for editions."""
        row, key = entry.row, self._systems.key_of(entry)
        if key is None or (row.prefix and not self._systems.may_be_prefix(entry, key)) or self._is_dead(entry, key):
            return
        known = self._known.find(key[0], row.code) if key not in self._removals else None
        reaches = self._listed[key].prefix if key in self._listed else row.prefix
        if self._judge.admits(
            entry,
            key,
            _meaning(row.kind, row.prefix),
            known=_meaning(known.kind, reaches) if known else None,
            refusal=None,
        ):
            self._entries[key] = entry
            self._added[key] = OperationCode(
                key[0], row.code, row.kind, row.name or row.code, row.prefix, (SITE_SOURCE,), entry.origin
            )

    def merged(self) -> tuple[OperationCode, ...]:
        """Return the shipped rows, with those of overlays behind them; removed ones stay, without effect.

        They stay because a prefix row, a form or the parent of an edition would speak for them otherwise.
        """
        kept = (
            row._replace(kind=NO_OPERATION, origin=self._removals[key].origin) if key in self._removals else row
            for key, row in self._listed.items()
            if key not in self._added
        )
        silenced = (
            OperationCode(key[0], entry.row.code, NO_OPERATION, entry.row.reason, False, (SITE_SOURCE,), entry.origin)
            for key, entry in self._removals.operations()
            if key not in self._added and key not in self._listed
        )
        return (*kept, *silenced, *self._added.values())

    def hold_against(self, procedures: ProcedureAdditions, systems: tuple[CodeSystem, ...]) -> None:
        """Find every code that is an operation and a qualifying procedure at once, be it by a row above it."""
        told = self._find_qualifying(procedures, systems)
        self._find_covered(procedures, systems, told)
        for key, entry in procedures.entries.items():
            known = self._known.find(key[0], entry.row.code) if key not in self._removals else None
            if known is not None and known.kind != _YIELDING:
                text = f"the shipped tables say that this is an operation that does not qualify ({known.kind})"
                self._findings.problems.append(entry.problem(f"{text}{REMOVE_FIRST}", "code"))

    def _find_qualifying(self, procedures: ProcedureAdditions, systems: tuple[CodeSystem, ...]) -> set[str]:
        """Find added operations whose code qualifies; return the places of those told of."""
        qualifying = CodeIndex(procedures.qualifying(), systems)
        told: set[str] = set()
        for key, entry in self._entries.items():
            found = qualifying.find(key[0], entry.row.code)
            if found is not None:
                told.add(entry.origin)
                text = f"is a qualifying procedure by {shown(found.code)} ({found.therapy}) and cannot be an operation"
                self._findings.problems.append(entry.problem(f"{text}{REMOVE_FIRST}", "code"))
        return told

    def _find_covered(self, procedures: ProcedureAdditions, systems: tuple[CodeSystem, ...], told: set[str]) -> None:
        """Find qualifying codes below an added row with `prefix`, in each edition too; one per row is told."""
        operations = CodeIndex(self._added.values(), systems)
        entries = {entry.origin: entry for entry in self._entries.values()}
        families: dict[str, list[str]] = {}
        for system in systems:
            families.setdefault(system.edition, []).append(system.key)
        for row in procedures.qualifying():
            for system_key in (row.system, *families.get(row.system, ())):
                found = operations.find(system_key, row.code)
                if found is not None and found.kind != _YIELDING and found.origin not in told:
                    told.add(found.origin)
                    text = f"takes in {shown(row.code)}, a qualifying procedure ({row.therapy}); list single codes"
                    self._findings.problems.append(entries[found.origin].problem(text, "code"))

    def _is_dead(self, entry: Entry[LocalOperation], key: Key) -> bool:
        """Tell, with a finding, whether the code is refused as a procedure: what carries it is not read at all."""
        uri = self._systems.parent_of(key[0]) or entry.row.system
        refused = self._shipped.refused_procedure(uri, entry.row.code)
        if refused is None or refused.left_out:
            return False
        text = f"the shipped tables refuse procedures under this code ({refused.reason}); the row would have no effect"
        self._findings.problems.append(entry.problem(text, "code"))
        return True


def _meaning(kind: str, prefix: bool) -> str:
    return f"{kind}, with every code below" if prefix else kind
