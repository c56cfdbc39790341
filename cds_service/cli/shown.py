"""A report on the terminal, and in the files that were asked for."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from cds_service.reports.as_text import WIDEST, as_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from cds_service.reports.content import Document

_Command = TypeVar("_Command", bound="Callable[..., object]")
_FILE = click.Path(path_type=Path)


def html_option(command: _Command) -> _Command:
    """Add `--html FILE`; the parameter is `html_file`."""
    help_text = "Write a page with plots."
    return click.option("--html", "html_file", type=_FILE, metavar="FILE", help=help_text)(command)


def json_option(command: _Command) -> _Command:
    """Add `--json [FILE]`; the parameter is `json_file`, "-" where FILE is not given."""
    help_text = "Write the figures as JSON; without FILE to standard output."
    option = click.option("--json", "json_file", is_flag=False, flag_value="-", type=_FILE, metavar="[FILE]",
                          help=help_text)  # fmt: skip
    return option(command)


def csv_option(command: _Command) -> _Command:
    """Add `--csv [FILE]`; the parameter is `csv_file`, "-" where FILE is not given."""
    help_text = "Write CSV; without FILE to standard output."
    option = click.option("--csv", "csv_file", is_flag=False, flag_value="-", type=_FILE, metavar="[FILE]",
                          help=help_text)  # fmt: skip
    return option(command)


def show(document: Document) -> None:
    """Print a document as wide as the terminal, in colors where somebody sees them and NO_COLOR is not set."""
    colored = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    click.echo(as_text(document, shutil.get_terminal_size((WIDEST, 24)).columns, colored=colored))
