"""Local unit spellings beside the shipped ones."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cds_service.normalization.units import normalize_spelling
from cds_service.settings.overlays.entries import SITE_SOURCE, Judge
from fhir_mappings.models import KINDS, UnitSpelling

if TYPE_CHECKING:
    from decimal import Decimal

    from cds_service.settings.overlays.entries import Entry, Findings
    from cds_service.settings.overlays.forms import LocalUnit
    from fhir_mappings.models import MappingRows, RefusedUnit
    from fhir_mappings.unit_table import UnitTable


@dataclass(slots=True)
class UnitAdditions:
    """Collects the unit rows of all overlays."""

    table: UnitTable
    findings: Findings
    added: list[UnitSpelling] = field(default_factory=list)
    judge: Judge = field(init=False)

    def __post_init__(self) -> None:
        """Judge rows by their spelling: one spelling has one meaning."""
        self.judge = Judge(self.findings, "spelling")

    def add(self, entry: Entry[LocalUnit]) -> None:
        """Add a spelling in the form in which it is compared, so that it can be copied from a result as it is."""
        row = entry.row
        spelling = normalize_spelling(row.spelling)
        refused = self.table.refused(spelling)
        refusal = refused.reason if refused is not None else None
        meaning = _meaning(row.kind, row.factor)
        if not self.judge.admits(entry, spelling, meaning, known=self._known(spelling, meaning), refusal=refusal):
            return
        factors = sorted(set(self.table.exact[row.kind].values()))
        if row.factor not in factors:
            shipped = ", ".join(str(factor) for factor in factors)
            text = f"no shipped spelling of {row.kind} has the factor {row.factor} (they have {shipped}); check it"
            self.findings.warnings.append(entry.problem(text, "factor"))
        self.added.append(UnitSpelling(spelling, row.kind, row.factor, False, (SITE_SOURCE,), entry.origin))

    def units(self, rows: MappingRows) -> tuple[UnitSpelling, ...]:
        """Return the shipped spellings with the added ones behind them."""
        return (*rows.units, *self.added)

    def refused_units(self, rows: MappingRows) -> tuple[RefusedUnit, ...]:
        """Return the refused spellings without those that an overlay contradicts."""
        added = {unit.spelling for unit in self.added}
        return tuple(row for row in rows.refused_units if row.spelling not in added)

    def _known(self, spelling: str, meaning: str) -> str | None:
        """Return what the shipped table reads the spelling as, in any of its ways; `meaning` if it is among it."""
        found = ((kind, self.table.factor(spelling, kind)) for kind in KINDS)
        known = [_meaning(kind, factor) for kind, factor in found if factor is not None]
        return meaning if meaning in known else next(iter(known), None)


def _meaning(kind: str, factor: Decimal) -> str:
    return f"{kind} times {factor.normalize():f}"
