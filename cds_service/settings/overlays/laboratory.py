"""Local laboratory codes beside the shipped ones."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from cds_service.settings.overlays.entries import REMOVE_FIRST, SITE_SOURCE, Judge
from cds_service.settings.overlays.forms import UNSEARCHABLE
from cds_service.settings.wording import shown
from fhir_mappings.codes import comparable
from fhir_mappings.models import AnalyteCode, RefusedCode

if TYPE_CHECKING:
    from cds_service.settings.overlays.entries import Entry, Findings
    from cds_service.settings.overlays.forms import LaboratoryCode
    from cds_service.settings.overlays.removals import Key, Removals
    from cds_service.settings.overlays.systems import SystemDirectory
    from fhir_mappings.mappings import Mappings

# What may stand in the query of a URL as it is (RFC 3986, section 3.4).
_PLAIN_IN_URL: Final = re.compile(r"[A-Za-z0-9\-._~:/?@!'()*;=]*")


class LaboratoryAdditions:
    """Collects the laboratory codes of all overlays."""

    def __init__(self, shipped: Mappings, systems: SystemDirectory, removals: Removals, findings: Findings) -> None:
        self._systems = systems
        self._removals = removals
        self._findings = findings
        self._judge = Judge(findings, "code", REMOVE_FIRST)
        self._added: dict[Key, AnalyteCode] = {}
        dotted = shipped.rows.dotted_systems
        self._accepted = {comparable(row.system, row.code, dotted): row for row in shipped.analyte_codes}
        self._refused = {comparable(row.system, row.code, dotted): row for row in shipped.rows.refused_codes}
        self._bases: dict[str, list[str]] = {}
        for analyte, basis in shipped.plausible:
            self._bases.setdefault(analyte, []).append(basis)

    def add(self, entry: Entry[LaboratoryCode]) -> None:
        """Add a code that can be searched for, on a basis in which its analyte has a plausible range."""
        row, key = entry.row, self._systems.key_of(entry)
        if key is None or not self._can_be_used(entry):
            return
        known = self._accepted.get(key) if key not in self._removals else None
        refused = self._refused.get(key)
        if self._judge.admits(
            entry,
            key,
            _meaning(row.analyte, row.basis, row.preference),
            known=_meaning(known.analyte, known.basis, known.preference) if known else None,
            refusal=refused.reason if refused else None,
        ):
            self._added[key] = AnalyteCode(
                key[0],
                row.code,
                row.analyte,
                row.basis,
                row.preference,
                row.name or row.code,
                (SITE_SOURCE,),
                entry.origin,
            )
            self._warn_of_encoding(entry)

    def accepted(self) -> tuple[AnalyteCode, ...]:
        """Return the shipped rows that were not removed, with the added ones behind them."""
        kept = (row for key, row in self._accepted.items() if key not in self._removals)
        return (*kept, *self._added.values())

    def refused(self) -> tuple[RefusedCode, ...]:
        """Return the shipped rows that no overlay contradicts; what was removed is refused with the site's reason."""
        kept = (row for key, row in self._refused.items() if key not in self._added)
        removed = (
            RefusedCode(row.system, row.code, (row.analyte,), entry.row.reason, (), entry.origin)
            for key, row in self._accepted.items()
            if key in self._removals and key not in self._added
            for entry in (self._removals[key],)
        )
        return (*kept, *removed)

    def require_every_analyte(self) -> None:
        """Refuse removals that leave an analyte without any code: every patient would look untested."""
        left = {row.analyte for row in self.accepted()}
        last = {row.analyte: self._removals[key] for key, row in self._accepted.items() if key in self._removals}
        for analyte, removal in last.items():
            if analyte not in left:
                self._findings.problems.append(removal.problem(f"leaves no code at all for {analyte}", "code"))

    def _can_be_used(self, entry: Entry[LaboratoryCode]) -> bool:
        row = entry.row
        special = UNSEARCHABLE.search(row.code)
        if special is not None:
            text = f'{shown(row.code)} holds "{special[0]}", which a FHIR search cannot carry in a code'
            self._findings.problems.append(entry.problem(text, "code"))
        bases = self._bases[row.analyte]
        if row.basis not in bases:
            text = f"{row.analyte} has no plausible range as {row.basis}; it is read as {' or '.join(bases)}"
            self._findings.problems.append(entry.problem(text, "basis"))
        return special is None and row.basis in bases

    def _warn_of_encoding(self, entry: Entry[LaboratoryCode]) -> None:
        if _PLAIN_IN_URL.fullmatch(entry.row.code) is None or _PLAIN_IN_URL.fullmatch(entry.row.system) is None:
            text = (
                f"{shown(entry.row.code)} has to be percent-encoded by the EHR when it fills in the prefetch template; "
                "check that bloodCounts and albumin arrive"
            )
            self._findings.warnings.append(entry.problem(text, "code"))


def _meaning(analyte: str, basis: str, preference: int) -> str:
    return f"{analyte} as {basis}, preference {preference}"
