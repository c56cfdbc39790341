"""When a worker that ended is replaced: at once, and later each time when its successors end soon after their start."""

from __future__ import annotations

from typing import Final

# A worker that lived so long was not killed by its own start.
STEADY_SECONDS: Final = 10.0
FIRST_PAUSE_SECONDS: Final = 0.5
LONGEST_PAUSE_SECONDS: Final = 10.0


class Backoff:
    """The pauses of one place. There is no end to them."""

    def __init__(self) -> None:
        self._short_lives = 0

    def pause(self, lived_seconds: float) -> float:
        """Return for how many seconds the place of a worker that lived so long stays empty."""
        if lived_seconds >= STEADY_SECONDS:
            self._short_lives = 0
            return 0.0
        self._short_lives += 1
        if self._short_lives == 1:
            return 0.0
        doubled = min(self._short_lives - 2, 10)
        return min(FIRST_PAUSE_SECONDS * 2.0**doubled, LONGEST_PAUSE_SECONDS)
