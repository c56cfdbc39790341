"""Every command explains itself: `-h` and `--help`, with an example that is right."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import click
import pytest

from cds_service.cli.main import main
from cds_service.cli.shown import show
from cds_service.reports.content import Document, Notice
from tests.architecture.checkout import python_files, read
from tests.architecture.test_documented_commands import unknown_words

if TYPE_CHECKING:
    from collections.abc import Iterator

REPORT = Document(kind="test", title="A report", notices=(Notice("must not be missed"),), sections=())
ASKING = """
import json, sys
from click.testing import CliRunner
from cds_service.cli.main import main
print(json.dumps({line: CliRunner().invoke(main, line.split()).output for line in json.load(sys.stdin)}))
"""
EXAMPLE = re.compile(r"^  Example: sii-cds (.+)$", re.MULTILINE)


class Terminal(io.StringIO):
    """A text stream that says that somebody looks at it."""

    def isatty(self) -> bool:
        return True


def commands(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The path of each command, groups included."""
    yield path
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield from commands(found, (*path, name))


ALL = tuple(commands(main))


@pytest.fixture(scope="module")
def helps() -> dict[str, str]:
    """The help of each command line, from a new process: click keeps the options of a command that ran by itself."""
    lines = [" ".join((*path, option)) for path in ALL for option in ("-h", "--help")]
    asked = subprocess.run(
        [sys.executable, "-c", ASKING], input=json.dumps(lines), capture_output=True, text=True, check=True
    )
    found: dict[str, str] = json.loads(asked.stdout)
    return found


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_help_of_every_command_is_short_or_long(path: tuple[str, ...], helps: dict[str, str]) -> None:
    short, long = (helps[" ".join((*path, option))] for option in ("-h", "--help"))

    assert short.startswith("Usage: ")
    assert short == long


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_help_of_every_command_ends_with_an_example_that_is_right(path: tuple[str, ...], helps: dict[str, str]) -> None:
    (example,) = EXAMPLE.findall(helps[" ".join((*path, "-h"))])
    words = re.split(r"\. | [>|] ", example)[0].split()

    assert tuple(words[: len(path)]) == path
    assert unknown_words(words) == []


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_documented_completion_knows_the_commands(shell: str) -> None:
    operations = read(PurePosixPath("docs/operations.md"))
    assert "_SII_CDS_COMPLETE=bash_source sii-cds" in operations
    assert "zsh_source" in operations
    command = Path(sys.executable).with_name("sii-cds")
    asked = {"_SII_CDS_COMPLETE": f"{shell}_complete", "COMP_WORDS": "sii-cds config ", "COMP_CWORD": "2"}

    answer = subprocess.run([command], env={**os.environ, **asked}, capture_output=True, text=True, check=True)

    assert {"check", "init", "show"} <= set(re.findall(r"[a-z]+", answer.stdout))


@pytest.mark.parametrize(("variables", "colored"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_terminal_report_is_colored_unless_no_color_is_set(
    variables: dict[str, str], colored: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    stream = Terminal()
    monkeypatch.setattr(sys, "stdout", stream)

    show(REPORT)

    assert ("\x1b[" in stream.getvalue()) is colored


def test_nothing_but_the_terminal_report_colors() -> None:
    coloring = re.compile(r"click\.(?:style|secho)|\\x1b\[\d|\\033\[")
    found = [str(path) for path in python_files() if path.parts[0] == "cds_service" and coloring.search(read(path))]

    assert found == ["cds_service/reports/as_text.py"]


def test_all_commands_are_looked_at() -> None:
    assert ("audit", "search") in ALL
    assert len(ALL) > 20
