"""Local diagnosis codes beside the shipped ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cds_service.settings.overlays.entries import REMOVE_FIRST, SITE_SOURCE, Judge
from fhir_mappings.codes import comparable
from fhir_mappings.models import ConceptCode

if TYPE_CHECKING:
    from cds_service.settings.overlays.entries import Entry, Findings
    from cds_service.settings.overlays.forms import ConditionCode
    from cds_service.settings.overlays.removals import Key, Removals
    from cds_service.settings.overlays.systems import SystemDirectory
    from fhir_mappings.mappings import Mappings

# Categories that can make a patient eligible; all others either exclude or are ignored.
_COUNTED: Final = frozenset({"primary", "history"})
# A removed diagnosis stays known, without effect: else a prefix row above it would speak for it.
_WITHOUT_EFFECT: Final = "ambiguous"


class ConditionAdditions:
    """Collects the diagnosis codes of all overlays."""

    def __init__(self, shipped: Mappings, systems: SystemDirectory, removals: Removals, findings: Findings) -> None:
        self._shipped = shipped
        self._systems = systems
        self._removals = removals
        self._findings = findings
        self._judge = Judge(findings, "code", REMOVE_FIRST)
        self._added: dict[Key, ConceptCode] = {}
        dotted = shipped.rows.dotted_systems
        self._listed = {comparable(row.system, row.code, dotted): row for row in shipped.rows.conditions}

    def add(self, entry: Entry[ConditionCode]) -> None:
        """Add a diagnosis. Prefix rows of the shipped tables speak for the codes below them, and for editions."""
        row, key = entry.row, self._systems.key_of(entry)
        if key is None or (row.prefix and not self._systems.may_be_prefix(entry, key)):
            return
        uri = self._systems.parent_of(key[0]) or row.system
        known = self._shipped.condition(uri, row.code) if key not in self._removals else None
        overruled = known is not None and known.category not in _COUNTED and known.category != row.category
        if self._judge.admits(
            entry,
            key,
            _meaning(row.category, row.prefix),
            known=_meaning(known.category, known.prefix if key in self._listed else row.prefix) if known else None,
            refusal=f"{known.category}: {known.meaning}" if known and overruled else None,
        ):
            self._added[key] = ConceptCode(
                key[0], row.code, row.category, row.name or row.code, row.prefix, (SITE_SOURCE,), entry.origin
            )

    def merged(self) -> tuple[ConceptCode, ...]:
        """Return the shipped rows, but for those that overlays replace or remove, with the added ones behind them."""
        kept = (
            row._replace(category=_WITHOUT_EFFECT, origin=self._removals[key].origin) if key in self._removals else row
            for key, row in self._listed.items()
            if key not in self._added
        )
        silenced = (
            row._replace(
                system=key[0],
                code=self._removals[key].row.code,
                category=_WITHOUT_EFFECT,
                origin=self._removals[key].origin,
            )
            for key, row in self._removals.inherited_diagnoses()
            if key not in self._added
        )
        return (*kept, *silenced, *self._added.values())


def _meaning(category: str, prefix: bool) -> str:
    return f"{category}, with every code below" if prefix else category
