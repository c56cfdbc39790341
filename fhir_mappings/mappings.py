"""The checked and indexed mapping tables that the service asks."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeVar

from fhir_mappings.codes import Coded, comparable
from fhir_mappings.models import (
    AnalyteCode,
    ConceptCode,
    DifferentialLimits,
    MappingRows,
    PlausibleRange,
    ProcedureCode,
    RefusedCode,
    RefusedProcedure,
)
from fhir_mappings.unit_table import UnitTable, build_unit_table
from fhir_mappings.validate import validate_rows

_Row = TypeVar("_Row", bound=Coded)
_Index = Mapping[tuple[str, str], _Row]


@dataclass(frozen=True, slots=True)
class Mappings:
    """Answers what a code or unit means. Made by `build_mappings`; nothing in it changes afterwards.

    `version` is a hash over the content of all data files, for the audit record and the card. `plausible` is keyed
    by (analyte, basis). Every lookup returns None for a code or URI that the tables do not hold.
    """

    rows: MappingRows
    version: str
    units: UnitTable
    plausible: Mapping[tuple[str, str], PlausibleRange]
    _systems: Mapping[str, str] = field(repr=False)
    _dotted: frozenset[str] = field(repr=False)
    _analytes: _Index[AnalyteCode] = field(repr=False)
    _refused: _Index[RefusedCode] = field(repr=False)
    _conditions: _Index[ConceptCode] = field(repr=False)
    _condition_prefixes: tuple[tuple[str, str, ConceptCode], ...] = field(repr=False)
    _procedures: _Index[ProcedureCode] = field(repr=False)
    _refused_procedures: _Index[RefusedProcedure] = field(repr=False)

    @property
    def analyte_codes(self) -> tuple[AnalyteCode, ...]:
        """Every accepted laboratory code, in file order (for the prefetch templates)."""
        return self.rows.analyte_codes

    @property
    def differential(self) -> DifferentialLimits:
        """The limits of one differential count."""
        return self.rows.differential

    def canonical_system(self, uri: str) -> str | None:
        """Return the key of the code system that data carry under this URI."""
        return self._systems.get(uri)

    def analyte_code(self, system_uri: str, code: str) -> AnalyteCode | None:
        """Return the accepted laboratory code. One dictionary lookup."""
        return self._analytes.get((system_uri, code))

    def refused_code(self, system_uri: str, code: str) -> RefusedCode | None:
        """Return the refused laboratory code with its reason. One dictionary lookup."""
        return self._refused.get((system_uri, code))

    def condition(self, system_uri: str, code: str) -> ConceptCode | None:
        """Return what a diagnosis code says; an exact row wins over a longer, then a shorter prefix row."""
        system, wanted = self._comparable(system_uri, code)
        found = self._conditions.get((system, wanted))
        if found is not None:
            return found
        for prefix_system, prefix, row in self._condition_prefixes:
            if prefix_system == system and wanted.startswith(prefix):
                return row
        return None

    def procedure(self, system_uri: str, code: str) -> ProcedureCode | None:
        """Return the qualifying interventional procedure."""
        return self._procedures.get(self._comparable(system_uri, code))

    def refused_procedure(self, system_uri: str, code: str) -> RefusedProcedure | None:
        """Return a procedure code that is known and does not count, with its reason."""
        return self._refused_procedures.get(self._comparable(system_uri, code))

    def _comparable(self, system_uri: str, code: str) -> tuple[str, str]:
        # An unknown URI becomes the empty key, under which no row stands.
        return comparable(self._systems.get(system_uri, ""), code, self._dotted)


def build_mappings(rows: MappingRows, version: str) -> Mappings:
    """Check and index rows.

    `version`: see `content_version`; an overlay passes a version over its own files as well. Raises MappingError
    with file and row when the rows contradict each other or themselves.
    """
    validate_rows(rows)
    uris = {system.key: system.uris for system in rows.systems}
    dotted = rows.dotted_systems
    return Mappings(
        rows=rows,
        version=version,
        units=build_unit_table(rows),
        plausible=MappingProxyType({(row.analyte, row.basis): row for row in rows.plausible}),
        _systems=MappingProxyType({uri: system.key for system in rows.systems for uri in system.uris}),
        _dotted=dotted,
        _analytes=_by_uri(rows.analyte_codes, uris),
        _refused=_by_uri(rows.refused_codes, uris),
        _conditions=_by_system(rows.conditions, dotted),
        _condition_prefixes=_prefixes(rows.conditions, dotted),
        _procedures=_by_system(rows.procedures, dotted),
        _refused_procedures=_by_system(rows.refused_procedures, dotted),
    )


def _by_uri(rows: tuple[_Row, ...], uris: Mapping[str, tuple[str, ...]]) -> _Index[_Row]:
    return MappingProxyType({(uri, row.code): row for row in rows for uri in uris[row.system]})


def _by_system(rows: tuple[_Row, ...], dotted: frozenset[str]) -> _Index[_Row]:
    return MappingProxyType({comparable(row.system, row.code, dotted): row for row in rows})


def _prefixes(rows: tuple[ConceptCode, ...], dotted: frozenset[str]) -> tuple[tuple[str, str, ConceptCode], ...]:
    found = [(*comparable(row.system, row.code, dotted), row) for row in rows if row.prefix]
    return tuple(sorted(found, key=lambda entry: -len(entry[1])))
