"""A folder that appears whole or not at all: it is filled beside its place, and put there when all is written."""

from __future__ import annotations

import os
import re
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from cds_service.errors import CohortInputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_UNFINISHED: Final = re.compile(r"\.(.+)\.(\d+)\.unfinished")


def check_free(folder: Path) -> None:
    """Raise CohortInputError where a folder cannot appear: something is there, or its place is no folder."""
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise CohortInputError(f"{folder}: is there already; name another folder, or remove it")
    if not folder.absolute().parent.is_dir():
        raise CohortInputError(f"{folder}: there is no folder {folder.absolute().parent} to make it in")


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """Give a folder to fill, for its owner alone, which takes its place at the end; it is removed on any error.

    What a killed run left beside is removed first. Raises OSError.
    """
    place = folder.absolute()
    _remove_left_over(place)
    beside = place.with_name(f".{place.name}.{os.getpid()}.unfinished")
    beside.mkdir(mode=0o700)
    try:
        yield beside
        beside.rename(place)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _remove_left_over(place: Path) -> None:
    for found in place.parent.glob(f".{place.name}.*.unfinished"):
        match = _UNFINISHED.fullmatch(found.name)
        if match is not None and not _is_running(int(match[2])):
            shutil.rmtree(found, ignore_errors=True)


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True
