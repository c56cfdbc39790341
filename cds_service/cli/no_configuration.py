"""What is said where the configuration is missing or cannot be opened: what was looked for, where, and the remedy."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from cds_service.accounts import own_account

if TYPE_CHECKING:
    from collections.abc import Iterator

CONFIG_VARIABLE: Final = "SII_CDS_CONFIG"
USUAL_NAME: Final = Path("sii-cds.yaml")

_DIRECTORY_OPTIONS: Final = frozenset({"directory", "directories"})


def no_configuration() -> Iterator[str]:
    """Say that no file was named, and what to do."""
    is_empty = CONFIG_VARIABLE in os.environ and not os.environ[CONFIG_VARIABLE]
    of_variable = f"{CONFIG_VARIABLE} is set, but empty" if is_empty else f"{CONFIG_VARIABLE} is not set"
    yield f"There is no configuration: no --config FILE was given, and {of_variable}."
    # Never taken by itself: which file is in force must not depend on the directory that a command is called from.
    if _is_file(USUAL_NAME):
        yield f"{USUAL_NAME} is in this directory, and is not taken unless it is named: --config {USUAL_NAME}"
    else:
        yield f"Name the file with --config FILE, or make a first one: sii-cds config init {USUAL_NAME}"
    if any(parameter.name in _DIRECTORY_OPTIONS for parameter in click.get_current_context().command.params):
        yield "A log outside any configuration is named with --directory DIR."


def unreadable_configuration(path: Path, error: OSError | ValueError) -> Iterator[str]:
    """Say where a file that cannot be opened was looked for, and what to do."""
    named_by = f", named by {CONFIG_VARIABLE}" if os.environ.get(CONFIG_VARIABLE) == str(path) else ""
    match error:
        case FileNotFoundError() | NotADirectoryError():
            yield f"It was looked for at {path.absolute()}{named_by}."
            yield from _of_missing(path)
        case IsADirectoryError():
            yield f"Name the file in it, such as {path / USUAL_NAME}{named_by}."
        case PermissionError():
            yield f"This runs as {own_account()}, who must be able to read it and to enter its folders{named_by}."
        case _:
            if named_by:
                yield f"It is{named_by.removeprefix(',')}."


def _of_missing(path: Path) -> Iterator[str]:
    if path.parts[:1] == ("~",):
        yield 'Nobody put your home directory in the place of "~": write the path in full.'
        return
    other = path.with_suffix({".yaml": ".yml", ".yml": ".yaml"}.get(path.suffix, ".yaml"))
    if _is_file(other):
        yield f"{other} is there: was it meant?"
    elif not path.parent.is_dir():
        yield f"The directory {path.parent} is not there."
    else:
        yield f"Correct the name, or make a first file: sii-cds config init {path}"


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False
