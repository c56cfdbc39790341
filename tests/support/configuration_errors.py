"""The tables of docs/configuration-errors.md: what is said about each mistake is expected as it stands there.

A section of the page has a test module of its own: a table of mistakes under the words of their rows, each made, given
to the command, and compared. `held` names what a page and its tests lack of each other.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from click.testing import CliRunner

from cds_service.cli.main import main
from cds_service.cli.no_configuration import CONFIG_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

PAGE: Final = Path(__file__).parents[2] / "docs" / "configuration-errors.md"
# Stands in the page for the folder that the configuration file is in.
FOLDER: Final = "/etc/sii-cds"
_WARNING: Final = "warning: "
_HEAD: Final = "| mistake | message | remedy |"


@dataclass(frozen=True, slots=True)
class Row:
    """One mistake of the page."""

    mistake: str
    message: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Mistake:
    """Files that hold a mistake, and the command that is to find it: `config check` unless named."""

    files: Mapping[str, str | bytes] = field(default_factory=dict)
    command: tuple[str, ...] = ("config", "check", "sii-cds.yaml")
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Said:
    """What a command said: its lines about problems, without warnings, notes and excerpts, and its exit code."""

    lines: tuple[str, ...]
    exit_code: int
    stderr: str
    warnings: tuple[str, ...] = ()


def rows(section: str) -> dict[str, Row]:
    """Return the rows of a section by the words of their first column. Raises KeyError for an unknown section."""
    sections = re.split(r"^## (.+)$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    text = dict(zip(sections[1::2], sections[2::2], strict=True))[section]
    found = [_row(line) for line in text.splitlines() if line.startswith("| ") and line != _HEAD]
    return {row.mistake: row for row in found}


def held(section: str, cases: Collection[str]) -> set[str]:
    """Return the mistakes that stand in the page and in no test, or in a test and not in the page."""
    return set(rows(section)) ^ set(cases)


def made(mistake: Mistake, folder: Path) -> Said:
    """Write the files into the folder, which must be the working directory, and run the command."""
    for name, content in mistake.files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
    result = CliRunner().invoke(main, [*mistake.command], env={CONFIG_VARIABLE: None, **mistake.environment})
    stderr = result.stderr.replace(str(folder), FOLDER)
    told = [line for line in stderr.splitlines() if line and not line.startswith((" ", "note: "))]
    problems = tuple(line for line in told if not line.startswith(_WARNING))
    return Said(problems, result.exit_code, stderr, tuple(line for line in told if line.startswith(_WARNING)))


def _row(line: str) -> Row:
    mistake, message, remedy = (cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1])
    return Row(mistake, message.replace("\\|", "|").removeprefix("`").removesuffix("`"), remedy)
