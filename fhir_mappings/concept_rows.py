"""Reads the rows of diagnoses, procedures and operations. A row may stand for several systems and codes."""

from collections.abc import Iterator

from fhir_mappings.models import (
    ConceptCode,
    OperationCode,
    OperationForm,
    ProcedureCode,
    RefusedProcedure,
    SurgicalCategory,
)
from fhir_mappings.reader import RowReader

_Keys = tuple[str, ...]


def read_condition(row: RowReader, sources: _Keys) -> list[ConceptCode]:
    """Return the diagnoses of a row: each of its codes in each of its systems."""
    systems, codes = row.one_or_more("system", "systems"), row.codes()
    category, meaning, prefix = row.text("category"), row.text("meaning"), row.flag("prefix")
    origin = row.origin
    return [
        ConceptCode(system, code, category, meaning, prefix, sources, origin) for system in systems for code in codes
    ]


def read_procedure(row: RowReader, sources: _Keys) -> Iterator[ProcedureCode]:
    """Yield the qualifying procedures of a row."""
    system, codes, therapy = row.text("system"), row.codes(), row.text("therapy")
    liver_specific, note = row.flag("liver_specific"), row.text("note", "")
    weak, prefix = row.flag("weak"), row.flag("prefix")
    for code in codes:
        yield ProcedureCode(system, code, therapy, liver_specific, note, sources, weak, prefix, row.origin)


def read_refused_procedure(row: RowReader, sources: _Keys) -> Iterator[RefusedProcedure]:
    """Yield the procedures of a row that look alike and must not count."""
    system, reason = row.text("system"), row.text("reason")
    for code in row.codes():
        yield RefusedProcedure(system, code, reason, left_out=False, sources=sources, origin=row.origin)


def read_left_out(row: RowReader, sources: _Keys) -> Iterator[RefusedProcedure]:
    """Yield the procedures of a row that do not count by default."""
    system, reason = row.text("system"), row.text("reason")
    for code in row.texts("codes"):
        yield RefusedProcedure(system, code, reason, left_out=True, sources=sources, origin=row.origin)


def read_operation(row: RowReader, sources: _Keys) -> list[OperationCode]:
    """Return the operations of a row."""
    system, codes, kind = row.text("system"), row.codes(), row.text("kind")
    meaning, prefix = row.text("meaning"), row.flag("prefix")
    origin = row.origin
    return [OperationCode(system, code, kind, meaning, prefix, sources, origin) for code in codes]


def read_operation_form(row: RowReader, sources: _Keys) -> Iterator[OperationForm]:
    """Yield the form that a row describes; `holds` and `lacks` are written as "place:characters", places from 1."""
    yield OperationForm(
        system=row.text("system"),
        length=row.integer("length"),
        holds=row.places("holds"),
        lacks=row.places("lacks"),
        kind=row.text("kind"),
        meaning=row.text("meaning"),
        sources=sources,
        origin=row.origin,
    )


def read_surgical_category(row: RowReader, sources: _Keys) -> Iterator[SurgicalCategory]:
    """Yield the categories of a row."""
    system = row.text("system")
    for code in row.codes():
        yield SurgicalCategory(system, code, sources, row.origin)
