"""A file to the rows it holds: the YAML form of the project, or a FHIR R4 ConceptMap.

JSON is YAML, so one reader with positions serves both.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pydantic import ValidationError

from cds_service.settings.errors import KeyPath, Place, Problem, SettingsError, dotted
from cds_service.settings.overlays.concept_map import is_concept_map, read_concept_map
from cds_service.settings.overlays.entries import Entry, Findings, Overlay
from cds_service.settings.overlays.forms import (
    UNAPPROVED,
    About,
    ConditionCode,
    Form,
    LaboratoryCode,
    LocalOperation,
    LocalProcedure,
    LocalSystem,
    LocalUnit,
    Removal,
)
from cds_service.settings.overlays.mistaken import instead_of_overlay, instead_of_yaml
from cds_service.settings.refusals import refusal
from cds_service.settings.wording import did_you_mean
from cds_service.settings.yaml_source import Document, read_document

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from fhir_mappings.mappings import Mappings

_FormT = TypeVar("_FormT", bound=Form)

_SECTIONS: Final = (
    "about", "systems", "laboratory_codes", "units", "condition_codes", "procedure_codes", "operation_codes",
    "removals",
)  # fmt: skip
# Problems of an overlay stand behind those of the configuration file (0), the environment (1) and a program (2).
_FIRST_RANK: Final = 3


def read_overlay(path: Path, number: int, shipped: Mappings, findings: Findings) -> Overlay | None:
    """Read one file; rows that are wrong in themselves become findings and are left out.

    `number` is the place of the file among all overlays. Returns None when the file cannot be read at all.
    """
    try:
        document = read_document(path)
    except SettingsError as error:
        instead = instead_of_yaml(path)
        problems = (_at_beginning(path, instead),) if instead else error.problems
        findings.problems += [_ranked_problem(problem, number) for problem in problems]
        return None
    _rank(document, number)
    instead = instead_of_overlay(document)
    if instead and not any(key in _SECTIONS for key in document.data):
        findings.problems.append(_ranked_problem(_at_beginning(path, instead), number))
        return None
    return overlay_of(document, str(path), shipped, findings)


def overlay_of(document: Document, name: str, shipped: Mappings, findings: Findings) -> Overlay:
    """Return the rows of a document; those that are wrong in themselves become findings and are left out."""
    content = json.dumps(document.data, sort_keys=True, default=str).encode()
    overlay = Overlay(name, content)
    if is_concept_map(document):
        read_concept_map(document, shipped, overlay, findings)
    else:
        findings.problems += document.problems
        _read_sections(document, overlay, findings)
    return overlay


def _read_sections(document: Document, overlay: Overlay, findings: Findings) -> None:
    reader = _SectionReader(document, findings)
    for key in document.data:
        if key not in _SECTIONS:
            findings.problems.append(reader.problem((key,), f"unknown key{did_you_mean(key, _SECTIONS)}"))
    about = reader.row(About, document.data.get("about", {}), ("about",))
    if about is not None:
        overlay.source = f"{about.row.what}; approved by {about.row.approved_by}"
        if about.row.approved_by == UNAPPROVED:
            text = "nobody has approved this overlay yet; put a name and a date here"
            findings.warnings.append(about.problem(text, "approved_by"))
    overlay.systems = reader.rows(LocalSystem, "systems")
    overlay.laboratory_codes = reader.rows(LaboratoryCode, "laboratory_codes")
    overlay.units = reader.rows(LocalUnit, "units")
    overlay.condition_codes = reader.rows(ConditionCode, "condition_codes")
    overlay.procedure_codes = reader.rows(LocalProcedure, "procedure_codes")
    overlay.operation_codes = reader.rows(LocalOperation, "operation_codes")
    overlay.removals = reader.rows(Removal, "removals")


class _SectionReader:
    """Checks the rows of a document one by one, so that a wrong one does not hide what is wrong with the others."""

    def __init__(self, document: Document, findings: Findings) -> None:
        self._document = document
        self._findings = findings

    def rows(self, form: type[_FormT], section: str) -> list[Entry[_FormT]]:
        """Return the sound rows of a section that may be missing."""
        rows = self._document.data.get(section, ())
        if not isinstance(rows, tuple):
            self._findings.problems.append(self.problem((section,), 'needs a list: lines that start with "- "'))
            return []
        read = (self.row(form, row, (section, index)) for index, row in enumerate(rows))
        return [entry for entry in read if entry is not None]

    def row(self, form: type[_FormT], value: object, path: KeyPath) -> Entry[_FormT] | None:
        """Return a sound row; what is wrong with it goes to the findings."""
        try:
            return Entry(form.model_validate(value), self._document, path)
        except ValidationError as error:
            for detail in error.errors(include_url=False):
                self._findings.problems.append(self._explained(form, detail, path))
            return None

    def problem(self, path: KeyPath, text: str) -> Problem:
        return Problem(self._document.place_of(path), dotted(path), text)

    def _explained(self, form: type[Form], detail: Mapping[str, Any], path: KeyPath) -> Problem:
        within: KeyPath = detail["loc"]
        if detail["type"] != "extra_forbidden":
            return refusal(self._document, (*path, *within), detail)
        hint = did_you_mean(str(within[-1]), form.model_fields)
        return self.problem((*path, *within), f"unknown key{hint}")


def _at_beginning(path: Path, text: str) -> Problem:
    # Without the line itself: whatever the file is, it was not meant to be read here.
    return Problem(Place.in_hidden_line(str(path)), "", text)


def _rank(document: Document, number: int) -> None:
    document.places = {path: _ranked(place, number) for path, place in document.places.items()}
    document.below = {path: _ranked(place, number) for path, place in document.below.items()}
    document.root = _ranked(document.root, number)
    document.problems = [_ranked_problem(problem, number) for problem in document.problems]


def _ranked_problem(problem: Problem, number: int) -> Problem:
    return replace(problem, place=_ranked(problem.place, number))


def _ranked(place: Place, number: int) -> Place:
    _, line, column, name = place.order
    return replace(place, order=(_FIRST_RANK + number, line, column, name))
