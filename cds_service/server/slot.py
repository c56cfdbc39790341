"""One place for a worker: who has it, when it was last heard of, and when it is given to the next."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cds_service.server.backoff import Backoff

if TYPE_CHECKING:
    from granian.server.mp import WorkerProcess

    from cds_service.server.channel import LowerEnd, UpperEnd
    from cds_service.server.in_force import InForce

# Design section 7. A worker says a word a second.
SILENCE_SECONDS: Final = 10.0
# One that computes may be in a single long step, in which no thread of it can speak, on a machine that has little time
# for it. It is not hanging; but no step takes so long.
BUSY_SILENCE_SECONDS: Final = 30.0
# So much of a processor, in the second half of its silence, tells one that computes from one that waits.
_BUSY_CPU_SECONDS: Final = 0.25
_TICKS_A_SECOND: Final = os.sysconf("SC_CLK_TCK")


class Worker:
    """A running worker, as the process above knows it."""

    def __init__(self, process: WorkerProcess, channel: UpperEnd, below: LowerEnd, has: InForce, now: float) -> None:
        """Know a worker that is about to start with the configuration `has`."""
        self.process = process
        self.channel = channel
        self.below = below
        self.has = has
        # What it was sent and has not answered yet.
        self.trying: InForce | None = None
        self.is_ready = False
        self.started = now
        self.heard = now
        # What it had computed when it began to be missed.
        self._computed_then: float | None = None

    @property
    def pid(self) -> int:
        """Return its process number."""
        return int(self.process.inner.pid or 0)

    def descriptors(self) -> tuple[int, int]:
        """Return what to wait for: its words and its end."""
        return self.channel.fileno(), self.process.inner.sentinel

    @property
    def has_exited(self) -> bool:
        """Whether its process has come to an end; its exit code is known then."""
        return self.process.inner.exitcode is not None

    def hangs(self, now: float) -> bool:
        """Whether it said nothing for so long that it hangs. To be asked every second or so."""
        silence = now - self.heard
        if silence < SILENCE_SECONDS / 2:
            self._computed_then = None
            return False
        if self._computed_then is None:
            self._computed_then = computed_seconds(self.pid)
        if silence < SILENCE_SECONDS:
            return False
        is_busy = computed_seconds(self.pid) - self._computed_then >= _BUSY_CPU_SECONDS
        return not is_busy or silence >= BUSY_SILENCE_SECONDS

    def kill(self) -> None:
        """End it at once."""
        self.process.inner.kill()

    def send(self, in_force: InForce) -> None:
        """Hand it a configuration, to be answered with a word."""
        self.trying = in_force
        self.channel.send(in_force)

    def close(self) -> None:
        """Close what is left of it."""
        self.channel.close()
        self.process.inner.close()


class Slot:
    """A place. It is empty while the next worker waits for its turn."""

    def __init__(self, index: int, now: float) -> None:
        self.index = index
        self.worker: Worker | None = None
        self.due = now
        self._backoff = Backoff()

    def is_due(self, now: float) -> bool:
        """Whether a worker is to be started now."""
        return self.worker is None and now >= self.due

    def empty(self, now: float, lived_seconds: float) -> float:
        """Take note that its worker lived so long; return the pause until the next."""
        self.worker = None
        pause = self._backoff.pause(lived_seconds)
        self.due = now + pause
        return pause


def computed_seconds(pid: int) -> float:
    """Return how long a process has used a processor, over all its threads; 0 where that cannot be told."""
    try:
        # proc(5): user and system time are fields 14 and 15; the second, the name, may hold anything but ends with ")".
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS_A_SECOND
    except (OSError, ValueError, IndexError):
        return 0.0
