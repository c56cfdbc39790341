"""What an operator should hear of the audit directory and of the files beside it, before or at a start.

Nothing is written, and nothing here stops a start: these are the things that look like no fault and are found years
later. `config check` prints them, a start logs them.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, Final

from cds_service.accounts import account
from cds_service.audit.chain import ChainKey
from cds_service.audit.files import file_names, first_record
from cds_service.audit.keys import read_key
from cds_service.audit.retention import doubt_about_clock
from cds_service.state.installation_key import key_file
from cds_service.state.sqlite_file import database_files, sqlite_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date
    from pathlib import Path

    from cds_service.settings import Settings

_OF_STATE: Final = (
    "state.url",
    "state.url, its write-ahead log",
    "state.url, the index of that",
    "state.url, key of the snoozes",
)


def site_notices(settings: Settings, today: date) -> Iterator[str]:
    """Say what is to be known of the audit log and the state store of a configuration. Raises ConfigurationError."""
    audit, state = settings.audit, sqlite_path(settings.state.url)
    private: dict[str, Path | None] = {
        "audit.hmac_key_file": audit.hmac_key_file,
    }
    if state is not None:
        private |= zip(_OF_STATE, (*database_files(state), key_file(state)), strict=True)
    for index, client in enumerate(settings.clients):
        if client.smart_app is not None:
            place = f"clients.{index}.smart_app"
            private[f"{place}.private_key_file"] = client.smart_app.private_key_file
            private[f"{place}.client_secret_file"] = client.smart_app.client_secret_file
    key = read_key(audit.hmac_key_file) if audit.hmac_key_file is not None else None
    yield from notices(audit.directory, key, audit.retention_days, private, today)
    for path in dict.fromkeys(settings.files):
        if (status := _for_others(path, stat.S_IWOTH)) is not None:
            yield f"{path} can be changed by others ({_mode_and_owner(status)}), and with it whom the service believes"


def notices(
    directory: Path, key: bytes | None, retention_days: int, private: Mapping[str, Path | None], today: date
) -> Iterator[str]:
    """Say what is to be known; `private` are files that others should not read, by the key that names them."""
    for name, path in private.items():
        if path is not None and (status := _for_others(path, stat.S_IRGRP | stat.S_IROTH)) is not None:
            yield f"{name}: {path} can be read by others ({_mode_and_owner(status)}); make it 0600"
    try:
        yield from _of_log(directory, key, retention_days, today)
    except FileNotFoundError:
        yield f"audit.directory: {directory} is not there: a start begins a new log"
    except OSError as error:
        yield f"audit.directory: {directory} cannot be looked at: {error.strerror}"


def _of_log(directory: Path, key: bytes | None, retention_days: int, today: date) -> Iterator[str]:
    names = file_names(directory)
    if not names:
        yield f"audit.directory: {directory} holds no log: a start begins a new one"
        return
    opened = first_record(directory / names[-1])
    if opened is not None and not ChainKey(key).made(opened):
        theirs, ours = (key_id or "none" for key_id in (opened.key_id, ChainKey(key).key_id))
        yield (
            f"audit.hmac_key_file: the newest file, {names[-1]}, has another key ({theirs}, here {ours}): was the key "
            "changed, or does another service write to this directory?"
        )
    doubt = doubt_about_clock(directory, today, retention_days)
    if doubt:
        yield f"audit.directory: is the clock of this host wrong? {doubt}; no expired file is removed"


def _for_others(path: Path, permissions: int) -> os.stat_result | None:
    """Return the status of a file that gives others one of these permissions; None for any other, or none."""
    try:
        status = path.stat()
    except OSError:
        return None
    # A key that its reader does not own, such as one mounted into a container, is read through its group.
    is_own = status.st_uid == os.geteuid()
    return status if status.st_mode & (permissions if is_own else permissions & stat.S_IRWXO) else None


def _mode_and_owner(status: os.stat_result) -> str:
    return f"mode {stat.S_IMODE(status.st_mode):04o}, owner {account(status.st_uid)}"
