"""Problems of a configuration on standard error: a line each, and below it the line of the file with a caret."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, TextIO

import click

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cds_service.settings import Problem


def print_problems(problems: Iterable[Problem]) -> None:
    """Print each problem as `file:line:column: key: what is wrong`, and the place in the file where it may be shown."""
    color = is_colored(sys.stderr)
    for problem in problems:
        click.echo(str(problem), err=True)
        for line, style in zip(problem.excerpt, ("bright_black", "red"), strict=False):
            click.echo(click.style(line, fg=style) if color else line, err=True)


def is_colored(stream: TextIO) -> bool:
    """Tell whether colors are seen: on a terminal, where NO_COLOR is not set (https://no-color.org)."""
    return stream.isatty() and not os.environ.get("NO_COLOR")
