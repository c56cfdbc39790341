"""A circuit breaker per FHIR server: one that keeps failing is left alone for a while.

A clinician waits for every hook. While a server is down, asking it again costs each of them the whole deadline and the
pool its threads; so after some failures in a row requests are refused at once, and now and then one hook tries again.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

# Two hooks that wait in vain.
FAILURES_TO_OPEN: Final = 5
SECONDS_OPEN: Final = 5.0
# What one hook asks at once, so that the hook that finds the server back is answered.
TRIES: Final = 5


@dataclass(slots=True)
class _Circuit:
    failures: int = 0
    open_until: float = 0.0
    tries_left: int = 0


class NoBreaker:
    """Leaves no server alone: who waits for a page asked for it himself, and asks again if it does not come."""

    def allows(self, base: str) -> bool:  # noqa: ARG002  as of a Breaker
        """Allow every request."""
        return True

    def note_answer(self, base: str) -> None:
        """Remember nothing."""

    def note_failure(self, base: str) -> None:
        """Remember nothing."""


class Breaker:
    """Counts failures in a row by server. Safe for threads; every worker keeps its own."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._circuits: dict[str, _Circuit] = {}

    def allows(self, base: str) -> bool:
        """Tell whether a server may be asked now. While it is left alone, `TRIES` requests in `SECONDS_OPEN` may."""
        with self._lock:
            circuit = self._circuits.get(base)
            if circuit is None or circuit.failures < FAILURES_TO_OPEN:
                return True
            if self._monotonic() >= circuit.open_until:
                circuit.open_until = self._monotonic() + SECONDS_OPEN
                circuit.tries_left = TRIES
            circuit.tries_left -= 1
            return circuit.tries_left >= 0

    def note_answer(self, base: str) -> None:
        """Note that a server answered. A refusal shows as well that it is there."""
        with self._lock:
            self._circuits.pop(base, None)

    def note_failure(self, base: str) -> None:
        """Note that a server did not answer, or with a failure of its own."""
        with self._lock:
            circuit = self._circuits.setdefault(base, _Circuit())
            circuit.failures += 1
            circuit.tries_left = 0
            circuit.open_until = self._monotonic() + SECONDS_OPEN
