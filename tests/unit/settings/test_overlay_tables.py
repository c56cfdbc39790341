"""What the mapping tables of a site say once overlays were added, and what is warned of."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from cds_service.settings.overlays import load_site_mappings, read_site_mappings
from fhir_mappings import load_mappings
from fhir_mappings.models import AnalyteCode
from tests.unit.settings.overlay_files import (
    ABOUT,
    CPT,
    EXAMPLE,
    HEAD,
    ICD10CM,
    LAB,
    LOINC,
    SOUND_REASON,
    lines_of,
    read,
)

if TYPE_CHECKING:
    from pathlib import Path


def test_without_overlays_the_shipped_mappings_themselves_are_used() -> None:
    assert load_site_mappings(()) is load_mappings()


def test_example_adds_its_rows_to_the_shipped_ones() -> None:
    shipped, site = load_mappings(), load_site_mappings([EXAMPLE])

    platelets = site.analyte_code(LAB, "PLT-MAN")
    assert platelets == AnalyteCode(
        LAB, "PLT-MAN", "platelets", "count", 2, "Platelets, counting chamber", ("SITE",), ""
    )
    assert platelets.origin == f"{EXAMPLE}:17:5"
    assert site.rows.sources[str(EXAMPLE)]["SITE"].endswith("approved by Dr. A. Example, hepatology, 2026-11-20")
    assert site.canonical_system(LAB) == LAB
    assert site.units.exact["count"]["Tsd pro ul"] == 1
    assert site.units.exact["count"]["Zellen pro ul"] == Decimal("0.001")
    unspecified = site.condition(ICD10CM, "C229")
    assert unspecified is not None
    assert unspecified.category == "primary"
    assert site.procedure("https://hospital.example/procedures", "INT-0815") is not None
    assert site.analyte_code(LOINC, "778-1") is None
    removed = site.refused_code(LOINC, "778-1")
    assert removed is not None
    assert removed.reason.startswith("Manual platelet counts are test runs")

    assert shipped.analyte_code(LAB, "PLT-MAN") is None
    assert site.analyte_code(LOINC, "777-3") == shipped.analyte_code(LOINC, "777-3")
    assert len(site.rows.analyte_codes) == len(shipped.rows.analyte_codes) + 4 - 1


def test_every_contradiction_and_removal_of_the_example_is_warned_of() -> None:
    warnings = [str(warning).removeprefix(f"{EXAMPLE}:") for warning in read_site_mappings([EXAMPLE]).warnings]

    assert [warning.split(": ")[:2] for warning in warnings] == [
        ["33:5", "condition_codes.0.contradicts_refused"],
        ["49:5", "removals.0.code"],
    ]
    assert "Coding guideline of the registry, section 4; approved by Dr. A. Example" in warnings[0]


WARNINGS = [
    (f"laboratory_codes: [{{system: '{LOINC}', code: 751-8, analyte: neutrophils, basis: count}}]",
     "laboratory_codes.0.code: the shipped tables say the same (neutrophils as count, preference 1); the row changes",
     "a shipped code with the same meaning"),
    ("units: [{spelling: K/UL, kind: count, factor: 1}]",
     "units.0.spelling: the shipped tables say the same (count times 1)", "read without case already"),
    (f"condition_codes: [{{system: '{ICD10CM}', code: C78.5, category: metastasis}}]",
     "condition_codes.0.code: the shipped tables say the same (metastasis)", "covered by the category"),
    (f"procedure_codes: [{{system: '{CPT}', code: '47383', therapy: ablation/cryo, liver_specific: true}}]",
     "procedure_codes.0.code: the shipped tables say the same (ablation/cryo)", "a shipped code"),
    ("units: [{spelling: zz, kind: count, factor: 1000}]",
     "units.0.factor: no shipped spelling of count has the factor 1000 (they have 0.001, 1, 10, 100); check it",
     "an odd factor"),
    ("systems: [{uri: 'http://loinc.org'}]", "systems.0: http://loinc.org is known already; take the line out",
     "a known system"),
    (f"laboratory_codes: [{{system: '{LAB}', code: 'NEUT%', analyte: neutrophils, basis: percent}}]",
     'laboratory_codes.0.code: "NEUT%" has to be percent-encoded by the EHR', "special in a URL"),
]  # fmt: skip


@pytest.mark.parametrize(("rows", "words", "reason"), WARNINGS)
def test_odd_row_is_warned_of_and_accepted(tmp_path: Path, rows: str, words: str, reason: str) -> None:
    head = HEAD if not rows.startswith("systems") else ABOUT
    (warning,) = read(tmp_path, f"{head}{rows}\n").warnings
    assert words in str(warning), reason


def test_row_that_changes_nothing_leaves_the_shipped_row(tmp_path: Path) -> None:
    row = f"laboratory_codes: [{{system: '{LOINC}', code: 751-8, analyte: neutrophils, basis: count}}]\n"
    assert read(tmp_path, HEAD + row).mappings.rows.analyte_codes == load_mappings().rows.analyte_codes


CONTRADICTIONS = [
    (f"laboratory_codes: [{{system: '{LOINC}', code: 30394-1, analyte: neutrophils, basis: count, contradicts_refused: "
     f"{SOUND_REASON}}}]", "granulocytes"),
    (f"units: [{{spelling: 103/mm3, kind: count, factor: 1, contradicts_refused: {SOUND_REASON}}}]",
     "lost superscript"),
    (f"condition_codes: [{{system: '{ICD10CM}', code: C22.9, category: primary, contradicts_refused: {SOUND_REASON}}}]",
     "ambiguous"),
    (f"procedure_codes: [{{system: '{CPT}', code: '37204', therapy: embolization/chemo, liver_specific: true, "
     f"contradicts_refused: {SOUND_REASON}}}]", "left out"),
]  # fmt: skip


@pytest.mark.parametrize(("rows", "reason"), CONTRADICTIONS)
def test_explicit_contradiction_counts_and_is_warned_of(tmp_path: Path, rows: str, reason: str) -> None:
    shipped, result = load_mappings(), read(tmp_path, f"{HEAD}{rows}\n")
    site = result.mappings
    (warning,) = result.warnings
    assert str(warning).endswith(f"counted at this site: {SOUND_REASON}"), reason
    before, after = (
        (
            tables.analyte_code(LOINC, "30394-1"),
            "count" in tables.units.kinds_of("103/mm3"),
            getattr(tables.condition(ICD10CM, "C22.9"), "category", None) == "primary",
            tables.procedure(CPT, "37204"),
        )
        for tables in (shipped, site)
    )
    assert not any(before)
    assert sum(map(bool, after)) == 1
    assert (site.refused_code(LOINC, "30394-1") is None) == bool(after[0])
    assert (site.refused_procedure(CPT, "37204") is None) == bool(after[3])


def test_removed_code_may_be_given_another_meaning(tmp_path: Path) -> None:
    rows = (
        f"removals: [{{system: '{LOINC}', code: 26499-4, reason: {SOUND_REASON}}}]\n"
        f"laboratory_codes: [{{system: '{LOINC}', code: 26499-4, analyte: neutrophils, basis: count, preference: 2}}]\n"
    )
    found = read(tmp_path, HEAD + rows).mappings.analyte_code(LOINC, "26499-4")
    assert found is not None
    assert found.preference == 2


def test_removed_diagnosis_and_procedure_do_not_count(tmp_path: Path) -> None:
    rows = (
        "removals:\n"
        f"  - {{system: '{ICD10CM}', code: C22.2, reason: {SOUND_REASON}}}\n"
        f"  - {{system: '{ICD10CM}', code: C78, reason: {SOUND_REASON}}}\n"
        f"  - {{system: '{CPT}', code: '37243', reason: {SOUND_REASON}}}\n"
    )
    site = read(tmp_path, HEAD + rows).mappings
    for code in ("C22.2", "C78.5", "C78"):
        found = site.condition(ICD10CM, code)
        assert found is not None
        assert found.category == "ambiguous", "known, and without effect"
    assert site.procedure(CPT, "37243") is None
    refused = site.refused_procedure(CPT, "37243")
    assert refused is not None
    assert refused.left_out


def test_removal_that_leaves_no_code_for_an_analyte_is_refused(tmp_path: Path) -> None:
    codes = [row.code for row in load_mappings().analyte_codes if row.analyte == "platelets"]
    rows = "".join(f"  - {{system: '{LOINC}', code: {code}, reason: {SOUND_REASON}}}\n" for code in codes)
    (line,) = lines_of(tmp_path, f"{HEAD}removals:\n{rows}")
    assert line.endswith("leaves no code at all for platelets")
    assert line.startswith(f"1.yaml:{5 + len(codes)}:")


def test_codes_of_a_dotted_system_compare_without_dot_and_case(tmp_path: Path) -> None:
    rows = "condition_codes: [{system: urn:oid:2.999.7, code: C22.0, category: primary, prefix: true}]\n"
    site = read(tmp_path, HEAD + rows).mappings
    assert site.condition("urn:oid:2.999.7", "c2201") is not None
    assert site.condition("urn:oid:2.999.7", "C22.1") is None


def test_version_stands_for_the_content_of_every_overlay(tmp_path: Path) -> None:
    unit = "units: [{spelling: zz, kind: count, factor: 1}]\n"
    versions = [
        load_mappings().version,
        read(tmp_path, HEAD).mappings.version,
        read(tmp_path, HEAD + unit).mappings.version,
        read(tmp_path, HEAD + unit.replace("factor: 1", "factor: 10")).mappings.version,
        read(tmp_path, HEAD + unit, "about: {what: More, approved_by: A}\n").mappings.version,
    ]
    assert len(set(versions)) == len(versions)
    assert all(len(version) == 12 for version in versions)


def test_version_does_not_change_with_comments_and_layout(tmp_path: Path) -> None:
    unit = "units: [{spelling: zz, kind: count, factor: 1}]\n"
    written_otherwise = "# reviewed\nunits:\n  - factor: 1\n    spelling: 'zz'\n    kind: count\n"
    assert read(tmp_path, HEAD + unit).mappings.version == read(tmp_path, HEAD + written_otherwise).mappings.version
