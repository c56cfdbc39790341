"""Problems on standard error, as every command that reads a configuration prints them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from cds_service.cli.main import main
from cds_service.cli.problem_lines import print_problems
from cds_service.settings.errors import Place, Problem
from cds_service.settings.excerpts import SourceLine

if TYPE_CHECKING:
    from pathlib import Path

BROKEN = "server:\r\n  port: 8000\r\n    workers: 2\r\n"
SAID = """\
site.yaml:3:5: wrong indentation: begin this line in column 3 like "port" above
  3 |     workers: 2
    |     ^
"""

COMMANDS = [
    ("config", "check", "site.yaml"),
    ("config", "show", "--config", "site.yaml"),
    ("serve", "--config", "site.yaml"),
    ("monitor", "--config", "site.yaml"),
    ("audit", "verify", "--config", "site.yaml"),
    ("audit", "search", "--config", "site.yaml"),
    ("audit", "report", "--config", "site.yaml"),
    ("client", "test", "--config", "site.yaml"),
    ("client", "test", "--smart", "--config", "site.yaml"),
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_command_prints_the_line_of_the_file_with_a_caret(
    command: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "site.yaml").write_bytes(BROKEN.encode())

    result = CliRunner().invoke(main, [*command])

    assert result.stderr == SAID
    assert result.exit_code in {1, 2}


def test_overlay_is_shown_with_its_own_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "site.yaml").write_text("authentication: {required: false}\nmappings: {overlays: [codes.yaml]}\n")
    (tmp_path / "codes.yaml").write_text("about:\n  what: Codes\n  approved_by nobody\n")

    result = CliRunner().invoke(main, ["config", "check", "site.yaml"])

    assert result.stderr.replace(f"{tmp_path}/", "") == (
        'codes.yaml:3:3: a colon is missing after "approved_by"; write "approved_by: " before the value\n'
        "  3 |   approved_by nobody\n    |   ^\n"
    )


def test_problem_that_may_hold_a_secret_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    place = Place.in_file("f", SourceLine("  password: hunter2", 2, 3))

    print_problems([Problem(place, "state.password", "unknown key")])

    assert capsys.readouterr().err == "f:2:3: state.password: unknown key\n"
