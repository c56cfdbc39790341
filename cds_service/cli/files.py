"""Writing what a command makes: whole, or not at all."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final

import click

STANDARD_OUTPUT: Final = Path("-")


def write_text(file: Path, text: str) -> None:
    """Write a file in UTF-8, "-" to standard output. Exits with 1 when it cannot be written; a file in place stays."""
    if file == STANDARD_OUTPUT:
        sys.stdout.write(text)
        return
    beside = file.with_name(f"{file.name}.{os.getpid()}.part")
    try:
        beside.write_text(text, encoding="utf-8")
        beside.replace(file)
    except OSError as error:
        beside.unlink(missing_ok=True)
        click.echo(f"{file}: cannot be written: {error.strerror or error}", err=True)
        raise click.exceptions.Exit(1) from None
