"""Rows of an overlay that cannot be used: each refused with its position, all at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cds_service.settings import SettingsError
from cds_service.settings.overlays import load_site_mappings, read_site_mappings
from tests.unit.settings.overlay_files import (
    CPT,
    EXAMPLE,
    HEAD,
    ICD10CM,
    LAB,
    LOINC,
    SNOMED,
    SOUND_REASON,
    lines_of,
    read,
)

if TYPE_CHECKING:
    from pathlib import Path

PROBLEMS = [
    # Laboratory codes
    (f"laboratory_codes:\n  - {{system: '{LAB}', code: N, analyte: neutrophil, basis: count}}",
     ['6:', 'analyte: "neutrophil" is not one of', '(did you mean "neutrophils"?)'], "misspelt analyte"),
    (f"laboratory_codes:\n  - {{system: '{LAB}', code: N, analyte: neutrophils, basis: cuont}}",
     ['basis: "cuont" is not one of', '(did you mean "count"?)'], "misspelt basis"),
    (f"laboratory_codes:\n  - {{system: '{LAB}', code: P, analyte: platelets, basis: percent}}",
     ["0.basis: platelets has no plausible range as percent; it is read as count"], "platelets have no percentage"),
    (f"laboratory_codes:\n  - {{system: '{LAB}', code: P, analyte: platelets, basis: count, preference: 3}}",
     ["0.preference: must be at most 2, not 3"], "only two ranks"),
    (f"laboratory_codes:\n  - {{system: '{LAB}', code: P, analyte: platelets, basis: count, preferance: 1}}",
     ['0.preferance: unknown key (did you mean "preference"?)'], "unknown keys are refused"),
    (f"laboratory_codes:\n  - {{system: '{LAB}', code: 4711, analyte: platelets, basis: count}}",
     ['0.code: 4711 is not text; put it in quotes: "4711"'], "an unquoted 0100 would lose its zero"),
    (f"laboratory_codes:\n  - {{system: '{LAB}', analyte: platelets, basis: count}}",
     ["6:5: laboratory_codes.0.code: this key is required"], "a row without a code"),
    (f"laboratory_codes:\n  - {{system: '{LAB}', code: 'A,B', analyte: platelets, basis: count}}",
     ['0.code: "A,B" holds ",", which a FHIR search cannot carry'], "a comma separates codes in a search"),
    (f"laboratory_codes:\n  - {{system: '{LAB}', code: 'A&B', analyte: platelets, basis: count}}",
     ['0.code: "A&B" holds "&"'], "ends a parameter"),
    ("laboratory_codes:\n  - {system: 'https://laboratory.hospital.example/test', code: P, analyte: platelets, "
     "basis: count}",
     ["0.system: ", f'is no known code system (did you mean "{LAB}"?); declare'], "a misspelt system"),
    ("laboratory_codes:\n  - {system: laboratory, code: P, analyte: platelets, basis: count}",
     ['0.system: "laboratory" is not a URI such as'], "data carry systems as URIs"),
    (f"laboratory_codes:\n  - {{system: '{LOINC}', code: 751-9, analyte: neutrophils, basis: count}}",
     ['6:34: laboratory_codes.0.code: "751-9" is no LOINC code: form or check digit is wrong'], "a misprint"),
    (f"laboratory_codes:\n  - {{system: '{LOINC}', code: 751-8, analyte: neutrophils, basis: percent}}",
     ["0.code: the shipped tables say neutrophils as count, preference 1, not neutrophils as percent, preference 1; "
      "to change that here, list the code under removals"], "another meaning of a counted code"),
    (f"laboratory_codes:\n  - {{system: '{LOINC}', code: 30394-1, analyte: neutrophils, basis: count}}",
     ["6:34: laboratory_codes.0.code: the shipped tables do not count this (granulocytes: include",
      "add contradicts_refused:"], "a must-not-match code"),
    ("laboratory_codes:\n  - {system: 'urn:oid:2.16.840.1.113883.6.1', code: 30394-1, analyte: neutrophils, "
     "basis: count}",
     ["0.code: the shipped tables do not count this (granulocytes"], "the same code under its other URI"),
    (f"laboratory_codes:\n  - {{system: '{LOINC}', code: 30394-1, analyte: neutrophils, basis: count, "
     "contradicts_refused: yes}",
     ['0.contradicts_refused: "yes" is too short; say why, and who approved it'], "yes is no reason"),
    (f"laboratory_codes:\n  - {{system: '{LOINC}', code: 30394-1, analyte: neutrophils, basis: count, "
     "contradicts_refused: true}",
     ["0.contradicts_refused: true is not text"], "a switch is no reason"),
    (f"laboratory_codes:\n  - {{system: '{LAB}', code: P, analyte: platelets, basis: count, "
     f"contradicts_refused: {SOUND_REASON}}}",
     ["0.contradicts_refused: the shipped tables do not refuse this; take the line out"], "a reason without a cause"),
    ("laboratory_codes: {code: P}", ['5:1: laboratory_codes: needs a list: lines that start with "- "'], "no list"),
    ("laboratory_codes:", ["5:1: laboratory_codes: needs a list"], "nothing below the key"),
    ("laboratory_codes: [7]", ["5:20: laboratory_codes.0: 7 stands where keys are expected"], "no row"),
    # Units
    ("units: [{spelling: zz, kind: counts, factor: 1}]", ["0.kind: ", '(did you mean "count"?)'], "wrong kind"),
    ("units: [{spelling: zz, kind: count, factor: 0}]", ["0.factor: must be more than 0, not 0"], "no factor"),
    ("units: [{spelling: zz, kind: count, factor: -1}]", ["0.factor: must be more than 0"], "negative"),
    ("units: [{spelling: zz, kind: count, factor: '1'}]", ['0.factor: "1" is text; write 1 without quotes'], "text"),
    ("units: [{spelling: zz, kind: count, factor: .inf}]", ['0.factor: ".inf" is not a number'], "not finite"),
    ("units: [{spelling: zz, kind: count, factor: true}]", ["0.factor: true is not a number"], "a switch"),
    ("units: [{spelling: K/uL, kind: count, factor: 0.001}]",
     ["5:10: units.0.spelling: the shipped tables say count times 1, not count times 0.001"], "another factor"),
    ("units: [{spelling: k/µl, kind: count, factor: 0.001}]",
     ["0.spelling: the shipped tables say count times 1"], "the same spelling without case and with another mu"),
    ("units: [{spelling: g/L, kind: count, factor: 1}]",
     ["0.spelling: the shipped tables say mass times 1, not count times 1"], "a mass is not a count"),
    ("units: [{spelling: 103/mm3, kind: count, factor: 1}]",
     ["0.spelling: the shipped tables do not count this (lost superscript"], "a refused spelling"),
    ("units: [{spelling: MIL/mm3, kind: count, factor: 1}]",
     ["0.spelling: the shipped tables do not count this (million or Roman"], "refused in another case"),
    ("units: [{spelling: zz, kind: count, factor: 1}, {spelling: zz, kind: mass, factor: 1}]",
     ["5:50: units.1.spelling: stands already in 1.yaml:5:9"], "one spelling, one meaning"),
    # Diagnoses
    (f"condition_codes: [{{system: '{ICD10CM}', code: C22.9, category: primary}}]",
     ["0.code: the shipped tables do not count this (ambiguous: "], "ambiguous by default"),
    (f"condition_codes: [{{system: '{ICD10CM}', code: c787, category: primary}}]",
     ["0.code: the shipped tables do not count this (secondary: "], "without dot and in lower case"),
    (f"condition_codes: [{{system: '{ICD10CM}', code: C78.999, category: history}}]",
     ["0.code: the shipped tables do not count this (metastasis: "], "covered by the shipped row of its category"),
    (f"condition_codes: [{{system: '{ICD10CM}', code: C22.0, category: benign-or-uncertain}}]",
     ["0.code: the shipped tables say primary, not benign-or-uncertain"], "a counted diagnosis taken away"),
    (f"condition_codes: [{{system: '{ICD10CM}', code: C61, category: main}}]",
     ['0.category: "main" is not one of'], "unknown category"),
    (f"condition_codes: [{{system: '{ICD10CM}', code: C2, category: primary, prefix: true}}]",
     ["0.prefix: true is for categories of ICD", 'not for "C2"'], "a chapter is no category"),
    (f"condition_codes: [{{system: '{SNOMED}', code: '109841003', category: primary, prefix: true}}]",
     ["0.prefix: true is for"], "SNOMED CT codes have no hierarchy in their digits"),
    (f"condition_codes: [{{system: '{SNOMED}', code: '109841004', category: primary}}]",
     ['0.code: "109841004" is no SNOMED CT code'], "a misprint"),
    # Procedures
    (f"procedure_codes: [{{system: '{CPT}', code: '1', therapy: embolisation/chemo, liver_specific: true}}]",
     ['(did you mean "embolization/chemo"?)'], "misspelt therapy"),
    (f"procedure_codes: [{{system: '{CPT}', code: '1', therapy: resection, liver_specific: true}}]",
     ['0.therapy: "resection" is not one of ablation/chemical'], "the rule does not speak of resection"),
    (f"procedure_codes: [{{system: '{CPT}', code: '1', therapy: ablation/cryo}}]",
     ["0.note: is missing: a code that does not name the liver"], "why does it count?"),
    (f"procedure_codes: [{{system: '{CPT}', code: '37204', therapy: embolization/chemo, liver_specific: true}}]",
     ["0.code: the shipped tables do not count this (embolization of any vessel"], "left out as too unspecific"),
    (f"procedure_codes: [{{system: '{CPT}', code: '47382', therapy: ablation/cryo, liver_specific: true}}]",
     ["0.code: the shipped tables say ablation/radiofrequency-or-microwave, not ablation/cryo"], "another therapy"),
    # Removals
    (f"removals: [{{system: '{LOINC}', code: 751-8, reason: no}}]", ['0.reason: "no" is too short'], "no is no reason"),
    (f"removals: [{{system: '{LOINC}', code: 30394-1, reason: {SOUND_REASON}}}]",
     ['0.code: the shipped tables have no row that counts "30394-1"'], "what is refused need not be removed"),
    (f"removals: [{{system: '{CPT}', code: '47388', reason: {SOUND_REASON}}}]",
     ['0.code: the shipped tables have no row that counts "47388"'], "misprinted code"),
    (f"removals: [&r {{system: '{LOINC}', code: 751-8, reason: {SOUND_REASON}}}, *r]",
     ["removals.1.code: stands already in 1.yaml:5:12"], "the same removal twice, by alias"),
    # The file
    ("unit: []", ['5:1: unit: unknown key (did you mean "units"?)'], "misspelt section"),
    ("units: [", ["1.yaml:"], "broken YAML"),
]  # fmt: skip


@pytest.mark.parametrize(("rows", "words", "reason"), PROBLEMS)
def test_row_that_cannot_be_used_is_refused_with_its_position(
    tmp_path: Path, rows: str, words: list[str], reason: str
) -> None:
    (line,) = lines_of(tmp_path, f"{HEAD}{rows}\n")
    assert line.startswith("1.yaml:"), reason
    assert all(word in line for word in words), line


@pytest.mark.parametrize(
    ("system", "words", "reason"),
    [
        (
            "{uri: 'https://loinc.org'}",
            'systems.0: "https://loinc.org" is not the known system (did you mean "http://loinc.org"?)',
            "another protocol",
        ),
        ("{uri: 'http://www.LOINC.org/'}", '(did you mean "http://loinc.org"?)', "slash, www. and case"),
        ("{uri: http://snomed.info/sct/}", '(did you mean "http://snomed.info/sct"?)', "slash at the end"),
        ("{uri: laboratory}", 'systems.0.uri: "laboratory" is not a URI', "no URI"),
        ("{uri: 'https://a.example/x|y'}", "is not a URI", "a bar cannot stand in a search"),
        (f"{{uri: '{LAB}', dot: true}}", 'systems.0.dot: unknown key (did you mean "dotted"?)', "unknown key"),
        ("{dotted: true}", "systems.0.uri: this key is required", "nameless"),
    ],
)
def test_system_that_cannot_be_used_is_refused(tmp_path: Path, system: str, words: str, reason: str) -> None:
    (line,) = lines_of(tmp_path, f"about: {{what: Test, approved_by: Dr. A}}\nsystems: [{system}]\n")
    assert words in line, reason


def test_system_declared_in_two_ways_is_refused(tmp_path: Path) -> None:
    other = f"about: {{what: Test, approved_by: Dr. A}}\nsystems:\n  - {{uri: '{LAB}', dotted: true}}\n"
    (line,) = lines_of(tmp_path, HEAD, other)
    assert line == f"2.yaml:3:5: systems.0: {LAB} is declared otherwise in 1.yaml:3:5"


@pytest.mark.parametrize(
    ("text", "words", "reason"),
    [
        ("", "1:1: the file holds nothing; an overlay is YAML with sections", "an empty file says nothing"),
        ("about: {what: Test}", "1:1: about.approved_by: this key is required", "nobody approved it"),
        ("about: {what: '', approved_by: A}", "about.what: must not be empty", "empty words"),
        ("- a\n", "1:1: ", "a list"),
        ("about: {what: Test, approved_by: A}\n---\nunits: []\n", "a second document", "two documents"),
    ],
)
def test_file_without_a_responsible_person_or_form_is_refused(
    tmp_path: Path, text: str, words: str, reason: str
) -> None:
    lines = lines_of(tmp_path, text)
    assert any(words in line for line in lines), reason


def test_all_problems_of_all_files_come_at_once_in_their_order(tmp_path: Path) -> None:
    first = f"{HEAD}units:\n  - {{spelling: K/uL, kind: count, factor: 7}}\n  - {{spelling: z, kind: c, factor: 1}}\n"
    second = "about: {what: Test, approved_by: A}\nremoval: []\n"
    assert [line.split(": ")[:2] for line in lines_of(tmp_path, first, second)] == [
        ["1.yaml:6:6", "units.0.spelling"],
        ["1.yaml:7:19", "units.1.kind"],
        ["2.yaml:2:1", "removal"],
    ]


def test_row_that_stands_in_two_files_is_refused_once_with_both_places(tmp_path: Path) -> None:
    row = f"laboratory_codes: [{{system: '{LAB}', code: P, analyte: platelets, basis: count}}]\n"
    (line,) = lines_of(tmp_path, HEAD + row, HEAD + row)
    assert line.startswith("2.yaml:5:")
    assert line.endswith("stands already in 1.yaml:5:20")


def test_file_listed_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"is listed twice in mappings\.overlays"):
        read_site_mappings([EXAMPLE, EXAMPLE])


def test_missing_file_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        load_site_mappings([tmp_path / "absent.yaml"])
    assert str(caught.value) == f"{tmp_path}/absent.yaml: cannot be read: no such file"


def test_codes_may_stand_in_another_file_than_their_system(tmp_path: Path) -> None:
    code = f"laboratory_codes: [{{system: '{LAB}', code: P, analyte: platelets, basis: count}}]\n"
    site = read(tmp_path, f"about: {{what: Test, approved_by: A}}\n{code}", HEAD).mappings
    assert site.analyte_code(LAB, "P") is not None
