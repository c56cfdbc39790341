"""What the kernel tells of processes. `ps` is not on every machine."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path


def children(pid: int) -> tuple[int, ...]:
    """Return the processes that the main thread of a process has as children; none when it is gone."""
    with suppress(FileNotFoundError, ProcessLookupError):
        return tuple(int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
    return ()
