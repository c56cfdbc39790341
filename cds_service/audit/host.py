"""Which running system writes a log: processes of one may share a directory, those of two must not."""

from __future__ import annotations

import platform
from pathlib import Path
from typing import Final, NamedTuple

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
