"""Local procedure codes beside the shipped ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cds_service.settings.overlays.entries import REMOVE_FIRST, SITE_SOURCE, Judge
from cds_service.settings.wording import did_you_mean, shown
from fhir_mappings.codes import comparable
from fhir_mappings.models import ProcedureCode, RefusedProcedure

if TYPE_CHECKING:
    from cds_service.settings.overlays.entries import Entry, Findings
    from cds_service.settings.overlays.forms import LocalProcedure
    from cds_service.settings.overlays.removals import Key, Removals
    from cds_service.settings.overlays.systems import SystemDirectory
    from fhir_mappings.mappings import Mappings


class ProcedureAdditions:
    """Collects the procedure codes of all overlays. `entries` are the rows that were added."""

    def __init__(self, shipped: Mappings, systems: SystemDirectory, removals: Removals, findings: Findings) -> None:
        self._systems = systems
        self._removals = removals
        self._findings = findings
        self._judge = Judge(findings, "code", REMOVE_FIRST)
        self._added: dict[Key, ProcedureCode] = {}
        self.entries: dict[Key, Entry[LocalProcedure]] = {}
        dotted = shipped.rows.dotted_systems
        self._qualifying = {comparable(row.system, row.code, dotted): row for row in shipped.rows.procedures}
        self._refused = {comparable(row.system, row.code, dotted): row for row in shipped.rows.refused_procedures}
        self._therapies = sorted({row.therapy for row in shipped.rows.procedures})

    def add(self, entry: Entry[LocalProcedure]) -> None:
        """Add a code for one of the therapies of the shipped table: the rule speaks of no others."""
        row, key = entry.row, self._systems.key_of(entry)
        if key is None or not self._is_explained(entry) or (row.prefix and not self._systems.may_be_prefix(entry, key)):
            return
        known = self._qualifying.get(key) if key not in self._removals else None
        refused = self._refused.get(key)
        if self._judge.admits(
            entry,
            key,
            row.therapy,
            known=known.therapy if known else None,
            refusal=refused.reason if refused else None,
        ):
            self.entries[key] = entry
            self._added[key] = ProcedureCode(
                system=key[0],
                code=row.code,
                therapy=row.therapy,
                liver_specific=row.liver_specific,
                note=row.note or "",
                sources=(SITE_SOURCE,),
                weak=row.weak,
                prefix=row.prefix,
                origin=entry.origin,
            )

    def qualifying(self) -> tuple[ProcedureCode, ...]:
        """Return the shipped rows that were not removed, with the added ones behind them."""
        kept = (row for key, row in self._qualifying.items() if key not in self._removals)
        return (*kept, *self._added.values())

    def refused(self) -> tuple[RefusedProcedure, ...]:
        """Return the shipped rows that no overlay contradicts; what was removed is left out for the site's reason."""
        kept = (row for key, row in self._refused.items() if key not in self._added)
        removed = (
            RefusedProcedure(row.system, row.code, entry.row.reason, True, (), entry.origin)
            for key, row in self._qualifying.items()
            if key in self._removals and key not in self._added
            for entry in (self._removals[key],)
        )
        return (*kept, *removed)

    def _is_explained(self, entry: Entry[LocalProcedure]) -> bool:
        row, problems = entry.row, self._findings.problems
        known = row.therapy in self._therapies
        if not known:
            hint = did_you_mean(row.therapy, self._therapies)
            text = f"{shown(row.therapy)} is not one of {', '.join(self._therapies)}{hint}"
            problems.append(entry.problem(text, "therapy"))
        explained = row.liver_specific or row.note is not None
        if not explained:
            text = "is missing: a code that does not name the liver (liver_specific: true) needs to say why it counts"
            problems.append(entry.problem(text, "note"))
        return known and explained
