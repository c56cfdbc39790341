"""Writing what a command makes: whole, or not at all."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from collections.abc import Iterator

STANDARD_OUTPUT: Final = Path("-")


def write_text(file: Path, text: str) -> None:
    """Write a file in UTF-8, "-" to standard output. Exits with 1 when it cannot be written; a file in place stays."""
    with open_whole(file) as stream:
        stream.write(text.encode())


@contextmanager
def open_whole(file: Path) -> Iterator[IO[bytes]]:
    """Open a file that takes its place when all is written; "-" is standard output.

    It can be read by its owner alone. Exits with 1 when it cannot be opened or put in place.
    """
    if file == STANDARD_OUTPUT:
        yield sys.stdout.buffer
        sys.stdout.flush()
        return
    beside = file.with_name(f"{file.name}.{os.getpid()}.part")
    with _telling(file):
        stream = os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")
    try:
        with stream:
            yield stream
        with _telling(file):
            beside.replace(file)
    finally:
        beside.unlink(missing_ok=True)


@contextmanager
def _telling(file: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        click.echo(f"{file}: cannot be written: {error.strerror or error}", err=True)
        raise click.exceptions.Exit(1) from None
