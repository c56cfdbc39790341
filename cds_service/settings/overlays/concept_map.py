"""A FHIR R4 ConceptMap from local laboratory codes to LOINC codes of the shipped table.

The map says which code means the same; analyte, basis and preference come from the shipped row of the target. What
could change the meaning of a line (another equivalence, dependsOn, product, unmapped, modifierExtension) is refused.
Source: FHIR R4 (4.0.1), ConceptMap.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

from pydantic import ValidationError

from cds_service.settings.errors import KeyPath, Problem, dotted
from cds_service.settings.overlays.concept_map_forms import LOINC, MapElement, MapGroup
from cds_service.settings.overlays.entries import Entry
from cds_service.settings.overlays.forms import LaboratoryCode, LocalSystem
from cds_service.settings.overlays.systems import wrong_check_digit
from cds_service.settings.wording import sentence, shown
from fhir_mappings.check_digits import is_loinc_code

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cds_service.settings.overlays.entries import Findings, Overlay
    from cds_service.settings.overlays.forms import Form
    from cds_service.settings.yaml_source import Document
    from fhir_mappings.mappings import Mappings
    from fhir_mappings.models import AnalyteCode

# Elements of the resource itself that change what all of it means.
_MODIFIERS: Final = ("modifierExtension", "implicitRules")
# Texts for people, which are not used; they may hold line breaks, and those the reader reports.
_REMARKS: Final = frozenset({"display", "comment"})

_FormT = TypeVar("_FormT", bound="Form")


def is_concept_map(document: Document) -> bool:
    """Tell whether a document says that it is a FHIR resource; only a ConceptMap is read then."""
    return "resourceType" in document.data


def read_concept_map(document: Document, shipped: Mappings, overlay: Overlay, findings: Findings) -> None:
    """Add the systems and laboratory codes of the map to the overlay; what is wrong goes to the findings."""
    findings.problems += [problem for problem in document.problems if _is_about_the_map(problem.key)]
    _MapReader(document, shipped, overlay, findings).read()


class _MapReader:
    """Reads one map, element by element."""

    def __init__(self, document: Document, shipped: Mappings, overlay: Overlay, findings: Findings) -> None:
        self._document = document
        self._shipped = shipped
        self._overlay = overlay
        self._findings = findings

    def read(self) -> None:
        data = self._document.data
        if data["resourceType"] != "ConceptMap":
            text = f"{shown(data['resourceType'])} is not read here; of FHIR resources only a ConceptMap is"
            self._problem(("resourceType",), text)
            return
        if data.get("status") == "retired":
            self._problem(("status",), "the map is retired and must not be used")
        for key in _MODIFIERS:
            if key in data:
                self._problem((key,), "is not understood here and may change what the map means")
        names = (data.get("url"), data.get("title"), data.get("publisher"))
        self._overlay.source = "; ".join(("FHIR ConceptMap", *(name for name in names if isinstance(name, str))))
        groups = data.get("group")
        if not isinstance(groups, tuple) or not groups:
            self._problem(("group",), "the map has no groups")
            return
        for number, group in enumerate(groups):
            self._read_group(group, ("group", number))

    def _read_group(self, value: object, path: KeyPath) -> None:
        group = self._checked(MapGroup, value, path)
        if group is None:
            return
        if self._shipped.canonical_system(group.source) is None:
            system = LocalSystem(uri=group.source)
            self._overlay.systems.append(Entry(system, self._document, (*path, "source")))
        for number, item in enumerate(group.element):
            at = (*path, "element", number)
            element = self._checked(MapElement, item, at)
            row = self._target_row(element.target[0].code, (*at, "target", 0, "code")) if element else None
            if element is not None and row is not None:
                entry = Entry(_as_row(group, element, row), self._document, at)
                self._overlay.laboratory_codes.append(entry)

    def _target_row(self, code: str, path: KeyPath) -> AnalyteCode | None:
        row = self._shipped.analyte_code(LOINC, code)
        if row is not None:
            return row
        refused = self._shipped.refused_code(LOINC, code)
        if refused is not None:
            self._problem(path, f"{shown(code)} must not be used ({refused.reason})")
        elif is_loinc_code(code):
            self._problem(path, f"{shown(code)} is no code that this service reads; leave the element out")
        else:
            self._problem(path, wrong_check_digit(code, "LOINC"))
        return None

    def _checked(self, form: type[_FormT], value: object, path: KeyPath) -> _FormT | None:
        try:
            return form.model_validate(value)
        except ValidationError as error:
            for detail in error.errors(include_url=False):
                self._problem((*path, *detail["loc"]), _explained(detail))
            return None

    def _problem(self, path: KeyPath, text: str) -> None:
        self._findings.problems.append(Problem(self._document.place_of(path), dotted(path), text))


def _is_about_the_map(key: str) -> bool:
    parts = key.split(".")
    return parts[0] == "group" and parts[-1] not in _REMARKS


def _explained(detail: Mapping[str, Any]) -> str:
    if detail["type"] == "extra_forbidden":
        return "is not understood here and may change what the map means"
    return sentence(detail)


def _as_row(group: MapGroup, element: MapElement, target: AnalyteCode) -> LaboratoryCode:
    return LaboratoryCode(
        system=group.source,
        code=element.code,
        analyte=target.analyte,
        basis=target.basis,
        preference=target.preference,
    )
