"""The checked and indexed mapping tables that the service asks."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeVar

from fhir_mappings.code_index import CodeIndex
from fhir_mappings.codes import Coded
from fhir_mappings.findings import ClumpTable
from fhir_mappings.grounds import VESSEL, GroundCode, WordFinder
from fhir_mappings.materials import MaterialTable
from fhir_mappings.models import (
    NO_OPERATION,
    AnalyteCode,
    CodeSystem,
    ConceptCode,
    DifferentialLimits,
    MappingRows,
    OperationCode,
    OperationForm,
    PlausibleRange,
    ProcedureCode,
    RefusedCode,
    RefusedProcedure,
    SurgicalCategory,
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
    materials: MaterialTable
    clumps: ClumpTable
    plausible: Mapping[tuple[str, str], PlausibleRange]
    _systems: Mapping[str, str] = field(repr=False)
    _analytes: _Index[AnalyteCode] = field(repr=False)
    _refused: _Index[RefusedCode] = field(repr=False)
    _conditions: CodeIndex[ConceptCode] = field(repr=False)
    _procedures: CodeIndex[ProcedureCode] = field(repr=False)
    _refused_procedures: CodeIndex[RefusedProcedure] = field(repr=False)
    _operations: CodeIndex[OperationCode] = field(repr=False)
    _operation_forms: Mapping[str, tuple[OperationForm, ...]] = field(repr=False)
    _surgical_categories: CodeIndex[SurgicalCategory] = field(repr=False)
    _site_codes: CodeIndex[GroundCode] = field(repr=False)
    _site_words: WordFinder = field(repr=False)
    _indication_codes: CodeIndex[GroundCode] = field(repr=False)
    _indication_words: WordFinder = field(repr=False)

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
        """Return what a diagnosis code says; the row nearest to the code wins over those above it."""
        return self._conditions.find(self._systems.get(system_uri), code)

    def procedure(self, system_uri: str, code: str) -> ProcedureCode | None:
        """Return the qualifying interventional procedure."""
        return self._procedures.find(self._systems.get(system_uri), code)

    def refused_procedure(self, system_uri: str, code: str) -> RefusedProcedure | None:
        """Return a procedure code that is known and does not count, with its reason."""
        return self._refused_procedures.find(self._systems.get(system_uri), code)

    def operation(self, system_uri: str, code: str) -> OperationCode | OperationForm | None:
        """Return the operation that changes blood counts without qualifying: by its own row, else by its form."""
        system = self._systems.get(system_uri)
        found = self._operations.find(system, code)
        forms = self._operation_forms.get(system or "")
        if found is not None:
            return found if found.kind != NO_OPERATION else None
        if forms is None:
            return None
        wanted = self._operations.comparable(system, code)
        return next((form for form in forms if form.fits(wanted)), None)

    def is_surgical_category(self, system_uri: str, code: str) -> bool:
        """Tell whether a code of Procedure.category says that the procedure was an operation."""
        return self._surgical_categories.find(self._systems.get(system_uri), code) is not None

    def body_site(self, system_uri: str, code: str) -> str | None:
        """Return the organ that a code of a body site names."""
        found = self._site_codes.find(self._systems.get(system_uri), code)
        return found.meaning if found is not None else None

    def body_sites_named(self, text: str) -> Mapping[str, str]:
        """Return the listed words of a body site's text, each with the organ it names."""
        return self._site_words.find(text)

    def indication(self, system_uri: str, code: str) -> str | None:
        """Return the kind of reason that a code names."""
        found = self._indication_codes.find(self._systems.get(system_uri), code)
        return found.meaning if found is not None else None

    def indications_named(self, text: str) -> Mapping[str, str]:
        """Return the listed words of a reason's text, each with the kind of reason it names."""
        return self._indication_words.find(text)


def build_mappings(rows: MappingRows, version: str) -> Mappings:
    """Check and index rows.

    `version`: see `content_version`; an overlay passes a version over its own files as well. Raises MappingError
    with file and row when the rows contradict each other or themselves.
    """
    validate_rows(rows)
    uris = {system.key: system.uris for system in rows.systems}
    return Mappings(
        rows=rows,
        version=version,
        units=build_unit_table(rows),
        clumps=ClumpTable(rows.clumps, uris),
        materials=MaterialTable(rows.material_words, rows.material_codes, uris),
        plausible=MappingProxyType({(row.analyte, row.basis): row for row in rows.plausible}),
        _systems=MappingProxyType({uri: system.key for system in rows.systems for uri in system.uris}),
        _analytes=_by_uri(rows.analyte_codes, uris),
        _refused=_by_uri(rows.refused_codes, uris),
        _conditions=CodeIndex(rows.conditions, rows.systems),
        _procedures=CodeIndex(rows.procedures, rows.systems),
        _refused_procedures=CodeIndex(rows.refused_procedures, rows.systems),
        _operations=CodeIndex(rows.operations, rows.systems),
        _operation_forms=_forms(rows.operation_forms, rows.systems),
        _surgical_categories=CodeIndex(rows.surgical_categories, rows.systems),
        _site_codes=CodeIndex(rows.grounds.site_codes, rows.systems),
        _site_words=WordFinder(rows.grounds.site_words, unless_before=VESSEL),
        _indication_codes=CodeIndex(rows.grounds.indication_codes, rows.systems),
        _indication_words=WordFinder(rows.grounds.indication_words),
    )


def _by_uri(rows: tuple[_Row, ...], uris: Mapping[str, tuple[str, ...]]) -> _Index[_Row]:
    return MappingProxyType({(uri, row.code): row for row in rows for uri in uris[row.system]})


def _forms(rows: tuple[OperationForm, ...], systems: tuple[CodeSystem, ...]) -> Mapping[str, tuple[OperationForm, ...]]:
    """Return the forms of each system; those of a system hold for its editions."""
    found = {system.key: tuple(row for row in rows if row.system in (system.key, system.edition)) for system in systems}
    return MappingProxyType({key: forms for key, forms in found.items() if forms})
