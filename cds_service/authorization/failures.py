"""Failed attempts, limited by the address they come from, without locking out a good client behind the same address.

Each address has a budget for each client it claims to be: thirty failures at once, then one every two seconds. Beyond
it, tokens are refused unread, unless that client proved itself from that address within the last hour: a wrong
configuration, or somebody else behind the same proxy, must not silence the EHR. The caller sees the same 401 as ever.

Kept in memory, by each worker for itself: a shared count would cost a write to the database for every forged token.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from enum import Enum, auto
from functools import lru_cache
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Final

BURST: Final = 30.0
PER_SECOND: Final = 0.5
PROOF_SECONDS: Final = 3600.0
# About 3 MB. Whoever has more addresses pushes out those not seen the longest.
MOST_PLACES: Final = 10_000
# What one subscriber gets: within it, addresses are free.
_IPV6_PREFIX: Final = 64


@dataclass(slots=True)
class _Place:
    """`is_limited` until half the budget is there again: one alarm for one flood."""

    left: float
    counted_at: float
    proved_at: float | None = None
    is_limited: bool = False


class Standing(Enum):
    """Whether a failure is within the budget of its address."""

    WITHIN = auto()
    FIRST_BEYOND = auto()
    BEYOND = auto()


class FailureLimit:
    """Budgets of failures by address and claimed client; times in seconds since 1970. Safe between threads."""

    def __init__(self) -> None:
        self._places: OrderedDict[tuple[str, str | None], _Place] = OrderedDict()
        self._lock = threading.Lock()

    def allows(self, address: str, client_name: str | None, now: float) -> bool:
        """Tell whether a token of this client from this address is to be read at all."""
        place = self._places.get((_subscriber(address), client_name))
        if place is None:
            return True
        is_proved = place.proved_at is not None and now - place.proved_at <= PROOF_SECONDS
        return is_proved or _budget(place, now) >= 1

    def note_failure(self, address: str, client_name: str | None, now: float) -> Standing:
        """Take a failure off the budget, if it still covers it."""
        with self._lock:
            place = self._place(address, client_name, now)
            left, place.counted_at = _budget(place, now), now
            if left >= 1:
                place.left = left - 1
                place.is_limited = place.is_limited and left < BURST / 2
                return Standing.WITHIN
            place.left = left
            was_limited, place.is_limited = place.is_limited, True
        return Standing.BEYOND if was_limited else Standing.FIRST_BEYOND

    def note_success(self, address: str, client_name: str, now: float) -> None:
        """Remember that this client works from this address."""
        with self._lock:
            self._place(address, client_name, now).proved_at = now

    def _place(self, address: str, client_name: str | None, now: float) -> _Place:
        key = (_subscriber(address), client_name)
        place = self._places.get(key)
        if place is None:
            place = self._places[key] = _Place(BURST, now)
            if len(self._places) > MOST_PLACES:
                self._places.popitem(last=False)
        self._places.move_to_end(key)
        return place


def _budget(place: _Place, now: float) -> float:
    # A clock that was set back gives nothing and takes nothing.
    return min(BURST, place.left + max(0.0, now - place.counted_at) * PER_SECOND)


@lru_cache(maxsize=1024)
def _subscriber(address: str) -> str:
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is None:
        return str(IPv6Network((parsed, _IPV6_PREFIX), strict=False))
    return address
