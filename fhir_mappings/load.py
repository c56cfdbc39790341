"""Reads the shipped data files into checked, indexed mappings."""

import functools
from collections.abc import Iterator, Mapping

from fhir_mappings.files import DataFile, content_version, read_data_files
from fhir_mappings.mappings import Mappings, build_mappings
from fhir_mappings.models import (
    AnalyteCode,
    CodeSystem,
    ConceptCode,
    DifferentialLimits,
    MappingRows,
    PlausibleRange,
    ProcedureCode,
    RefusedCode,
    RefusedProcedure,
    RefusedUnit,
    UnitSpelling,
)
from fhir_mappings.reader import RowReader

_Keys = tuple[str, ...]


@functools.cache
def load_mappings() -> Mappings:
    """Return the shipped mappings; read once per process. Raises MappingError with file and row if they are wrong."""
    files = read_data_files()
    return build_mappings(read_rows(files), content_version(files))


def read_rows(files: Mapping[str, bytes]) -> MappingRows:
    """Return the rows of all data files, read but not yet checked against each other.

    Raises MappingError when a file is not TOML, a row lacks a value, has an unknown one, or cites an unknown source.
    """
    data = {name: DataFile(name, content) for name, content in files.items()}
    laboratory, units, plausible = data["analytes.toml"], data["units.toml"], data["plausible.toml"]
    procedures = data["procedures.toml"]
    rows = MappingRows(
        systems=data["systems.toml"].rows("system", _system),
        analyte_codes=laboratory.rows("analyte_code", _analyte_code),
        refused_codes=data["refused.toml"].rows("refused", _refused_codes),
        units=units.rows("unit", _units),
        refused_units=units.rows("refused_unit", _refused_units),
        canonical_units=units.texts_of("canonical"),
        unitless_kinds=_unitless_kinds(units),
        conditions=data["conditions.toml"].rows("condition", _condition),
        procedures=procedures.rows("procedure", _procedure),
        refused_procedures=procedures.rows("refused_procedure", _refused_procedure)
        + procedures.rows("left_out", _left_out),
        plausible=plausible.rows("range", _plausible_range),
        differential=_differential(plausible),
        sources={name: file.sources for name, file in data.items()},
    )
    for file in data.values():
        file.finish()
    return rows


def _system(row: RowReader, sources: _Keys) -> Iterator[CodeSystem]:
    yield CodeSystem(row.text("key"), row.texts("uris"), row.flag("dotted"), sources, row.origin)


def _analyte_code(row: RowReader, sources: _Keys) -> Iterator[AnalyteCode]:
    yield AnalyteCode(
        system=row.text("system", "loinc"),
        code=row.text("code"),
        analyte=row.text("analyte"),
        basis=row.text("basis"),
        preference=row.integer("preference"),
        name=row.text("name"),
        sources=sources,
        origin=row.origin,
    )


def _refused_codes(row: RowReader, sources: _Keys) -> Iterator[RefusedCode]:
    system, resembles, reason = row.text("system", "loinc"), row.texts("resembles"), row.text("reason")
    for code in row.texts("codes"):
        yield RefusedCode(system, code, resembles, reason, sources, row.origin)


def _units(row: RowReader, sources: _Keys) -> Iterator[UnitSpelling]:
    kind, factor, ucum = row.text("kind"), row.decimal("factor"), row.flag("ucum")
    for spelling in row.texts("spellings"):
        yield UnitSpelling(spelling, kind, factor, ucum, sources, row.origin)


def _refused_units(row: RowReader, sources: _Keys) -> Iterator[RefusedUnit]:
    reason = row.text("reason")
    for spelling in row.texts("spellings"):
        yield RefusedUnit(spelling, reason, sources, row.origin)


def _unitless_kinds(units: DataFile) -> frozenset[str]:
    row = units.table("unitless")
    kinds = frozenset(row.texts("kinds"))
    units.sources_of(row)
    row.finish()
    return kinds


def _condition(row: RowReader, sources: _Keys) -> Iterator[ConceptCode]:
    yield ConceptCode(
        system=row.text("system"),
        code=row.text("code"),
        category=row.text("category"),
        meaning=row.text("meaning"),
        prefix=row.flag("prefix"),
        sources=sources,
        origin=row.origin,
    )


def _procedure(row: RowReader, sources: _Keys) -> Iterator[ProcedureCode]:
    yield ProcedureCode(
        system=row.text("system"),
        code=row.text("code"),
        therapy=row.text("therapy"),
        liver_specific=row.flag("liver_specific"),
        note=row.text("note", ""),
        sources=sources,
        origin=row.origin,
    )


def _refused_procedure(row: RowReader, sources: _Keys) -> Iterator[RefusedProcedure]:
    system, code, reason = row.text("system"), row.text("code"), row.text("reason")
    yield RefusedProcedure(system, code, reason, left_out=False, sources=sources, origin=row.origin)


def _left_out(row: RowReader, sources: _Keys) -> Iterator[RefusedProcedure]:
    system, reason = row.text("system"), row.text("reason")
    for code in row.texts("codes"):
        yield RefusedProcedure(system, code, reason, left_out=True, sources=sources, origin=row.origin)


def _plausible_range(row: RowReader, sources: _Keys) -> Iterator[PlausibleRange]:
    yield PlausibleRange(
        analyte=row.text("analyte"),
        basis=row.text("basis"),
        low=row.decimal("low"),
        high=row.decimal("high"),
        canonical_unit=row.text("unit"),
        sources=sources,
        origin=row.origin,
    )


def _differential(plausible: DataFile) -> DifferentialLimits:
    row = plausible.table("differential")
    limits = DifferentialLimits(row.decimal("sum_max"), row.decimal("disagreement_max"))
    plausible.sources_of(row)
    row.finish()
    return limits
