"""Problems of a configuration on standard error: a line each, and below it the line of the file with a caret."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cds_service.settings import Problem


def print_problems(problems: Iterable[Problem]) -> None:
    """Print each problem as `file:line:column: key: what is wrong`, and the place in the file where it may be shown."""
    for problem in problems:
        click.echo("\n".join((str(problem), *problem.excerpt)), err=True)
