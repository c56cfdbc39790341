"""Whether the log and the state store could be written now: tried, for permission bits do not tell.

A read-only mount, a full disk, a quota and an access list are found by writing only. What is written is a file of its
own beside theirs, and is taken away again: neither the lock nor the chain of a running service is touched.
"""

from __future__ import annotations

import os
import secrets
import stat
from typing import TYPE_CHECKING, Final, NamedTuple

from cds_service.accounts import account, own_account
from cds_service.audit.durable import prove_writable
from cds_service.audit.files import file_names
from cds_service.state.sqlite_file import database_files, sqlite_path

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cds_service.settings import Settings

# One file of the log, as large as it grows unless the site says otherwise.
_LITTLE_BYTES: Final = 268_435_456
_MEGABYTE: Final = 1_000_000
_ROOT: Final = 0
_AS_THE_SERVICE: Final = "; run this check as the user of the service, and give it to that user"


class _Place(NamedTuple):
    """A folder that the service writes to, under the key that names it; `files` in it must be writable where they are.

    `is_made` tells that the service makes the folder, with those above it.
    """

    key: str
    folder: Path
    files: tuple[Path, ...]
    is_made: bool


def write_problems(settings: Settings) -> Iterator[str]:
    """Say why a decision could not be recorded or a token not be remembered by the user who runs this."""
    for place in _places(settings):
        why = _why_not(place)
        if why:
            yield f"{place.key}: {why}"


def folder_notices(settings: Settings) -> Iterator[str]:
    """Say what is to be known of the folders: who else may write there, whose they are, and how much room is left."""
    for place in _places(settings):
        try:
            yield from (f"{place.key}: {text}" for text in _of_folder(place))
        except OSError:
            # Not there, or not to be looked at: both are told as problems where they are any.
            continue


def _places(settings: Settings) -> Iterator[_Place]:
    directory = settings.audit.directory
    yield _Place("audit.directory", directory, tuple(_of_log(directory)), is_made=True)
    database = sqlite_path(settings.state.url)
    if database is not None:
        files = tuple(file for file in database_files(database) if file.exists())
        yield _Place("state.url", database.parent, files, is_made=False)


def _of_log(directory: Path) -> Iterator[Path]:
    """Yield the files of a log that are written on."""
    try:
        names = file_names(directory)
    except OSError:
        return
    yield from (directory / name for name in (*names[-1:], "audit.lock") if (directory / name).exists())


def _why_not(place: _Place) -> str:
    """Try it. Empty where all is well."""
    folder = place.folder
    if not place.is_made and not folder.exists():
        return f"the folder {folder} is not there; make it, for the user of the service alone (mode 0700)"
    if folder.exists() and not folder.is_dir():
        return f"{folder} is no folder"
    while not folder.exists():
        folder = folder.parent
    try:
        prove_writable(folder / f".sii-cds-check-{secrets.token_hex(8)}", os.O_EXCL)
    except PermissionError:
        return f"{folder} cannot be written by {own_account()}{_AS_THE_SERVICE}"
    except OSError as error:
        return f"{folder} cannot be written: {error.strerror}"
    for file in place.files:
        if not os.access(file, os.W_OK, effective_ids=True):
            owner = account(file.stat().st_uid)
            return f"{file}, which belongs to {owner}, cannot be written by {own_account()}{_AS_THE_SERVICE}"
    return ""


def _of_folder(place: _Place) -> Iterator[str]:
    status = place.folder.stat()
    mode, owner = stat.S_IMODE(status.st_mode), account(status.st_uid)
    if mode & stat.S_IWOTH:
        yield f"{place.folder} can be written by others (mode {mode:04o}); make it 0700"
    if os.geteuid() == _ROOT != status.st_uid:
        yield f"{place.folder} belongs to {owner}: root may write everywhere, so run this check as {owner} as well"
    for file in place.files:
        whose = file.stat().st_uid
        if whose != status.st_uid:
            yield (
                f"{file} belongs to {account(whose)}, its folder to {owner}: a service of {owner} could not write it; "
                f"was it started as {account(whose)} once? Give the file to {owner}"
            )
    free = os.statvfs(place.folder)
    left = free.f_bavail * free.f_frsize
    if left < _LITTLE_BYTES:
        yield f"the disk of {place.folder} has {left // _MEGABYTE} MB left; make room before it is full"
