"""A configuration that is missing or cannot be opened: each command says so, where it looked, and what to do."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from cds_service.cli.main import main
from cds_service.cli.no_configuration import CONFIG_VARIABLE

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

NONE = "There is no configuration: no --config FILE was given, and SII_CDS_CONFIG is not set.\n"
MAKE_ONE = "Name the file with --config FILE, or make a first one: sii-cds config init sii-cds.yaml\n"
DIRECTORY = "A log outside any configuration is named with --directory DIR.\n"

NEED_ONE = ("serve", "config check", "config show", "client test", "client test --smart", "client check -")
NEED_ONE_OR_A_LOG = (
    "monitor", "audit verify", "audit search", "audit show 1", "audit report", "audit export --fhir", "audit replay",
)  # fmt: skip
DO_WITHOUT = ("doctor export", "explain request.json", "cohort assess export --out out")


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(command: str, *arguments: str, **env: str) -> Result:
    return CliRunner().invoke(main, [*command.split(), *arguments], env={CONFIG_VARIABLE: None, **env})


@pytest.mark.parametrize("command", [*NEED_ONE, *NEED_ONE_OR_A_LOG])
def test_command_without_any_configuration_says_so_and_exits_2(command: str, tmp_path: Path) -> None:
    result = run(command)

    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == NONE + MAKE_ONE + (DIRECTORY if command in NEED_ONE_OR_A_LOG else "")
    assert not list(tmp_path.iterdir()), "nothing is made: no key, no log"


@pytest.mark.parametrize("command", [*NEED_ONE, *NEED_ONE_OR_A_LOG, *DO_WITHOUT])
def test_command_with_a_file_that_is_not_there_says_where_it_looked_and_exits_2(command: str, tmp_path: Path) -> None:
    (tmp_path / "export").mkdir()
    (tmp_path / "request.json").write_text("{}")

    result = run(command, "--config", "site.yaml")

    assert result.exit_code == 2
    assert result.stderr == (
        "site.yaml: cannot be read: no such file\n"
        f"It was looked for at {tmp_path}/site.yaml.\n"
        "Correct the name, or make a first file: sii-cds config init site.yaml\n"
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["export", "request.json"]


def test_file_of_the_usual_name_is_pointed_out_and_not_taken(tmp_path: Path) -> None:
    (tmp_path / "sii-cds.yaml").write_text("authentication: {required: false}\n")

    result = run("config check")

    assert result.exit_code == 2
    assert "sii-cds.yaml is in this directory, and is not taken unless it is named: --config sii-cds.yaml" in (
        result.stderr
    )


def test_variable_that_is_empty_is_named() -> None:
    assert "and SII_CDS_CONFIG is set, but empty." in run("serve", **{CONFIG_VARIABLE: ""}).stderr


def test_environment_that_is_all_there_is_needs_no_file() -> None:
    result = run("config check", SII_CDS__AUTHENTICATION__REQUIRED="false")

    assert result.exit_code == 0, result.stderr


def test_wrong_variable_is_told_before_the_missing_file() -> None:
    result = run("config check", SII_CDS__SERVER__PORT="abc")

    assert result.exit_code == 2
    assert result.stderr.startswith('SII_CDS__SERVER__PORT: server.port: "abc" is not a whole number\n' + NONE)


def test_wrong_variable_alone_is_a_fault_of_the_checked_thing() -> None:
    result = run("config check", SII_CDS__SERVER__PORT="abc", SII_CDS__AUTHENTICATION__REQUIRED="false")

    assert result.exit_code == 1
    assert "There is no configuration" not in result.stderr


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ("sii-cds.yml", "sii-cds.yaml is there: was it meant?"),
        ("sii-cds", "sii-cds.yaml is there: was it meant?"),
        ("none/sii-cds.yaml", "The directory none is not there."),
        ("~/sii-cds.yaml", 'Nobody put your home directory in the place of "~": write the path in full.'),
        ("sii-cds.yaml/x", "It was looked for at "),
        (".", "Name the file in it, such as sii-cds.yaml."),
    ],
)
def test_wrong_name_of_the_file_is_told_with_the_likely_one(named: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "sii-cds.yaml").write_text("{}\n")

    result = run("audit verify", "--config", named)

    assert result.exit_code == 2
    assert said in result.stderr


def test_file_that_the_variable_names_is_told_with_the_variable(tmp_path: Path) -> None:
    result = run("serve", **{CONFIG_VARIABLE: "site.yaml"})

    assert f"It was looked for at {tmp_path}/site.yaml, named by SII_CDS_CONFIG.\n" in result.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_file_that_may_not_be_read_names_the_user(tmp_path: Path) -> None:
    path = tmp_path / "site.yaml"
    path.write_text("{}\n")
    path.chmod(0)

    result = run("serve", "--config", str(path))

    assert result.exit_code == 2
    assert "This runs as " in result.stderr


@pytest.mark.parametrize(
    ("command", "status", "reason"),
    [
        ("config check", 1, "the configuration is the checked thing"),
        ("serve", 1, "as ever"),
        ("audit verify", 2, "1 would say that the log is not whole"),
        ("monitor", 2, "1 would be a finding"),
        ("client check -", 2, "1 would say that the token is refused"),
        ("doctor export", 2, "1 would stand against going live"),
        ("explain request.json", 2, "1 would be a refused request"),
        ("cohort assess export --out out", 2, "1 would be a part of the input that is missing"),
    ],
)
def test_wrong_content_of_the_file_is_not_taken_for_a_finding(
    command: str, status: int, reason: str, tmp_path: Path
) -> None:
    (tmp_path / "export").mkdir()
    (tmp_path / "request.json").write_text("{}")
    (tmp_path / "site.yaml").write_text("server: {port: x}\n")

    result = run(command, "--config", "site.yaml")

    assert (result.exit_code, "site.yaml:1:10: server.port: " in result.stderr) == (status, True), reason
