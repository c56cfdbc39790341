"""Reads the shipped data files into checked, indexed mappings."""

import functools
from collections.abc import Iterator, Mapping

from fhir_mappings.concept_rows import (
    read_condition,
    read_left_out,
    read_operation,
    read_operation_form,
    read_procedure,
    read_refused_procedure,
    read_surgical_category,
)
from fhir_mappings.files import DataFile, content_version, read_data_files
from fhir_mappings.findings import (
    ClumpRows,
    read_clump_codes,
    read_clump_interpretations,
    read_clump_values,
    read_clump_words,
)
from fhir_mappings.grounds import GroundRows, read_ground_code, read_ground_words
from fhir_mappings.mappings import Mappings, build_mappings
from fhir_mappings.materials import read_material_codes, read_words
from fhir_mappings.models import (
    AnalyteCode,
    CodeSystem,
    DifferentialLimits,
    MappingRows,
    PlausibleRange,
    RefusedCode,
)
from fhir_mappings.reader import RowReader
from fhir_mappings.unit_rows import read_refused_units, read_unit_grammar, read_unitless_kinds, read_units

_Keys = tuple[str, ...]
_DIAGNOSES = ("conditions.toml", "metastases.toml", "confounders.toml")


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
    units, plausible, procedures = data["units.toml"], data["plausible.toml"], data["procedures.toml"]
    sites, materials, operations = data["body_sites.toml"], data["materials.toml"], data["operations.toml"]
    rows = MappingRows(
        systems=data["systems.toml"].rows("system", _system),
        analyte_codes=data["analytes.toml"].rows("analyte_code", _analyte_code),
        refused_codes=data["refused.toml"].rows("refused", _refused_codes),
        material_words=materials.rows("material", read_words),
        material_codes=materials.rows("material_code", read_material_codes),
        clumps=_clumps(data["findings.toml"]),
        units=units.rows("unit", read_units),
        refused_units=units.rows("refused_unit", read_refused_units),
        unit_grammar=read_unit_grammar(units),
        canonical_units=units.texts_of("canonical"),
        unitless_kinds=read_unitless_kinds(units),
        conditions=tuple(row for name in _DIAGNOSES for row in data[name].rows("condition", read_condition)),
        procedures=procedures.rows("procedure", read_procedure),
        refused_procedures=procedures.rows("refused_procedure", read_refused_procedure)
        + procedures.rows("left_out", read_left_out),
        operations=operations.rows("operation", read_operation),
        operation_forms=operations.rows("operation_form", read_operation_form),
        surgical_categories=operations.rows("surgical_category", read_surgical_category),
        grounds=GroundRows(
            site_codes=sites.rows("site_code", read_ground_code),
            site_words=sites.rows("site_word", read_ground_words),
            indication_codes=data["indications.toml"].rows("indication_code", read_ground_code),
            indication_words=data["indications.toml"].rows("indication_word", read_ground_words),
        ),
        plausible=plausible.rows("range", _plausible_range),
        differential=_differential(plausible),
        sources={name: file.sources for name, file in data.items()},
    )
    for file in data.values():
        file.finish()
    return rows


def _system(row: RowReader, sources: _Keys) -> Iterator[CodeSystem]:
    yield CodeSystem(
        key=row.text("key"),
        uris=row.texts("uris"),
        dotted=row.flag("dotted"),
        edition=row.text("edition", ""),
        prefix=row.flag("prefix"),
        sources=sources,
        origin=row.origin,
    )


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
        manual=row.flag("manual"),
    )


def _clumps(findings: DataFile) -> ClumpRows:
    values = findings.rows("clump_value", read_clump_values) + findings.rows("clump_word", read_clump_words)
    interpretations = findings.rows("clump_interpretation", read_clump_interpretations)
    return ClumpRows(findings.rows("clump_code", read_clump_codes), values, interpretations)


def _refused_codes(row: RowReader, sources: _Keys) -> Iterator[RefusedCode]:
    system, resembles, reason = row.text("system", "loinc"), row.texts("resembles"), row.text("reason")
    for code in row.texts("codes"):
        yield RefusedCode(system, code, resembles, reason, sources, row.origin)


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
