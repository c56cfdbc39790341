"""sii-cds config init: what a hospital starts from, and what the check says of it."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result

from cds_service.cli.main import main
from cds_service.settings import load_settings
from tests.architecture.checkout import ROOT

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SII_CDS_CONFIG", raising=False)
    return tmp_path


def run(*words: str) -> Result:
    return CliRunner().invoke(main, ["config", *words])


def fill_in(folder: Path) -> None:
    """What the file asks for, as a hospital would write it."""
    keys = (ROOT / "docker/kubernetes/configuration.yaml").read_text(encoding="utf-8").partition("ehr-jwks.json: |")[2]
    (folder / "ehr-jwks.json").write_text(keys.strip(), encoding="utf-8")
    file = folder / "sii-cds.yaml"
    text = file.read_text(encoding="utf-8").replace("https://fill-in.example", "https://ehr.spital.org")
    file.write_text(text.replace("https://cds.hospital.example", "https://cds.spital.org"), encoding="utf-8")


def test_init_file_is_silent_and_authenticated_with_one_client(folder: Path) -> None:
    assert run("init").exit_code == 0
    fill_in(folder)

    settings = load_settings(folder / "sii-cds.yaml", {})

    assert settings.service.mode == "silent"
    assert settings.authentication.required
    assert [client.name for client in settings.clients] == ["main-ehr"]
    assert settings.warnings == ()


def test_check_of_the_file_names_what_is_to_be_filled_in_and_nothing_else(folder: Path) -> None:
    run("init")
    first = run("check", "sii-cds.yaml")
    problem, *_excerpt = first.stderr.splitlines()
    assert first.exit_code == 1
    assert problem.endswith(f"clients.0.jwks_file: no such file: {folder / 'ehr-jwks.json'}")
    assert first.stderr.count("sii-cds.yaml:") == 1

    fill_in(folder)
    filled = (folder / "sii-cds.yaml").read_text(encoding="utf-8")
    (folder / "sii-cds.yaml").unlink()
    run("init")
    answer = run("check", "sii-cds.yaml")

    assert answer.exit_code == 0
    warned = [line.split(": ")[2] for line in answer.stderr.splitlines() if line.startswith("warning: ")]
    assert warned == ["service.public_url", "clients.0.issuer", "clients.0.fhir_servers"]
    (folder / "sii-cds.yaml").write_text(filled, encoding="utf-8")
    assert "warning" not in run("check", "sii-cds.yaml").stderr


def test_every_place_to_fill_in_is_marked(folder: Path) -> None:
    run("init")

    lines = (folder / "sii-cds.yaml").read_text(encoding="utf-8").splitlines()
    marked = [
        lines[number + 1].strip(" -").partition(":")[0] for number, line in enumerate(lines) if "# FILL IN" in line
    ]

    assert marked == ["public_url", "timezone", "name", "issuer", "jwks_file", "fhir_servers"]


def test_init_makes_key_and_folders_for_their_owner_alone(folder: Path) -> None:
    run("init")

    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}

    assert {name: modes[name] for name in ("audit", "audit-key", "state")} == {
        "audit": 0o700,
        "audit-key": 0o600,
        "state": 0o700,
    }
    assert len((folder / "audit-key").read_text(encoding="ascii").strip()) == 64


def test_init_says_what_it_made_and_what_is_next(folder: Path) -> None:
    said = run("init").stdout

    made = [line.split()[1] for line in said.splitlines() if line.startswith("made ")]
    assert made == ["sii-cds.yaml", "audit-key", "audit", "state"]
    assert "sii-cds config check --config sii-cds.yaml" in said


def test_init_leaves_a_file_that_is_there_as_it_is(folder: Path) -> None:
    (folder / "sii-cds.yaml").write_text("service: {mode: active}\n", encoding="utf-8")

    answer = run("init")

    assert answer.exit_code == 2
    assert "sii-cds.yaml: exists, and is left as it is" in answer.stderr
    assert (folder / "sii-cds.yaml").read_text(encoding="utf-8") == "service: {mode: active}\n"
    assert [path.name for path in folder.iterdir()] == ["sii-cds.yaml"]


def test_init_keeps_a_key_that_is_there(folder: Path) -> None:
    """Another key would make every record of the log unverifiable."""
    (folder / "audit-key").write_text("of old", encoding="utf-8")

    said = run("init").stdout

    assert (folder / "audit-key").read_text(encoding="utf-8") == "of old"
    assert "made audit-key" not in said


@pytest.mark.parametrize("words", [("init", "hospital.yaml"), ("init", "--config", "hospital.yaml")])
def test_init_writes_the_file_that_is_named(folder: Path, words: tuple[str, ...]) -> None:
    assert run(*words).exit_code == 0
    assert (folder / "hospital.yaml").exists()


def test_init_into_a_folder_that_is_not_there_says_so(folder: Path) -> None:
    answer = run("init", "away/sii-cds.yaml")

    assert (answer.exit_code, answer.stderr) == (1, "away/sii-cds.yaml: cannot be made: No such file or directory\n")
