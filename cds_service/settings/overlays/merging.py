"""The rows of all overlays added to the shipped rows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from cds_service.settings.errors import Place, Problem
from cds_service.settings.overlays.conditions import ConditionAdditions
from cds_service.settings.overlays.entries import SITE_SOURCE
from cds_service.settings.overlays.laboratory import LaboratoryAdditions
from cds_service.settings.overlays.procedures import ProcedureAdditions
from cds_service.settings.overlays.removals import Removals
from cds_service.settings.overlays.systems import SystemDirectory
from cds_service.settings.overlays.units import UnitAdditions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cds_service.settings.overlays.entries import Findings, Overlay
    from fhir_mappings.mappings import Mappings
    from fhir_mappings.models import MappingRows


def merge_overlays(shipped: Mappings, overlays: Sequence[Overlay], findings: Findings) -> MappingRows:
    """Return the rows of the site: the shipped ones and those of all overlays that stand the checks.

    Systems and removals of every file are read before any code, so the order of the files does not matter.
    """
    rows = shipped.rows
    systems = SystemDirectory(shipped, findings)
    for overlay in overlays:
        for system in overlay.systems:
            systems.declare(system)
    removals = Removals(shipped, systems, findings)
    for overlay in overlays:
        for removal in overlay.removals:
            removals.add(removal)
    laboratory = LaboratoryAdditions(shipped, systems, removals, findings)
    conditions = ConditionAdditions(shipped, systems, removals, findings)
    procedures = ProcedureAdditions(shipped, systems, removals, findings)
    units = UnitAdditions(shipped.units, findings)
    for overlay in overlays:
        for code in overlay.laboratory_codes:
            laboratory.add(code)
        for unit in overlay.units:
            units.add(unit)
        for condition in overlay.condition_codes:
            conditions.add(condition)
        for procedure in overlay.procedure_codes:
            procedures.add(procedure)
    merged = replace(
        rows,
        systems=(*rows.systems, *systems.added.values()),
        analyte_codes=laboratory.accepted(),
        refused_codes=laboratory.refused(),
        units=units.units(rows),
        refused_units=units.refused_units(rows),
        conditions=conditions.merged(),
        procedures=procedures.qualifying(),
        refused_procedures=procedures.refused(),
        sources={**rows.sources, **{overlay.name: {SITE_SOURCE: overlay.source} for overlay in overlays}},
    )
    _require_every_analyte(rows, merged, findings)
    return merged


def _require_every_analyte(before: MappingRows, after: MappingRows, findings: Findings) -> None:
    """Refuse removals that leave an analyte without any code: every patient would look untested."""
    left = {row.analyte for row in after.analyte_codes}
    for analyte in sorted({row.analyte for row in before.analyte_codes} - left):
        place = Place("mappings.overlays", "mappings.overlays")
        findings.problems.append(Problem(place, "", f"removals leave no code for {analyte}"))
