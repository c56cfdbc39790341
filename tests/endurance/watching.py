"""What the system says about the workers: memory, open files, threads."""

from __future__ import annotations

import re
import time
from contextlib import suppress
from pathlib import Path
from statistics import mean
from typing import Final, NamedTuple

STATE_FILE: Final = "/state.db"


class Sample(NamedTuple):
    """A worker at a moment (seconds of the monotonic clock). Memory in MB; `files` without those of the state store."""

    time: float
    rss: float
    files: int
    threads: int
    state_files: int


def sample(pid: int) -> Sample:
    """Look at a worker now."""
    status = Path(f"/proc/{pid}/status").read_text()
    names = [_target(link) for link in Path(f"/proc/{pid}/fd").iterdir()]
    state_files = sum(STATE_FILE in name for name in names)
    return Sample(
        time.monotonic(),
        _number(status, "VmRSS") / 1024,
        len(names) - state_files,
        _number(status, "Threads"),
        state_files,
    )


def _target(link: Path) -> str:
    with suppress(FileNotFoundError):
        return str(link.readlink())
    return "closed meanwhile"


def _number(status: str, name: str) -> int:
    found = re.search(rf"^{name}:\s+(\d+)", status, re.MULTILINE)
    assert found is not None
    return int(found[1])


def growth(values: list[float]) -> float:
    """Return by how much the last fifth exceeds the second one: what came after warming up."""
    fifth = max(1, len(values) // 5)
    return mean(values[-fifth:]) - mean(values[fifth : 2 * fifth] or values[:1])
