"""Operations of a site: what its overlay adds, what is refused with its position, and what a removal takes back."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.support.charts import bundle, days_ago, draw, hook_request, procedure
from tests.unit.decision.asking import SITE, assessment
from tests.unit.settings.overlay_files import ABOUT, ICD9, OPS, PCS, SNOMED, SOUND_REASON, lines_of, read

if TYPE_CHECKING:
    from pathlib import Path

K_CODES = "https://hospital.example/k-codes"
CHINA = "https://hospital.example/icd-9-cm-3-cn"
HEAD = f"""{ABOUT}systems:
  - {{uri: '{OPS}', dotted: true}}
  - {{uri: '{K_CODES}'}}
  - {{uri: '{CHINA}', edition: icd-9-cm, prefix: true}}
"""
LIVER = "liver-resection"


def operations(*rows: str) -> str:
    return HEAD + "operation_codes:\n" + "".join(f"  - {{{row}}}\n" for row in rows)


def ablation(system: str, code: str, extra: str = "") -> str:
    row = f"system: '{system}', code: {code}, therapy: ablation/thermal, liver_specific: true{extra}"
    return f"procedure_codes: [{{{row}}}]\n"


@pytest.mark.parametrize(
    ("row", "system", "code", "kind", "reason"),
    [
        (f"system: '{OPS}', code: 5-502, kind: {LIVER}, prefix: true", OPS, "5-502.0", LIVER, "a code below"),
        (f"system: '{OPS}', code: 5-502, kind: {LIVER}, prefix: true", OPS, "55020", None, "another code: the hyphen"),
        (f"system: '{OPS}', code: 5-502, kind: {LIVER}", OPS, "5-502.0", None, "without prefix the code alone"),
        (f"system: '{K_CODES}', code: K695, kind: {LIVER}", K_CODES, "K695", LIVER, "a system that is not dotted"),
        (f"system: '{K_CODES}', code: K695, kind: {LIVER}", K_CODES, "k695", None, "whose case counts"),
        (f"system: '{CHINA}', code: '41.9901', kind: splenectomy", CHINA, "41.9901", "splenectomy", "of an edition"),
        (f"system: '{CHINA}', code: '41.9901', kind: splenectomy", CHINA, "50.2201", LIVER, "beside inherited rows"),
        (f"system: '{CHINA}', code: '41.9901', kind: splenectomy", ICD9, "41.9901", None, "the parent stays as it was"),
        (f"system: '{SNOMED}', code: '4974007', kind: other", SNOMED, "4974007", "other", "of a known system"),
    ],
)
def test_added_operation_is_found(
    tmp_path: Path, row: str, system: str, code: str, kind: str | None, reason: str
) -> None:
    site = read(tmp_path, operations(row))
    found = site.mappings.operation(system, code)
    assert (found and found.kind) == kind, reason
    assert site.warnings == (), reason


PROBLEMS = [
    (operations(f"system: '{OPS}', code: 5-502, kind: resection"),
     ["7:", 'operation_codes.0.kind: "resection" is not one of liver-resection, liver-transplant, other'], "unknown"),
    (operations(f"system: '{OPS}', code: 5-502, kind: liver-resektion"),
     ['(did you mean "liver-resection"?)'], "misspelt"),
    (operations(f"system: '{OPS}', code: 5-502"), ["operation_codes.0.kind: this key is required"], "no kind"),
    (operations(f"system: '{OPS}', code: 5-502, kind: {LIVER}, weak: true"),
     ["operation_codes.0.weak: unknown key"], "a key of procedures"),
    (operations(f"system: '{OPS}', code: 5-502, kind: {LIVER}", f"system: '{OPS}', code: 5502, kind: other"),
     ["code: 5502 is not text"], "a number"),
    (operations(f"system: '{OPS}', code: 5-502.0, kind: {LIVER}", f"system: '{OPS}', code: 5-5020, kind: other"),
     ["8:", "operation_codes.1.code: stands already in 1.yaml:7:5"], "twice, once without the dot"),
    (operations(f"system: 'https://hospital.example/k-code', code: K695, kind: {LIVER}"),
     [f'is no known code system (did you mean "{K_CODES}"?)'], "a misspelt system"),
    (operations(f"system: '{K_CODES}', code: K695, kind: {LIVER}, prefix: true"),
     ["operation_codes.0.prefix: true is for categories of ICD"], "codes of it have no levels"),
    (operations(f"system: '{SNOMED}', code: '107963001', kind: {LIVER}"), ["is no SNOMED CT code"], "a misprint"),
    (operations(f"system: '{SNOMED}', code: '107963000', kind: other"),
     ["the shipped tables say liver-resection, not other; to change that here, list the code under removals"],
     "another kind of a shipped operation"),
    (operations(f"system: '{PCS}', code: 0DTJ4ZZ, kind: splenectomy"),
     ["the shipped tables say other, not splenectomy"], "of one known by its form"),
    (operations(f"system: '{CHINA}', code: '50.2201', kind: other"),
     ["the shipped tables say liver-resection, not other"], "of one that an edition inherits"),
    (operations(f"system: '{SNOMED}', code: '609232008', kind: {LIVER}"),
     ["7:", 'operation_codes.0.code: is a qualifying procedure by "609232008" (ablation/', "under removals"],
     "a shipped qualifying procedure"),
    (operations(f"system: '{CHINA}', code: '50.2401', kind: {LIVER}"),
     ['0.code: is a qualifying procedure by "50.24"'], "one that an edition inherits"),
    (operations(f"system: '{OPS}', code: 5-501.53, kind: {LIVER}") + ablation(OPS, "5-501.5", ", prefix: true"),
     ['0.code: is a qualifying procedure by "5-501.5"'], "below a procedure of the site"),
    (operations(f"system: '{OPS}', code: 5-501, kind: {LIVER}, prefix: true") + ablation(OPS, "5-501.5"),
     ['0.code: takes in "5-501.5", a qualifying procedure (ablation/thermal)'], "above one"),
    (operations(f"system: '{CHINA}', code: '50.2', kind: {LIVER}, prefix: true"),
     ['0.code: takes in "50.23", a qualifying procedure'], "above one that an edition inherits"),
    (operations(f"system: '{SNOMED}', code: '314617008', kind: other"),
     ["the shipped tables refuse procedures under this code", "the row would have no effect"], "a dead row"),
    (HEAD + ablation(SNOMED, "'107963000'"),
     ["procedure_codes.0.code: the shipped tables say that this is an operation", "(liver-resection); to change"],
     "a resection as an ablation"),
    (f"{HEAD}removals: [{{system: '{OPS}', code: 5-502, reason: {SOUND_REASON}}}]\n",
     ['the shipped tables have no row that counts "5-502"'], "nothing to remove"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "words", "reason"), PROBLEMS)
def test_operation_that_cannot_be_used_is_refused_with_its_position(
    tmp_path: Path, text: str, words: list[str], reason: str
) -> None:
    (line,) = lines_of(tmp_path, text)
    assert line.startswith("1.yaml:"), reason
    assert all(word in line for word in words), line


def test_operation_of_kind_other_may_take_in_a_procedure(tmp_path: Path) -> None:
    row = f"system: '{OPS}', code: 5-501, kind: other, prefix: true"
    site = read(tmp_path, operations(row) + ablation(OPS, "5-501.5")).mappings
    assert site.procedure(OPS, "5-501.5") is not None


def test_operation_that_is_shipped_is_only_a_warning(tmp_path: Path) -> None:
    (warning,) = read(tmp_path, operations(f"system: '{SNOMED}', code: '107963000', kind: {LIVER}")).warnings
    assert "operation_codes.0.code: the shipped tables say the same (liver-resection)" in str(warning)


@pytest.mark.parametrize(
    ("system", "code", "kept", "reason"),
    [
        (SNOMED, "107963000", (SNOMED, "71273005"), "a row"),
        (ICD9, "50.59", (ICD9, "50.51"), "below a row with prefix"),
        (PCS, "0DTJ4ZZ", (PCS, "0DTJ0ZZ"), "known by its form"),
        (CHINA, "50.22", (ICD9, "50.22"), "inherited by an edition"),
        (CHINA, "50.2201", (CHINA, "50.2202"), "below an inherited row"),
    ],
)
def test_removed_operation_is_none_and_its_neighbour_stays(
    tmp_path: Path, system: str, code: str, kept: tuple[str, str], reason: str
) -> None:
    site = read(tmp_path, f"{HEAD}removals: [{{system: '{system}', code: '{code}', reason: {SOUND_REASON}}}]\n")
    assert site.mappings.operation(system, code) is None, reason
    assert site.mappings.operation(*kept) is not None, reason
    assert ["does not count at this site" in str(warning) for warning in site.warnings] == [True], reason


@pytest.mark.parametrize(
    ("code", "row", "kind"),
    [
        ("'107963000'", "kind: other", "other"),
        ("'609232008'", f"kind: {LIVER}", LIVER),
    ],
)
def test_removed_code_can_become_an_operation_of_another_kind(tmp_path: Path, code: str, row: str, kind: str) -> None:
    removal = f"removals: [{{system: '{SNOMED}', code: {code}, reason: {SOUND_REASON}}}]\n"
    site = read(tmp_path, operations(f"system: '{SNOMED}', code: {code}, {row}") + removal).mappings
    found = site.operation(SNOMED, code.strip("'"))
    assert found is not None
    assert found.kind == kind
    assert site.procedure(SNOMED, code.strip("'")) is None


def test_removed_operation_can_become_a_qualifying_procedure(tmp_path: Path) -> None:
    removal = f"removals: [{{system: '{SNOMED}', code: '107963000', reason: {SOUND_REASON}}}]\n"
    site = read(tmp_path, HEAD + ablation(SNOMED, "'107963000'") + removal).mappings
    assert site.procedure(SNOMED, "107963000") is not None
    assert site.operation(SNOMED, "107963000") is None


@pytest.mark.parametrize(
    ("code", "outcome", "reason"),
    [
        ("5-502.0", "indeterminate", "post-procedure-window"),
        ("5-504.1", "not-eligible", "liver-transplanted"),
    ],
)
def test_operation_of_an_overlay_stops_the_card_of_blood_three_days_behind_it(
    tmp_path: Path, code: str, outcome: str, reason: str
) -> None:
    text = operations(
        f"system: '{OPS}', code: 5-502, kind: {LIVER}, prefix: true",
        f"system: '{OPS}', code: 5-504, kind: liver-transplant, prefix: true",
    )
    with_overlay = replace(SITE, mappings=read(tmp_path, text).mappings)
    surgery = procedure(code, OPS, id="surgery", when=days_ago(3)[:10])
    chart = hook_request(*draw(when=days_ago(0)), procedures=bundle(procedure(), surgery))

    without, found = assessment(chart), assessment(chart, with_overlay)

    assert without["outcome"] == "above-cutoff", "the first chart without the rows: the wrong card"
    assert found["outcome"] == outcome
    assert found["reasons"] == [reason]
