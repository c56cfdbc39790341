"""Files that a configuration names, read once: what follows from them stays as it was when the configuration was read.

A worker that replaces another one is built from the configuration in force. Had it to read the key sets, overlays and
certificates anew, a file that was changed or deleted since would give it others than the workers beside it, or none.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# More than the largest that any reader accepts; readers compare with limits of their own.
MOST_BYTES: Final = 4_194_304

Contents = dict["Path", bytes]

_HELD: ContextVar[Contents | None] = ContextVar("named files", default=None)


@contextmanager
def holding(contents: Contents) -> Iterator[None]:
    """Within it, what `contents` has of a file is what the file holds; what is read besides is added."""
    before = _HELD.set(contents)
    try:
        yield
    finally:
        _HELD.reset(before)


def read_named_file(path: Path) -> bytes:
    """Return what the file holds, up to one byte more than `MOST_BYTES`. Raises OSError or ValueError."""
    held = _HELD.get()
    if held is not None and path in held:
        return held[path]
    with path.open("rb") as stream:
        content = stream.read(MOST_BYTES + 1)
    if held is not None:
        held[path] = content
    return content
