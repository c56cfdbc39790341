"""The command doctor: exit codes, files, options, and output that a script or a narrow terminal can take."""

from __future__ import annotations

import json
import os
import re
import sys
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result

from cds_service.cli.main import main
from tests.support.charts import NOW, PLATELETS
from tests.support.hospital import hospital, measured, of_code, recoded

if TYPE_CHECKING:
    from pathlib import Path

AT = NOW.isoformat()
WRONG_SCALE = of_code(PLATELETS, change=measured("10*9/L", times=1000, ucum=True))


def doctor(*arguments: str | Path, width: int = 100) -> Result:
    command = ["doctor", "--at", AT, *map(str, arguments)]
    return CliRunner().invoke(main, command, env={"COLUMNS": str(width)})


@pytest.fixture
def clean(tmp_path: Path) -> Path:
    return hospital().export(tmp_path / "clean")


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    return hospital().change(WRONG_SCALE).export(tmp_path / "broken")


def test_clean_export_exits_0(clean: Path) -> None:
    result = doctor(clean)

    assert result.exit_code == 0, result.output
    assert "Nothing stands against go-live" in result.output


def test_blocking_finding_exits_1(broken: Path) -> None:
    result = doctor(broken)

    assert result.exit_code == 1
    assert "2 findings against go-live" in result.output


def test_json_is_written_and_says_the_same(broken: Path, tmp_path: Path) -> None:
    result = doctor(broken, "--json", tmp_path / "report.json")
    told = json.loads((tmp_path / "report.json").read_text("utf-8"))

    assert "BLOCKS" in result.output
    assert told["formatVersion"] == 1
    assert [(f["severity"], f["id"]) for f in told["findings"]] == [
        ("blocks", "unit-scale"),
        ("blocks", "few-complete-draws"),
    ]


def test_moment_is_told_on_the_clock_of_the_site(clean: Path, tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text("service: {timezone: Asia/Tokyo}\nauthentication: {required: false}\n")
    result = doctor(clean, "--config", tmp_path / "site.yaml", "--at", "2026-11-23T20:00:00Z")

    assert "as of 2026-11-24T05:00:00+09:00" in result.output


def test_json_to_standard_output_stands_alone(broken: Path) -> None:
    told = json.loads(doctor(broken, "--json", "-").stdout)

    assert set(told) == {
        "formatVersion", "made", "versions", "options", "source", "sample", "findings", "laboratoryCodes", "otherCodes",
        "alikeByValues", "eligibilityCodes", "otherProcedures", "draws", "outcomes", "searches", "overlay",
    }  # fmt: skip


def test_overlay_is_written_when_there_is_one(clean: Path, tmp_path: Path) -> None:
    local = hospital().change(of_code(PLATELETS, change=recoded("https://l.example/t", "PLT", "Platelets")))

    doctor(local.export(tmp_path / "local"), "--overlay", tmp_path / "a.yaml")
    doctor(clean, "--overlay", tmp_path / "b.yaml")

    assert "laboratory_codes:" in (tmp_path / "a.yaml").read_text("utf-8")
    assert not (tmp_path / "b.yaml").exists()


@pytest.mark.parametrize("width", [20, 60, 80, 300])
def test_text_keeps_the_width_of_the_terminal(broken: Path, width: int) -> None:
    lines = doctor(broken, width=width).output.splitlines()

    assert max(map(len, lines)) <= max(60, min(width, 120))


def test_output_that_is_no_terminal_has_no_control_sequences_and_no_bar(broken: Path) -> None:
    result = doctor(broken)

    assert "\x1b" not in result.output
    assert result.stderr == ""


def test_no_patient_data_leave(tmp_path: Path) -> None:
    """Markers in every place that holds something of one patient."""
    plan = hospital()
    first = plan.patients["p000"]
    first[0] |= {"id": "p000", "name": [{"family": "Canary-4711"}]}
    for resource in first[1:]:
        resource["id"] = f"canary-id-{resource['resourceType']}"
        resource["code"] = resource["code"] | {"text": "neutrophils of Canary-4711"}
        resource["note"] = [{"text": "Canary-4711"}]
    folder = plan.export(tmp_path / "export")

    result = doctor(folder, "--json", tmp_path / "a.json", "--html", tmp_path / "a.html")
    said = result.output + (tmp_path / "a.json").read_text("utf-8") + (tmp_path / "a.html").read_text("utf-8")

    assert not re.search(r"canary|p000|1958", said, re.IGNORECASE)


def test_page_shows_findings_and_plots(broken: Path, tmp_path: Path) -> None:
    doctor(broken, "--html", tmp_path / "a.html")
    page = (tmp_path / "a.html").read_text("utf-8")

    assert "Not ready: 2 findings against go-live" in page
    assert "<svg" in page
    assert "Platelets, count: values by code and unit" in page


def test_page_without_matplotlib_says_what_to_install_and_the_rest_is_written(
    broken: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)

    result = doctor(broken, "--html", tmp_path / "a.html", "--json", tmp_path / "a.json")

    assert result.exit_code == 2
    assert "pip install --require-hashes -r requirements.lock" in result.stderr
    assert "unit-scale" in result.stdout
    assert (tmp_path / "a.json").exists()


@pytest.mark.parametrize(
    ("arguments", "said", "reason"),
    [
        ((), "name either the files of an export", "nothing to examine"),
        (("no-such-folder",), "does not exist", "a mistyped path"),
        ((".",), "no NDJSON file (.ndjson, .ndjson.gz", "a folder without an export"),
        (("x.ndjson", "--patients", "0"), "--patients", "nobody"),
        (("x.ndjson", "--since", "yesterday"), "--since", "no day"),
        (("x.ndjson", "--patient-file", "nobody.txt"), "names no patient", "an empty list"),
        (("x.ndjson", "--patient-file", "wide.txt"), "wide.txt is UTF-16; save it as UTF-8", "Notepad"),
        (("x.ndjson", "--json", "no/such/folder/a.json"), "no/such/folder/a.json", "a folder that is not there"),
    ],
)
def test_wrong_usage_is_one_sentence_and_exits_2(
    arguments: tuple[str, ...], said: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "nobody.txt").write_text("# no id yet\n\n")
    (tmp_path / "wide.txt").write_text("p001\n", encoding="utf-16")
    if "x.ndjson" in arguments:
        (tmp_path / "x.ndjson").write_text("{}\n")

    result = doctor(*arguments)

    assert result.exit_code == 2, reason
    assert said in result.stderr, reason
    assert "Traceback" not in result.output


def test_patients_are_listed_with_or_without_their_type(clean: Path, tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("Patient/p001\np002\n\n# p003\np001\n", encoding="utf-8-sig")

    result = doctor(clean, "--patient-file", tmp_path / "list.txt", "--json", "-")

    assert json.loads(result.stdout)["sample"]["patients"] == 2


def test_file_that_cannot_be_read_is_a_finding(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        path = tmp_path / "gone.ndjson"
        path.symlink_to("/proc/self/mem")
    else:
        path = tmp_path / "closed.ndjson"
        path.write_text("{}\n")
        path.chmod(0)

    result = doctor(path)

    assert result.exit_code == 1
    assert "export-damaged" in result.output
