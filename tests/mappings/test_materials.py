"""Materials that are not blood: what a name or a code tells, and what it does not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fhir_mappings import load_mappings
from fhir_mappings.errors import MappingError
from fhir_mappings.mappings import build_mappings
from fhir_mappings.materials import MaterialCode, MaterialWords

MAPPINGS = load_mappings()
MATERIALS = MAPPINGS.materials

NAMES = [
    ("Ascitic fluid", "ascites", "English"),
    ("ASCITES", "ascites", "whatever the case"),
    ("Aszitespunktat", "ascites", "a German compound"),
    ("Peritoneal cavity", "ascites", "the place"),
    ("liquide d'ascite", "ascites", "French"),
    ("腹水常规", "ascites", "Chinese words have no boundaries"),
    ("Pleuraerguss", "pleural-fluid", "the stem of several words"),
    ("CSF", "cerebrospinal-fluid", "an abbreviation"),
    ("Tube 3 (CSF)", "cerebrospinal-fluid", "in brackets"),
    ("Bone  marrow\naspirate", "bone-marrow", "blanks do not matter"),
    ("Knochenmarkaspirat", "bone-marrow", "a compound"),
    ("Umbilical cord blood", "cord-blood", "blood, and not the patient's"),
    ("Leukapheresis product", "apheresis-product", "what was collected by a machine"),
    ("Left arm", "", "a place of blood"),
    ("port", "", "a way to draw blood"),
    ("EDTA", "", "an additive"),
    ("Whole blood", "", "blood"),
    ("Venous blood", "", "blood"),
    ("Capillary blood", "", "blood"),
    ("Plasma", "", "how some converters name the tube"),
    ("on G-CSF since Monday", "", "a drug"),
    ("Pre-apheresis count", "", "blood drawn before it"),
    ("balance", "", "no whole word"),
    ("", "", "nothing"),
]


@pytest.mark.parametrize(("text", "material", "why"), NAMES)
def test_material_of_a_text_is_only_what_is_listed(text: str, material: str, why: str) -> None:
    assert MATERIALS.of_text(text) == material, why


@pytest.mark.parametrize(
    ("system", "code", "material"),
    [
        ("http://snomed.info/sct", "309201001", "ascites"),
        ("http://snomed.info/sct", "119359002", "bone-marrow"),
        ("http://terminology.hl7.org/CodeSystem/v2-0487", "PLR", "pleural-fluid"),
        ("http://terminology.hl7.org/CodeSystem/v2-0070", "PRT", "ascites"),
        ("http://snomed.info/sct", "122555007", ""),
        ("http://terminology.hl7.org/CodeSystem/v2-0487", "BLDC", ""),
        ("", "PLR", ""),
    ],
)
def test_material_of_a_code_is_only_what_is_listed(system: str, code: str, material: str) -> None:
    assert MATERIALS.of_code(system, code) == material


def test_material_is_known_by_its_own_name() -> None:
    names = {row.material for row in MAPPINGS.rows.material_words}

    assert {MATERIALS.of_text(name) for name in names} == names
    assert {row.material for row in MAPPINGS.rows.material_codes} <= names


def test_material_of_a_long_text_is_looked_for_at_its_beginning() -> None:
    assert MATERIALS.of_text("ascites " + "x" * 10_000_000) == "ascites"
    assert MATERIALS.of_text("x" * 10_000_000 + " ascites") == ""


@pytest.mark.parametrize(
    "rows",
    [
        {"material_words": (MaterialWords("a", ("Ascites", "ascites"), ()),), "material_codes": ()},
        {"material_words": (MaterialWords("a", ("two  blanks",), ()),), "material_codes": ()},
        {"material_codes": (MaterialCode("snomed", "1", "mud", ()),)},
        {"material_codes": (MaterialCode("mud", "1", "ascites", ()),)},
        {"material_codes": (MaterialCode("snomed", "1", "ascites", ()), MaterialCode("snomed", "1", "urine", ()))},
    ],
)
def test_material_rows_that_contradict_themselves_are_refused(rows: dict[str, tuple[object, ...]]) -> None:
    with pytest.raises(MappingError):
        build_mappings(replace(MAPPINGS.rows, **rows), "test")  # type: ignore[arg-type]
