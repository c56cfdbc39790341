"""The accounts of this host, by name where they have one."""

from __future__ import annotations

import os
import pwd


def account(number: int) -> str:
    """Return the name of a user of this host; the number where it has none, as in many containers."""
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"uid {number}"


def own_account() -> str:
    """Return the name of the user who runs this process."""
    return account(os.geteuid())
