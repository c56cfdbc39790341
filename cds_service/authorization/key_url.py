"""Keys of a client at an address, cached so that an outage of the key server does not stop the hooks.

| age of the keys held | what a request gets |
|---|---|
| below 5 minutes | the keys held |
| above 5 minutes | the keys held, while they are fetched again in the background |
| above 24 hours without a successful fetch | none until a fetch succeeds |

A request waits for a fetch only if it cannot go on otherwise (no keys held, or an unknown `kid`: a new key), or if
nobody asked for ten minutes: then the keys held may have been withdrawn meanwhile.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cds_service.authorization.key_download import TIMEOUT_SECONDS, KeySetAddress, download
from cds_service.authorization.keys import KeySet, KeySetError, VerificationKey, read_key_set

if TYPE_CHECKING:
    from collections.abc import Callable

_log = logging.getLogger(__name__)

REFRESH_SECONDS = 300.0
IDLE_SECONDS = 600.0
DISCARD_SECONDS = 86_400.0
# Whoever sends unknown key ids must not make this service hammer the key server.
FETCH_PAUSE_SECONDS = 30.0
_LONGEST_WAIT_SECONDS = TIMEOUT_SECONDS + 0.5
# A server that never finishes an answer keeps the thread that reads it; it gets no more of them.
_MOST_FETCHES_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class _Held:
    keys: KeySet
    since: float


class KeyUrl:
    """The key set at one address. No lock is held while it is fetched, and one fetch serves all who wait."""

    def __init__(
        self, client_name: str, address: KeySetAddress, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        """Nothing is fetched before the first token asks for a key."""
        self.address = address
        self._client_name = client_name
        self._monotonic = monotonic
        self._held: _Held | None = None
        self._lock = threading.Lock()
        self._fetch_begun: float | None = None
        self._fetch_done = threading.Event()
        self._fetches = threading.BoundedSemaphore(_MOST_FETCHES_AT_ONCE)

    def find(self, key_id: str) -> tuple[VerificationKey, ...]:
        """Give the keys with this id. Raises KeySetError when no key set is held and none can be fetched."""
        held = self._in_force()
        keys = held.find(key_id) if held else ()
        if not keys or self._is_idle():
            self._begin_fetch().wait(_LONGEST_WAIT_SECONDS)
            held = self._in_force()
        elif self._is_due():
            self._begin_fetch()
        if held is None:
            raise KeySetError("no key set")
        return held.find(key_id)

    def _in_force(self) -> KeySet | None:
        held = self._held
        return held.keys if held and self._monotonic() - held.since < DISCARD_SECONDS else None

    def _is_due(self) -> bool:
        return self._held is not None and self._monotonic() - self._held.since >= REFRESH_SECONDS

    def _is_idle(self) -> bool:
        return self._fetch_begun is not None and self._monotonic() - self._fetch_begun >= IDLE_SECONDS

    def _begin_fetch(self) -> threading.Event:
        """Begin a fetch unless one was begun a moment ago; give what tells when the latest is over."""
        now = self._monotonic()
        with self._lock:
            # Counted from the beginning: a fetch that never ends, or was lost in a fork, does not bar the next one.
            is_time = self._fetch_begun is None or now - self._fetch_begun >= FETCH_PAUSE_SECONDS
            if is_time and self._fetches.acquire(blocking=False):
                self._fetch_begun = now
                self._fetch_done = threading.Event()
                threading.Thread(target=self._fetch, args=(self._fetch_done,), name="key-set", daemon=True).start()
            return self._fetch_done

    def _fetch(self, done: threading.Event) -> None:
        try:
            keys = read_key_set(download(self.address))
        except KeySetError as reason:
            _log.warning("keys of client %s not fetched: %s", self._client_name, reason)
        else:
            self._held = _Held(keys, self._monotonic())
            if keys.left_out:
                _log.info("keys of client %s left out: %s", self._client_name, dict(keys.left_out))
        finally:
            self._fetches.release()
            done.set()
