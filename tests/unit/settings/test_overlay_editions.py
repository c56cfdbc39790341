"""National editions in overlays: named once with their parent, they inherit its rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cds_service.cli.main import main
from cds_service.settings.overlays import read_site_mappings
from tests.unit.settings.overlay_files import ABOUT, FIXTURES, ICD10, SOUND_REASON, lines_of, read

if TYPE_CHECKING:
    from pathlib import Path

NATIONAL = FIXTURES / "national-codes.yaml"
OURS = "https://hospital.example/diagnoses"
GM = "http://fhir.de/CodeSystem/bfarm/icd-10-gm"


def test_declared_edition_inherits_every_row_of_its_parent(tmp_path: Path) -> None:
    site = read(tmp_path, f"{ABOUT}systems: [{{uri: '{OURS}', edition: icd-10, prefix: true}}]\n").mappings
    found = {
        code: site.condition(OURS, code) for code in ("C22.0", "c22900", "C78.700", "C78.000", "C22.201", "Z94.401")
    }
    assert {code: row and row.category for code, row in found.items()} == {
        "C22.0": "primary",
        "c22900": "primary",
        "C78.700": "secondary",
        "C78.000": "metastasis",
        "C22.201": "other-histology",
        "Z94.401": "transplant-status",
    }


def test_row_of_an_edition_that_its_parent_has_is_only_a_warning(tmp_path: Path) -> None:
    declared = f"{ABOUT}systems: [{{uri: '{OURS}', edition: icd-10}}]\n"
    site = read(tmp_path, f"{declared}condition_codes: [{{system: '{OURS}', code: C22.0, category: primary}}]\n")
    assert [str(warning).partition(": ")[2] for warning in site.warnings] == [
        "condition_codes.0.code: the shipped tables say the same (primary); the row changes nothing"
    ]


def test_site_overlay_of_an_edition_that_became_known_still_starts(tmp_path: Path) -> None:
    before = (
        f"{ABOUT}systems: [{{uri: '{GM}', dotted: true}}]\n"
        f"condition_codes: [{{system: '{GM}', code: C22.0, category: primary}}]\n"
    )
    site = read(tmp_path, before)
    assert len(site.warnings) == 2
    lung = site.mappings.condition(GM, "C78.0")
    assert lung is not None
    assert lung.category == "metastasis"


@pytest.mark.parametrize("uri", [GM, OURS])
def test_inherited_code_can_be_removed_from_the_edition_alone(tmp_path: Path, uri: str) -> None:
    declared = f"systems: [{{uri: '{OURS}', edition: icd-10, prefix: true}}]\n"
    removal = f"removals: [{{system: '{uri}', code: C22.9, reason: {SOUND_REASON}}}]\n"
    site = read(tmp_path, ABOUT + declared + removal).mappings
    removed, parent = site.condition(uri, "C22.9"), site.condition(ICD10, "C22.9")
    assert removed is not None
    assert parent is not None
    assert (removed.category, parent.category) == ("ambiguous", "primary")


@pytest.mark.parametrize(
    ("row", "words", "reason"),
    [
        ("edition: icd-11", '0.edition: "icd-11" is not one of', "unknown"),
        ("edition: icd-10-gm", '0.edition: "icd-10-gm" is not one of', "an edition has no editions"),
        ("edition: icd-10, dotted: false", "0.dotted: an edition of icd-10 is written as icd-10 is", "dots differ"),
    ],
)
def test_edition_that_cannot_be_one_is_refused_with_its_position(
    tmp_path: Path, row: str, words: str, reason: str
) -> None:
    (line,) = lines_of(tmp_path, f"{ABOUT}systems:\n  - {{uri: '{OURS}', {row}}}\n")
    assert words in line, reason
    assert line.startswith("1.yaml:3:"), reason


def test_prefix_of_a_procedure_holds_for_the_codes_below(tmp_path: Path) -> None:
    site = read_site_mappings([NATIONAL]).mappings
    ops, japan = "http://fhir.de/CodeSystem/bfarm/ops", "https://hospital.example/fhir/CodeSystem/k-codes"
    china = "https://hospital.example/fhir/CodeSystem/icd-9-cm-3-cn"
    found = [site.procedure(*key) for key in ((ops, "5-501.53"), (japan, "K697-3"), (china, "50.2401"))]
    assert [row and row.therapy for row in found] == [
        "ablation/radiofrequency",
        "ablation/radiofrequency",
        "ablation/unspecified",
    ]
    assert site.procedure(ops, "5-502.0") is None
    weak = site.procedure(japan, "K615")
    assert weak is not None
    assert weak.weak
    (line,) = lines_of(
        tmp_path,
        f"{ABOUT}procedure_codes: [{{system: 'http://snomed.info/sct', code: '4974007', therapy: ablation/thermal, "
        "liver_specific: true, prefix: true}]\n",
    )
    assert "prefix: true is for categories of ICD" in line


def test_example_of_national_codes_passes_config_check_without_a_warning(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "sii-cds.yaml"
    file.write_text(f"authentication: {{required: false}}\nmappings: {{overlays: ['{NATIONAL}']}}\n", encoding="utf-8")
    with pytest.raises(SystemExit) as left:
        main(["config", "check", "--config", str(file)])
    assert left.value.code == 0
    printed = "".join(capsys.readouterr())
    assert "national-codes.yaml" not in printed
