"""Names of files and folders as they are meant on this host: what is meant for another, or for a shell, is told.

Without these checks each of them is a relative path, and a folder called `C:\\sii\\audit` is made beside the file.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pydantic import ValidationInfo

_DRIVE: Final = re.compile(r"[A-Za-z]:(?:[\\/]|$)|\\\\")
_ADDRESS: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/")
_OF_A_SHELL: Final = re.compile(r"~|\$\{?[A-Za-z_]|%[A-Za-z_]+%")


def check_local_path(text: str, info: ValidationInfo | None = None) -> None:
    """Raise ValueError, with a sentence, where a text is no path of this host."""
    if _ADDRESS.match(text):
        instead = "; write it under jwks_url" if info is not None and info.field_name == "jwks_file" else ""
        raise ValueError(f"is an address, where the name of a file or directory belongs{instead}")
    if _OF_A_SHELL.match(text):
        raise ValueError(f'starts with "{text[0]}", which only a shell replaces; write the whole path')
    if os.name == "nt":
        return
    if _DRIVE.match(text):
        raise ValueError("is a path of Windows, and this host has no drives; write one such as /var/lib/sii-cds")
    if "\\" in text:
        raise ValueError(r'holds "\", which separates no directories on this host; write "/"')
