"""How much memory large bodies may take in one worker: what is waited for, and what is worked on.

A body is held while it arrives and while its request runs. Decoding it takes many times its size, and gains nothing
from being done for many requests at once, since one thread runs at a time. So there are two budgets: a large one in
bytes of bodies that arrive, so that slow senders do not stop others, and one for those in work, in bytes that the most
crowded body of that size may become. Small bodies are not counted; they are what nearly all requests have.

Figures: docs/decisions/0024-counted-before-decoded.md.
"""

from __future__ import annotations

import ctypes
import threading
from contextlib import suppress
from typing import Final

from cds_service.errors import OverloadedError
from cds_service.undecoded import UNCOUNTED_BYTES, USUAL_BYTES

# Not held up to here; about 140 Observations.
SMALL_BODY_BYTES: Final = 262_144
HELD_BYTES: Final = 67_108_864
# Not weighed up to here: 17 Observations, or 1.5 MB at the worst in each thread.
UNWEIGHED_BYTES: Final = 32_768
WORKED_BYTES: Final = 201_326_592
# What `component: [{}, {}, ...]` takes; longer texts are counted before they are decoded (`undecoded.py`).
_WORST_FACTOR: Final = 45
_UNCOUNTED_KEYS: Final = 5
# As long as the longest that HTTP clients and proxies usually wait for an answer: whether it is worth waiting is theirs
# to say.
PATIENCE_SECONDS: Final = 60.0


# mallopt(3): M_MMAP_THRESHOLD of glibc. Above the size of nearly all bodies, for which mapping memory anew costs time.
_MMAP_THRESHOLD: Final = -3
_MAPPED_BYTES: Final = 1_048_576


def return_large_blocks() -> None:
    """Have the C library give the memory of large bodies back to the system when they are freed.

    Otherwise glibc takes the first large block that is freed for the usual size, keeps all up to that size in its
    heaps, and a worker stays as large as its worst moment. Other C libraries are left alone.
    """
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).mallopt(_MMAP_THRESHOLD, _MAPPED_BYTES)


def weight(size: int) -> int:
    """Return the most bytes of memory that a body of so many bytes takes in work: each prefetch key may be crowded."""
    return max(_WORST_FACTOR * min(size, _UNCOUNTED_KEYS * UNCOUNTED_BYTES), USUAL_BYTES * size)


class Budget:
    """Bytes that may be taken and are given back, by several threads."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._left = total
        self._changed = threading.Condition()

    def take(self, amount: int, seconds: float) -> int:
        """Return what was taken: the amount, or all there is at most. Raises OverloadedError after so many seconds."""
        amount = min(amount, self._total)
        with self._changed:
            if not self._changed.wait_for(lambda: self._left >= amount, seconds):
                raise OverloadedError(log_detail=f"no memory for a body of {amount} bytes within {seconds:g} seconds")
            self._left -= amount
        return amount

    def give(self, amount: int) -> None:
        """Give back what was taken, or a part of it."""
        with self._changed:
            self._left += amount
            self._changed.notify_all()


class BodyMemory:
    """The two budgets of a worker."""

    def __init__(self, max_request_bytes: int, *, seconds: float = PATIENCE_SECONDS) -> None:
        """Give room for one body of the largest size at least."""
        self.largest = max_request_bytes
        self.seconds = seconds
        self.held = Budget(max(HELD_BYTES, max_request_bytes))
        self.worked = Budget(max(WORKED_BYTES, weight(max_request_bytes)))


class BodyShare:
    """What one request takes of the budgets of its worker."""

    def __init__(self, memory: BodyMemory) -> None:
        self._memory = memory
        self._held = 0
        self._worked = 0

    def expect(self, size: int) -> None:
        """Make room for a body before it is received. Raises OverloadedError."""
        if size > SMALL_BODY_BYTES and not self._held:
            self._held = self._memory.held.take(size, self._memory.seconds)

    def received(self, size: int) -> None:
        """Give back what was expected too much, and wait for leave to work on the body. Raises OverloadedError."""
        if self._held > size:
            self._memory.held.give(self._held - size)
            self._held = size
        if size > UNWEIGHED_BYTES and not self._worked:
            self._worked = self._memory.worked.take(weight(size), self._memory.seconds)

    def release(self) -> None:
        """Give back everything: the request is answered."""
        if self._held:
            self._memory.held.give(self._held)
        if self._worked:
            self._memory.worked.give(self._worked)
        self._held = self._worked = 0
