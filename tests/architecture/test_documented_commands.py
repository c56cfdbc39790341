"""Every command and option that the documentation names exists."""

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

import click
import pytest

from cds_service.cli.main import main
from cds_service.settings import RESTART_KEYS
from tests.architecture.checkout import read, repository_files

DOCUMENTS = tuple(path for path in repository_files() if path.suffix == ".md" and "fixtures" not in path.parts)


def mentions(text: str) -> Iterator[list[str]]:
    """Words after `sii-cds` wherever a call is shown: in backticks or in a block."""
    inline = re.findall(r"`(?:\S*/)?sii-cds ([^`]+)`", text)
    blocks = re.findall(r"^(?:```\w*\n(.*?)^```|((?: {4}\S.*\n)+))", text, re.MULTILINE | re.DOTALL)
    lines = [line for fenced, indented in blocks for line in (fenced or indented).splitlines()]
    shown = [match[1] for line in lines if (match := re.match(r"\s*(?:\S*/)?sii-cds (.+)", line))]
    for call in (*inline, *shown):
        yield re.split(r"\s[|>#&]|\s{2,}", call)[0].split()


def test_operations_page_names_every_key_that_needs_a_restart_and_no_other() -> None:
    (row,) = (
        line
        for line in read(PurePosixPath("docs/operations.md")).splitlines()
        if line.startswith("| what needs a restart")
    )

    assert tuple(re.findall(r"`([a-z]+\.[a-z_]+)`", row)) == RESTART_KEYS


def unknown_words(words: list[str]) -> list[str]:
    """Subcommands and options that do not exist; alternatives are written `check|schema`."""
    command: click.Command = main
    unknown: list[str] = []
    for word in words:
        if isinstance(command, click.Group) and not word.startswith("-"):
            found = [command.get_command(click.Context(command), name) for name in word.split("|")]
            if None in found:
                return [*unknown, word]
            command = next(each for each in found if each is not None)
        elif word.startswith("--"):
            unknown += [word] if word.partition("=")[0] not in _options(command) else []
    return unknown


def _options(command: click.Command) -> set[str]:
    own = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
    return own | {"--help", "--version"}


@pytest.mark.parametrize("path", DOCUMENTS, ids=str)
def test_documented_command_exists_with_its_options(path: PurePosixPath) -> None:
    missing = [
        f"sii-cds {' '.join(words)}: {unknown}" for words in mentions(read(path)) if (unknown := unknown_words(words))
    ]

    assert missing == []


def test_documentation_shows_commands() -> None:
    assert sum(len(list(mentions(read(path)))) for path in DOCUMENTS) > 30


@pytest.mark.parametrize(
    ("text", "unknown"),
    [
        ("run `sii-cds serve --config x.yaml`", []),
        ("run `sii-cds swerve`", ["swerve"]),
        ("run `venv/bin/sii-cds audit search --pateint 1 --json`", ["--pateint"]),
        ("```sh\nsii-cds config check|shema\n```\n", ["check|shema"]),
        ("    sii-cds demo --prot 1   # a comment\n", ["--prot"]),
    ],
)
def test_unknown_command_or_option_is_named(text: str, unknown: list[str]) -> None:
    assert [word for words in mentions(text) for word in unknown_words(words)] == unknown
