"""A FHIR R4 ConceptMap from local laboratory codes to LOINC codes of the shipped table.

The map says which code means the same; analyte, basis and preference come from the shipped row of the target. What
could change the meaning of a line (another equivalence, dependsOn, product, unmapped, modifierExtension) is refused.
Source: FHIR R4 (4.0.1), ConceptMap.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, TypeVar

from pydantic import AfterValidator, Field, ValidationError

from cds_service.settings.errors import KeyPath, Problem, dotted
from cds_service.settings.overlays.entries import Entry, Findings, Overlay
from cds_service.settings.overlays.forms import Form, LaboratoryCode, LocalSystem, SystemUri
from cds_service.settings.suggestions import did_you_mean
from cds_service.settings.value_types import Text
from cds_service.settings.wording import shown
from cds_service.settings.wording import sentence as sentence_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cds_service.settings.yaml_source import Document
    from fhir_mappings.mappings import Mappings
    from fhir_mappings.models import AnalyteCode

_LOINC: Final = "http://loinc.org"
# Elements of the resource itself that change what all of it means.
_MODIFIERS: Final = ("modifierExtension", "implicitRules")

_FormT = TypeVar("_FormT", bound=Form)


class _Described(Form):
    id: object = None
    extension: object = None


class _Target(_Described):
    code: Text
    equivalence: Literal["equal", "equivalent"]
    display: object = None
    comment: object = None


def _one_target(targets: tuple[_Target, ...]) -> tuple[_Target, ...]:
    if len(targets) != 1:
        raise ValueError(f"names {len(targets)} codes; a local code has one meaning")
    return targets


class _Element(_Described):
    code: Text
    display: object = None
    target: Annotated[tuple[_Target, ...], AfterValidator(_one_target)]


class _Group(_Described):
    source: SystemUri
    source_version: object = Field(None, alias="sourceVersion")
    target: Literal["http://loinc.org"]
    target_version: object = Field(None, alias="targetVersion")
    element: tuple[object, ...] = Field(min_length=1)


def is_concept_map(document: Document) -> bool:
    """Tell whether a document says that it is a FHIR resource; only a ConceptMap is read then."""
    return "resourceType" in document.data


def read_concept_map(document: Document, shipped: Mappings, overlay: Overlay, findings: Findings) -> None:
    """Add the systems and laboratory codes of the map to the overlay; what is wrong goes to the findings."""
    # Narrative and descriptions may hold line breaks, which the reader reports; they are not used.
    findings.problems += [problem for problem in document.problems if problem.key.partition(".")[0] == "group"]
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
        group = self._checked(_Group, value, path)
        if group is None:
            return
        if self._shipped.canonical_system(group.source) is None:
            system = LocalSystem(uri=group.source)
            self._overlay.systems.append(Entry(system, self._document, (*path, "source")))
        for number, item in enumerate(group.element):
            at = (*path, "element", number)
            element = self._checked(_Element, item, at)
            row = self._target_row(element.target[0].code, (*at, "target", 0, "code")) if element else None
            if element is not None and row is not None:
                entry = Entry(_as_row(group, element, row), self._document, at)
                self._overlay.laboratory_codes.append(entry)

    def _target_row(self, code: str, path: KeyPath) -> AnalyteCode | None:
        row = self._shipped.analyte_code(_LOINC, code)
        if row is not None:
            return row
        refused = self._shipped.refused_code(_LOINC, code)
        if refused is not None:
            self._problem(path, f"{shown(code)} must not be used ({refused.reason})")
        else:
            hint = did_you_mean(code, self._loinc_codes())
            self._problem(path, f"{shown(code)} is no code that this service reads; leave the element out{hint}")
        return None

    def _loinc_codes(self) -> Iterator[str]:
        return (row.code for row in self._shipped.analyte_codes if row.system == "loinc")

    def _checked(self, form: type[_FormT], value: object, path: KeyPath) -> _FormT | None:
        try:
            return form.model_validate(value)
        except ValidationError as error:
            for detail in error.errors(include_url=False):
                self._problem((*path, *detail["loc"]), _explained(detail))
            return None

    def _problem(self, path: KeyPath, text: str) -> None:
        self._findings.problems.append(Problem(self._document.place_of(path), dotted(path), text))


def _explained(detail: Any) -> str:
    if detail["type"] == "extra_forbidden":
        return "is not understood here and may change what the map means"
    return sentence_of(detail)


def _as_row(group: _Group, element: _Element, target: AnalyteCode) -> LaboratoryCode:
    return LaboratoryCode(
        system=group.source,
        code=element.code,
        analyte=target.analyte,
        basis=target.basis,
        preference=target.preference,
    )
