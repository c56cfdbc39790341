"""A circuit breaker per FHIR server: one that keeps failing is left alone for a while.

A clinician waits for every hook. While a server is down, asking it again costs each of them the whole deadline and the
pool its threads; so after some failures in a row answers are refused at once, and one request tries again later.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

FAILURES_TO_OPEN: Final = 5
SECONDS_OPEN: Final = 10.0


@dataclass(slots=True)
class _Circuit:
    failures: int = 0
    closed_until: float = 0.0


class Breaker:
    """Counts failures in a row by server. Safe for threads; every worker keeps its own."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        """Begin with every server trusted."""
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._circuits: dict[str, _Circuit] = {}

    def allows(self, base: str) -> bool:
        """Tell whether a server may be asked now. While it is left alone, one request in `SECONDS_OPEN` may try."""
        with self._lock:
            circuit = self._circuits.get(base)
            if circuit is None or circuit.failures < FAILURES_TO_OPEN:
                return True
            if self._monotonic() < circuit.closed_until:
                return False
            circuit.closed_until = self._monotonic() + SECONDS_OPEN
            return True

    def note(self, base: str, *, answered: bool) -> None:
        """Note whether a server answered at all; an answer of any status shows that it is there."""
        with self._lock:
            if answered:
                self._circuits.pop(base, None)
                return
            circuit = self._circuits.setdefault(base, _Circuit())
            circuit.failures += 1
            circuit.closed_until = self._monotonic() + SECONDS_OPEN
