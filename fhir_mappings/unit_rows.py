"""Reads the rows of units.toml: spellings, refused spellings, and what units of counts are put together from."""

from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from types import MappingProxyType

from fhir_mappings.errors import MappingError
from fhir_mappings.files import DataFile
from fhir_mappings.models import RefusedUnit, UnitSpelling
from fhir_mappings.reader import RowReader
from fhir_mappings.unit_parts import UnclearMultiple, UnitGrammar, UnitPart

_Keys = tuple[str, ...]


def read_units(row: RowReader, sources: _Keys) -> Iterator[UnitSpelling]:
    """Yield the spellings of a row."""
    kind, factor, ucum = row.text("kind"), row.decimal("factor"), row.flag("ucum")
    for spelling in row.texts("spellings"):
        yield UnitSpelling(spelling, kind, factor, ucum, sources, row.origin)


def read_refused_units(row: RowReader, sources: _Keys) -> Iterator[RefusedUnit]:
    """Yield the refused spellings of a row."""
    reason = row.text("reason")
    for spelling in row.texts("spellings"):
        yield RefusedUnit(spelling, reason, sources, row.origin)


def read_unitless_kinds(units: DataFile) -> frozenset[str]:
    """Return the kinds whose values may come without any unit."""
    row = units.table("unitless")
    kinds = frozenset(row.texts("kinds"))
    units.sources_of(row)
    row.finish()
    return kinds


def read_unit_grammar(units: DataFile) -> UnitGrammar:
    """Return what units of counts are put together from. Raises MappingError for a number that is none."""
    row = units.table("counts")
    grammar = UnitGrammar(
        signs=("", *row.texts("signs")),
        notations=row.texts("notations"),
        powers=tuple(int(_number(text, row)) for text in row.texts("powers")),
        words=row.texts("words"),
        accepted=tuple(_number(text, row) for text in row.texts("accepted")),
        refused=MappingProxyType(
            {_number(text, row): reason for text, reason in units.texts_of("refused_counts").items()}
        ),
        multiples=units.rows("multiple", _part),
        volumes=units.rows("volume", _part),
        unclear=units.rows("unclear_multiple", _unclear),
    )
    units.sources_of(row)
    row.finish()
    return grammar


def _part(row: RowReader, sources: _Keys) -> Iterator[UnitPart]:
    yield UnitPart(row.decimal("number"), row.texts("spellings"), row.flag("cased"), sources, row.origin)


def _unclear(row: RowReader, sources: _Keys) -> Iterator[UnclearMultiple]:
    yield UnclearMultiple(row.texts("spellings"), row.text("reason"), sources, row.origin)


def _number(text: str, row: RowReader) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise MappingError(row.origin, f"{text!r} is no number") from None
