"""The examples of docs/overlays.md are the files that the other tests read, and it names every section and key."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cds_service.settings.overlays.forms import (
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
from fhir_mappings.models import ANALYTES, CONDITION_CATEGORIES, KINDS, OPERATION_KINDS
from tests.unit.settings.overlay_files import CONCEPT_MAP, EXAMPLE

PAGE = (Path(__file__).parents[3] / "docs" / "overlays.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(("language", "file"), [("yaml", EXAMPLE), ("json", CONCEPT_MAP)])
def test_example_of_the_page_is_the_tested_file(language: str, file: Path) -> None:
    (example,) = re.findall(rf"```{language}\n(.*?)```", PAGE, flags=re.DOTALL)
    assert example == file.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("section", "form"),
    [
        ("about", About),
        ("systems", LocalSystem),
        ("laboratory_codes", LaboratoryCode),
        ("units", LocalUnit),
        ("condition_codes", ConditionCode),
        ("procedure_codes", LocalProcedure),
        ("operation_codes", LocalOperation),
        ("removals", Removal),
    ],
)
def test_page_names_every_section_and_key(section: str, form: type[Form]) -> None:
    assert f"* `{section}`: " in PAGE
    assert [key for key in form.model_fields if f"`{key}`" not in PAGE and f"`{key}: " not in PAGE] == []


def test_page_names_every_analyte_kind_and_category() -> None:
    assert [word for word in (*ANALYTES, *KINDS, *CONDITION_CATEGORIES, *OPERATION_KINDS) if word not in PAGE] == []
