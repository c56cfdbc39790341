"""Whatever stands in an overlay: mappings that hold together, or the error that names the problems."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cds_service.settings import SettingsError
from cds_service.settings.overlays import load_site_mappings
from fhir_mappings import Mappings
from fhir_mappings.models import ANALYTES, CONDITION_CATEGORIES, KINDS
from fhir_mappings.validate import validate_rows
from tests.unit.settings.overlay_files import CPT, HEAD, ICD10CM, LAB, LOINC, SNOMED, SOUND_REASON

if TYPE_CHECKING:
    from pathlib import Path

SECTIONS = ("systems", "laboratory_codes", "units", "condition_codes", "procedure_codes", "removals")
FIELDS = (
    "system", "code", "analyte", "basis", "preference", "name", "spelling", "kind", "factor", "category", "prefix",
    "therapy", "liver_specific", "note", "reason", "contradicts_refused", "uri", "dotted", "source", "target",
    "element", "equivalence",
)  # fmt: skip
CODES = (
    "751-8",
    "30394-1",
    "778-1",
    "C22.9",
    "c220",
    "C78",
    "37204",
    "47382",
    "609232008",
    "P",
    "1" * 5000,
    "a\0b",
    "|",
)
UNITS = ("K/uL", "10⁹/L", "103/mm3", "M/UL", "g/l", "zz", "ZZ", "µ", "10 ⁹", "×", " ")

tolerant = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
words = st.sampled_from(
    [*CODES, *UNITS, *KINDS, *sorted(ANALYTES), *sorted(CONDITION_CATEGORIES), SOUND_REASON, "equal"]
)
uris = st.sampled_from([LOINC, LAB, ICD10CM, SNOMED, CPT, "urn:oid:2.999.7", "http://loinc.org/", "x"])
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | words | uris
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=4),
    max_leaves=10,
)
reasons = st.just(SOUND_REASON) | st.none()
coded = {"system": uris, "code": words}
claims = {"contradicts_refused": reasons}
# Rows of sound form, so that their meaning is what decides.
rows = {
    "laboratory_codes": st.fixed_dictionaries(
        {**coded, "analyte": st.sampled_from(sorted(ANALYTES)), "basis": st.sampled_from(KINDS)}, optional=claims
    ),
    "units": st.fixed_dictionaries(
        {"spelling": st.sampled_from(UNITS) | st.text(max_size=4), "kind": st.sampled_from(KINDS),
         "factor": st.sampled_from([1, 10, 1000])}, optional=claims,
    ),
    "condition_codes": st.fixed_dictionaries(
        {**coded, "category": st.sampled_from(sorted(CONDITION_CATEGORIES))},
        optional={"prefix": st.booleans(), **claims},
    ),
    "procedure_codes": st.fixed_dictionaries(
        {**coded, "therapy": st.sampled_from(["ablation/cryo", "x"])},
        optional={"liver_specific": st.booleans(), "note": reasons, **claims},
    ),
    "removals": st.fixed_dictionaries({**coded, "reason": st.just(SOUND_REASON)}),
}  # fmt: skip


def assert_explained(path: Path, text: str | bytes) -> None:
    """Read the overlay; the only other outcome is the error, with each problem on one printable line."""
    path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))
    found = outcome(path)
    if isinstance(found, Mappings):
        validate_rows(found.rows)
        return
    assert found.problems
    assert all(str(problem).startswith(f"{path}") and "\n" not in str(problem) for problem in found.problems)


def outcome(path: Path) -> Mappings | SettingsError:
    """Read the overlay, and hand back the one error that is allowed."""
    try:
        return load_site_mappings([path])
    except SettingsError as error:
        return error


@given(raw=st.binary(max_size=200))
@tolerant
def test_any_bytes_give_mappings_or_the_error(tmp_path: Path, raw: bytes) -> None:
    assert_explained(tmp_path / "o.yaml", raw)


@given(lines=st.lists(st.sampled_from([*SECTIONS, *FIELDS, ": ", "- ", "\n", "\n  ", "{", "}", "[", "]", "*a", "&a "])))
@tolerant
def test_any_yaml_like_text_gives_mappings_or_the_error(tmp_path: Path, lines: list[str]) -> None:
    assert_explained(tmp_path / "o.yaml", HEAD + "".join(lines))


@given(tree=st.dictionaries(st.sampled_from([*SECTIONS, "about", "resourceType", "group"]), anything, max_size=5))
@tolerant
def test_any_values_give_mappings_or_the_error(tmp_path: Path, tree: dict[str, object]) -> None:
    assert_explained(tmp_path / "o.json", json.dumps(tree))


@given(content=st.fixed_dictionaries({name: st.lists(row, max_size=3) for name, row in rows.items()}))
@tolerant
def test_any_rows_of_sound_form_give_mappings_or_the_error(tmp_path: Path, content: dict[str, object]) -> None:
    about = {"what": "Codes of a test", "approved_by": "Dr. A. Example"}
    systems = [{"uri": LAB}, {"uri": "urn:oid:2.999.7", "dotted": True}]
    assert_explained(tmp_path / "o.json", json.dumps({"about": about, "systems": systems, **content}))


@given(
    elements=st.lists(
        st.fixed_dictionaries(
            {"code": words, "target": st.lists(
                st.fixed_dictionaries({"code": words, "equivalence": st.sampled_from(["equal", "wider"])}), max_size=2)}
        ) | anything,
        max_size=3,
    ),
    source=uris,
)  # fmt: skip
@tolerant
def test_any_concept_map_gives_mappings_or_the_error(tmp_path: Path, elements: list[object], source: str) -> None:
    group = {"source": source, "target": LOINC, "element": elements}
    assert_explained(tmp_path / "o.json", json.dumps({"resourceType": "ConceptMap", "group": [group]}))
