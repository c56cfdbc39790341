"""Which running system writes a log, and who else does: another host, or another service with another key.

Processes of one system may share a directory, those of two must not.
"""

from __future__ import annotations

import logging
import platform
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from cds_service.audit.chain import ChainKey
    from cds_service.audit.files import Tail


# Changes with every boot; all containers of one system see the same. Linux; elsewhere hosts are not told apart.
_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")


class Host(NamedTuple):
    """The name of a host, for people, and the id of its running system, empty where there is none."""

    name: str
    boot: str


def this_host() -> Host:
    """Return the host of this process."""
    try:
        boot = _BOOT_ID.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        boot = ""
    return Host(platform.node(), boot)


_log = logging.getLogger(__name__)

_SECONDS_BETWEEN_COMPLAINTS: Final = 60.0


class Neighbours:
    """What a writer of this host, with this key, thinks of the newest file; `directory` is for the log."""

    def __init__(self, directory: object, key: ChainKey, host: Host) -> None:
        self._directory = directory
        self._key = key
        self._host = host
        self._told = -_SECONDS_BETWEEN_COMPLAINTS

    def meet(self, tail: Tail, *, has_written: bool) -> None:
        """Look at who wrote the newest file; `has_written` tells that this writer has, too.

        Raises BlockingIOError beside another host: locks and sizes seen over a network file system do not suffice. A
        log that another host, or this one before it was booted, has left behind is continued.
        """
        opened = tail.opened
        if opened is None:
            return
        if has_written and self._host.boot and opened.boot not in ("", self._host.boot):
            raise BlockingIOError(
                f"host {opened.host} writes to this directory too, besides {self._host.name}: "
                "each host needs an audit directory of its own"
            )
        if not self._key.made(opened):
            self._tell_of_key(tail.file, opened.key_id, has_written=has_written)

    def _tell_of_key(self, file: str, key_id: str | None, *, has_written: bool) -> None:
        """Say that the newest file has another key: changed at a start, or that of a second service beside this one.

        The second is no reason to refuse hooks, though each of the two begins a file for every turn it takes.
        """
        keys = f"{key_id or 'none'}, here {self._key.key_id or 'none'}"
        if not has_written:
            _log.warning("audit file %s was chained with another key (%s)", file, keys)
        elif monotonic() - self._told > _SECONDS_BETWEEN_COMPLAINTS:
            self._told = monotonic()
            _log.error("another service writes to audit directory %s with another key (%s)", self._directory, keys)
