"""Overlays added to the shipped tables: read one by one, their rows merged, and checked as a whole."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, Final

from cds_service.settings.errors import Place, Problem, SettingsError
from cds_service.settings.overlays.conditions import ConditionAdditions
from cds_service.settings.overlays.entries import SITE_SOURCE, Findings, Overlay
from cds_service.settings.overlays.laboratory import LaboratoryAdditions
from cds_service.settings.overlays.operations import KnownOperations, OperationAdditions
from cds_service.settings.overlays.procedures import ProcedureAdditions
from cds_service.settings.overlays.reading import overlay_of, read_overlay
from cds_service.settings.overlays.removals import Removals
from cds_service.settings.overlays.systems import SystemDirectory
from cds_service.settings.overlays.units import UnitAdditions
from cds_service.settings.yaml_source import parse_document
from fhir_mappings import MappingError, build_mappings
from fhir_mappings.files import content_version

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from fhir_mappings.mappings import Mappings
    from fhir_mappings.models import MappingRows


# Stands for the file that a proposal is not in yet.
_PROPOSED: Final = "proposed.yaml"


def add_overlays(shipped: Mappings, overlays: Sequence[Path]) -> tuple[Mappings, tuple[Problem, ...]]:
    """Return the mappings with the overlays added, and warnings sorted by position. Raises SettingsError."""
    findings = Findings()
    read = _read_all(overlays, shipped, findings)
    rows = merge_overlays(shipped, read, findings)
    if findings.problems:
        raise SettingsError(findings.problems)
    warnings = sorted(findings.warnings, key=lambda problem: problem.place.order)
    return _built(rows, _version(shipped, read)), tuple(warnings)


def problems_of(text: str, base: Mappings) -> tuple[Problem, ...]:
    """Return the problems of an overlay, given as text, if it were added to the tables of a site."""
    findings = Findings()
    try:
        overlay = overlay_of(parse_document(text, _PROPOSED), _PROPOSED, base, findings)
        rows = merge_overlays(base, [overlay], findings)
        if not findings.problems:
            _built(rows, base.version)
    except SettingsError as error:
        findings.problems += error.problems
    return tuple(findings.problems)


def _read_all(overlays: Sequence[Path], shipped: Mappings, findings: Findings) -> list[Overlay]:
    read: list[Overlay] = []
    seen: set[Path] = set()
    for number, path in enumerate(overlays):
        if path.absolute() in seen:
            findings.problems.append(Problem(Place(str(path), str(path)), "", "is listed twice in mappings.overlays"))
            continue
        seen.add(path.absolute())
        overlay = read_overlay(path, number, shipped, findings)
        if overlay is not None:
            read.append(overlay)
    return read


def _version(shipped: Mappings, overlays: Sequence[Overlay]) -> str:
    contents = {f"overlay {number}": overlay.content for number, overlay in enumerate(overlays, start=1)}
    return content_version({"shipped": shipped.version.encode(), **contents})


def _built(rows: MappingRows, version: str) -> Mappings:
    try:
        return build_mappings(rows, version)
    except MappingError as error:
        # The checks above name the key; this one stands behind them, with the position of the row as its origin.
        raise SettingsError([Problem(Place(error.origin, error.origin), "", error.problem)]) from error


def merge_overlays(shipped: Mappings, overlays: Sequence[Overlay], findings: Findings) -> MappingRows:
    """Return the rows of the site: the shipped ones and those of all overlays that pass the checks.

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
