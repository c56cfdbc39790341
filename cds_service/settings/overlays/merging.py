"""The rows of all overlays added to the shipped rows."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING

from cds_service.settings.overlays.conditions import ConditionAdditions
from cds_service.settings.overlays.entries import SITE_SOURCE
from cds_service.settings.overlays.known_operations import KnownOperations
from cds_service.settings.overlays.laboratory import LaboratoryAdditions
from cds_service.settings.overlays.operations import OperationAdditions
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
    systems = _declared(shipped, overlays, findings)
    known = KnownOperations(shipped, systems)
    removals = _removed(overlays, Removals(shipped, known, systems, findings))
    laboratory = LaboratoryAdditions(shipped, systems, removals, findings)
    conditions = ConditionAdditions(shipped, systems, removals, findings)
    procedures = ProcedureAdditions(shipped, systems, removals, findings)
    operations = OperationAdditions(shipped, known, systems, removals, findings)
    units = UnitAdditions(shipped.units, findings)
    for code in chain.from_iterable(overlay.laboratory_codes for overlay in overlays):
        laboratory.add(code)
    for unit in chain.from_iterable(overlay.units for overlay in overlays):
        units.add(unit)
    for condition in chain.from_iterable(overlay.condition_codes for overlay in overlays):
        conditions.add(condition)
    for procedure in chain.from_iterable(overlay.procedure_codes for overlay in overlays):
        procedures.add(procedure)
    for operation in chain.from_iterable(overlay.operation_codes for overlay in overlays):
        operations.add(operation)
    all_systems = (*rows.systems, *systems.added.values())
    operations.hold_against(procedures, all_systems)
    laboratory.require_every_analyte()
    return replace(
        rows,
        systems=all_systems,
        analyte_codes=laboratory.accepted(),
        refused_codes=laboratory.refused(),
        units=units.units(rows),
        refused_units=units.refused_units(rows),
        conditions=conditions.merged(),
        procedures=procedures.qualifying(),
        refused_procedures=procedures.refused(),
        operations=operations.merged(),
        sources={**rows.sources, **{overlay.name: {SITE_SOURCE: overlay.source} for overlay in overlays}},
    )


def _declared(shipped: Mappings, overlays: Sequence[Overlay], findings: Findings) -> SystemDirectory:
    systems = SystemDirectory(shipped, findings)
    for system in chain.from_iterable(overlay.systems for overlay in overlays):
        systems.declare(system)
    return systems


def _removed(overlays: Sequence[Overlay], removals: Removals) -> Removals:
    for removal in chain.from_iterable(overlay.removals for overlay in overlays):
        removals.add(removal)
    return removals
