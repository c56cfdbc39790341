"""FHIR R4 ConceptMaps as overlays: local codes take their meaning from the shipped LOINC row, or are refused."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from cds_service.settings.overlays import load_site_mappings
from fhir_mappings import load_mappings
from tests.unit.settings.overlay_files import ABOUT, CONCEPT_MAP, HEAD, LAB, LOINC, lines_of, read

if TYPE_CHECKING:
    from pathlib import Path

Json = dict[str, Any]


def target(code: str = "777-3", **members: Any) -> Json:
    """Build a target; `members` replace or, when None, remove."""
    return {name: value for name, value in ({"code": code, "equivalence": "equal"} | members).items() if value}


def concept_map(*targets: Json, of_group: Json | None = None, **members: Any) -> str:
    """Build a map from the local code 4711; `of_group` and `members` replace members of the group and of the map."""
    only = {"source": LAB, "target": LOINC, "element": [{"code": "4711", "target": list(targets or (target(),))}]}
    return json.dumps({"resourceType": "ConceptMap", "status": "active", "group": [only | (of_group or {})]} | members)


def test_example_gives_local_codes_the_meaning_of_their_targets() -> None:
    site, shipped = load_site_mappings([CONCEPT_MAP]), load_mappings()
    for local, loinc in (("4711", "751-8"), ("4712", "731-0"), ("4713", "777-3")):
        found, meant = site.analyte_code(LAB, local), shipped.analyte_code(LOINC, loinc)
        assert found is not None
        assert meant is not None
        assert (found.analyte, found.basis, found.preference) == (meant.analyte, meant.basis, meant.preference)
        assert found.origin.startswith(f"{CONCEPT_MAP}:1")
    assert site.rows.sources[str(CONCEPT_MAP)]["SITE"].startswith("FHIR ConceptMap; https://laboratory.hospital")
    assert site.version != shipped.version


@pytest.mark.parametrize("code", ["26474-7", "778-1", "6690-2", "1751-7", "71676-1"])
def test_every_kind_of_shipped_code_can_be_a_target(tmp_path: Path, code: str) -> None:
    site, meant = read(tmp_path, concept_map(target(code))).mappings, load_mappings().analyte_code(LOINC, code)
    found = site.analyte_code(LAB, "4711")
    assert found is not None
    assert meant is not None
    assert (found.analyte, found.basis, found.preference) == (meant.analyte, meant.basis, meant.preference)


GROUP = "group.0"
ELEMENT = f"{GROUP}.element.0"
TARGET = f"{ELEMENT}.target.0"
REFUSED = [
    *(
        (concept_map(target(equivalence=word)), f'{TARGET}.equivalence: "{word}" is not one of equal, equivalent', word)
        for word in ("relatedto", "wider", "subsumes", "narrower", "specializes", "inexact", "unmatched", "disjoint")
    ),
    (concept_map(target(equivalence=None)), f"{TARGET}.equivalence: this key is required", "nothing said"),
    (concept_map(target("30394-1")), f'{TARGET}.code: "30394-1" must not be used (gran', "a must-not-match code"),
    (concept_map(target("718-7")), f'{TARGET}.code: "718-7" is no code that this service reads', "hemoglobin"),
    (concept_map(target("777-4")), f'{TARGET}.code: "777-4" is no LOINC code: form or check digit', "a misprint"),
    (concept_map(target(code="")), f"{TARGET}.code: this key is required", "no code"),
    (concept_map(target(), target("26515-7")), f"{ELEMENT}.target: names 2 codes", "ambiguous"),
    (concept_map(target(dependsOn=[{"property": "specimen", "value": "B"}])),
     f"{TARGET}.dependsOn: is not understood here", "holds only under a condition"),
    (concept_map(target(product=[{"property": "unit", "value": "x"}])), f"{TARGET}.product: is not", "says more"),
    (concept_map(target(modifierExtension=[{"url": "u"}])), f"{TARGET}.modifierExtension: is not", "may negate"),
    (concept_map(of_group={"unmapped": {"mode": "fixed", "code": "777-3"}}), f"{GROUP}.unmapped: is not", "the rest"),
    (concept_map(of_group={"target": "http://snomed.info/sct"}),
     f"{GROUP}.target: \"http://snomed.info/sct\" is not supported; the only choice is http://loinc.org", "no LOINC"),
    (concept_map(of_group={"source": "laboratory"}), f'{GROUP}.source: "laboratory" is not a URI', "no URI"),
    (concept_map(of_group={"source": "https://loinc.org"}), f"{GROUP}.source: ", "like LOINC"),
    (concept_map(of_group={"source": LOINC}), f"{ELEMENT}.code: \"4711\" is no LOINC code", "a local code under LOINC"),
    (concept_map(of_group={"source": LOINC, "element": [{"code": "30394-1", "target": [target("751-8")]}]}),
     f"{ELEMENT}.code: the shipped tables do not count this (granulocytes", "a must-not-match code as source"),
    (concept_map(of_group={"element": []}), f"{GROUP}.element: needs at least one entry", "nothing in it"),
    (concept_map(of_group={"element": [{"code": "4711"}]}), f"{ELEMENT}.target: this key is required", "no target"),
    (concept_map(of_group={"element": [{"code": "A,B", "target": [target()]}]}), f'{ELEMENT}.code: "A,B"', "comma"),
    (concept_map(of_group={"element": [7]}), f"{ELEMENT}: 7 stands where keys are expected", "no element"),
    (concept_map(group=[]), "group: the map has no groups", "no groups"),
    (concept_map(status="retired"), "status: the map is retired", "retired"),
    (concept_map(modifierExtension=[{"url": "u"}]), "modifierExtension: is not understood", "may negate all"),
    (concept_map(implicitRules="https://rules.example"), "implicitRules: is not understood", "other rules"),
    (concept_map(resourceType="ValueSet"), 'resourceType: "ValueSet" is not read here', "another resource"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "words", "reason"), REFUSED)
def test_map_that_does_not_say_the_same_is_refused_with_its_path(
    tmp_path: Path, text: str, words: str, reason: str
) -> None:
    (line,) = lines_of(tmp_path, text)
    assert line.startswith("1.yaml:1:"), line
    assert words in line, reason


def test_position_leads_to_the_line_of_the_equivalence(tmp_path: Path) -> None:
    text = json.dumps(json.loads(concept_map(target(equivalence="wider"))), indent="\t")
    (line,) = lines_of(tmp_path, text)
    number = next(n for n, row in enumerate(text.splitlines(), start=1) if "equivalence" in row)
    assert line.startswith(f"1.yaml:{number}:8: {TARGET}.equivalence: ")


def test_all_elements_are_judged_in_one_run(tmp_path: Path) -> None:
    elements = [{"code": str(number), "target": [target(equivalence="wider")]} for number in range(3)]
    lines = lines_of(tmp_path, concept_map(of_group={"element": elements}))
    assert [line.split(": ")[1] for line in lines] == [f"{GROUP}.element.{n}.target.0.equivalence" for n in range(3)]


@pytest.mark.parametrize(
    "members",
    [
        {"text": {"status": "generated", "div": "<div>\n\ttable</div>"}},
        {"description": "first line\nsecond line", "experimental": True, "date": "2026-11-20"},
        {"group": [{"source": LAB, "sourceVersion": "7", "target": LOINC, "targetVersion": "2.81", "element": [
            {"code": "4711", "display": "Thrombo\nzyten", "target": [target(display="Platelets", comment="a\nb")]}]}]},
    ],
    ids=["narrative", "description", "remarks"],
)  # fmt: skip
def test_texts_for_people_do_not_matter(tmp_path: Path, members: Json) -> None:
    assert read(tmp_path, concept_map(**members)).mappings.analyte_code(LAB, "4711") is not None


def test_local_code_mapped_twice_is_refused(tmp_path: Path) -> None:
    (line,) = lines_of(tmp_path, concept_map(), concept_map(target("26515-7")))
    assert "2.yaml:1:" in line
    assert "group.0.element.0.code: stands already in 1.yaml:1:" in line


def test_yaml_overlay_may_use_the_system_of_a_map(tmp_path: Path) -> None:
    code = f"laboratory_codes: [{{system: '{LAB}', code: N, analyte: neutrophils, basis: count}}]\n"
    site = read(tmp_path, concept_map(), ABOUT + code, HEAD).mappings
    assert site.analyte_code(LAB, "N") is not None
    assert site.analyte_code(LAB, "4711") is not None
