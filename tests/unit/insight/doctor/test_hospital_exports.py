"""Exports as hospitals make them (tests/fixtures/doctor): what doctor says, and what using its overlay changes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from click.testing import CliRunner

from cds_service.cli.main import main
from tests.architecture.checkout import ROOT
from tests.unit.insight.doctor.examining import examined_folder, finding, found

if TYPE_CHECKING:
    from pathlib import Path

    from cds_service.insight.doctor.report import Report

EXPORTS = ROOT / "tests" / "fixtures" / "doctor"
NOW = datetime(2026, 1, 10, 12, tzinfo=UTC)
NO_ALBUMIN = ("warning", "analyte-missing")
GM = "http://fhir.de/CodeSystem/bfarm/icd-10-gm"


def examine(folder: str | Path, **changes: Any) -> Report:
    return examined_folder(EXPORTS / folder, now=NOW, **changes)


def examine_with_its_overlay(folder: str | Path, before: Report, site: Path) -> Report:
    """Paste what was proposed, have `config check` read it, and examine again."""
    (site / "site-codes.yaml").write_text(before.overlay, "utf-8")
    (site / "site.yaml").write_text(
        "authentication: {required: false}\nmappings: {overlays: [site-codes.yaml]}\n", "utf-8"
    )
    checked = CliRunner().invoke(main, ["config", "check", str(site / "site.yaml")])
    assert checked.exit_code == 0, checked.output
    return examine(folder, overlays=(site / "site-codes.yaml",))


def test_danish_names_are_known_and_the_overlay_makes_every_draw(tmp_path: Path) -> None:
    before = examine("danish")

    assert {(row.code, row.analyte) for row in before.laboratory_codes} == {
        ("NPU02902", "neutrophils"),
        ("NPU02636", "lymphocytes"),
        ("NPU03568", "platelets"),
        ("NPU19673", "albumin"),
    }
    assert before.draws["withCompleteDraw"] == 0

    after = examine_with_its_overlay("danish", before, tmp_path)

    assert found(after) == set(), [f.what for f in after.findings]
    assert after.draws["withCompleteDraw"] == 40
    assert after.overlay == ""


def test_danish_codes_without_any_name_are_known_too(tmp_path: Path) -> None:
    """What NPU02902 means is as well known as "Neutrofilocytter"."""
    for name in ("Condition", "Procedure", "Patient", "Observation"):
        text = (EXPORTS / "danish" / f"{name}.ndjson").read_text("utf-8")
        for display in ("Neutrofilocytter;B", "Lymfocytter;B", "Trombocytter;B", "Albumin;P", "Leukocytter;B"):
            text = text.replace(f', "display": "{display}"', "").replace(f', "text": "{display}"', "")
        (tmp_path / f"{name}.ndjson").write_text(text, "utf-8")
    before = examined_folder(tmp_path, now=NOW)

    (tmp_path / "site").mkdir()
    after = examine_with_its_overlay(tmp_path, before, tmp_path / "site")

    assert {row.name for row in before.laboratory_codes} == {""}
    assert after.draws["withCompleteDraw"] == 40


def test_metastases_of_a_known_edition_are_told_before_and_after_the_overlay_is_used(tmp_path: Path) -> None:
    before = examine("german")

    assert found(before) == {("blocks", "no-qualifying-procedure"), ("blocks", "procedure-code-unknown"), NO_ALBUMIN}
    assert before.outcomes["notEligible"] == {"metastasis-known": 20, "no-interventional-procedure": 20}
    assert "therapy: ablation/radiofrequency, liver_specific: true" in before.overlay

    after = examine_with_its_overlay("german", before, tmp_path)

    assert found(after) == {NO_ALBUMIN}
    assert after.outcomes["notEligible"] == {"metastasis-known": 20}
    assert diagnoses(after) == {("C22.0", "primary", 40), ("C78.0", "metastasis", 20)}
    assert after.outcomes["counts"]["above-cutoff"] + after.outcomes["counts"]["not-above-cutoff"] == 20


def test_proposed_edition_brings_its_metastases(tmp_path: Path) -> None:
    """The same hospital, with a URI of its own for ICD-10-GM."""
    own = "urn:oid:2.999.276.10"
    for name in ("Condition", "Procedure", "Patient", "Observation"):
        text = (EXPORTS / "german" / f"{name}.ndjson").read_text("utf-8")
        (tmp_path / f"{name}.ndjson").write_text(text.replace(GM, own), "utf-8")
    before = examined_folder(tmp_path, now=NOW)

    assert found(before) == {
        ("blocks", "no-qualifying-diagnosis"),
        ("blocks", "diagnosis-code-unknown"),
        ("blocks", "metastasis-code-unknown"),
        ("blocks", "no-qualifying-procedure"),
        ("blocks", "procedure-code-unknown"),
        NO_ALBUMIN,
    }
    assert "of 20 patients" in finding(before, "metastasis-code-unknown")
    assert f'- {{uri: "{own}", edition: icd-10}}' in before.overlay

    (tmp_path / "site").mkdir()
    after = examine_with_its_overlay(tmp_path, before, tmp_path / "site")

    assert found(after) == {NO_ALBUMIN}
    assert after.outcomes["notEligible"] == {"metastasis-known": 20}
    assert diagnoses(after) == {("C22.0", "primary", 40), ("C78.0", "metastasis", 20)}


def diagnoses(report: Report) -> set[tuple[str, str, object]]:
    return {(row.code, row.meaning, row.patients) for row in report.eligibility_codes if row.kind == "condition"}


def test_share_under_the_code_of_a_count_is_told_and_nothing_is_proposed() -> None:
    report = examine("percent-under-count-codes")

    assert found(report) == {("blocks", "property-conflict"), ("blocks", "few-complete-draws"), NO_ALBUMIN}
    for code in ("751-8", "731-0"):
        said = finding(report, "property-conflict", code)
        assert said.startswith(f"Code says count, unit says share: 40 results of http://loinc.org|{code}")
    assert report.overlay == ""
