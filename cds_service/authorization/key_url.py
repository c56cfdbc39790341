"""Keys of a client at an address, cached so that an outage of the key server does not stop the hooks.

| age of the keys held | what a request gets |
|---|---|
| below 5 minutes | the keys held |
| above 5 minutes | the keys held, while they are fetched again in the background |
| above 24 hours without a successful fetch | none until a fetch succeeds |
| any, and the address lists no usable key any more | none until it lists one: what it listed is withdrawn |

A serving worker also fetches without being asked (`keep_fresh`), so the keys held are those of five minutes ago at
most while the key server answers. A request waits for a fetch only where no key held has its `kid`.
"""

from __future__ import annotations

import logging
import threading
import time
import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import requests
from urllib3.exceptions import HTTPError

from cds_service.authorization.keys import (
    MAX_KEY_SET_BYTES,
    KeysByAlgorithm,
    KeySet,
    KeySetError,
    NoUsableKeyError,
    read_key_set,
)
from cds_service.authorization.observing import SilentObserver, TrustObserver
from cds_service.outgoing import NOT_FROM_A_CACHE, closed_session, other_scheme, seconds_to_wait

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_log = logging.getLogger(__name__)

# For connecting and for each piece that arrives. Nobody waits longer, even for a server that sends byte by byte.
TIMEOUT_SECONDS = 2.0
# For all pieces together: a server that sends byte by byte is given up too.
LONGEST_SECONDS = 10.0
# Requests with an unknown key wait meanwhile.
_LONGEST_PATIENCE_SECONDS = 1.0
_CHUNK_BYTES = 65_536
_HEADERS: Final = {
    "Accept": "application/jwk-set+json, application/json",
    "Accept-Encoding": "identity",
    **NOT_FROM_A_CACHE,
}


@dataclass(frozen=True, slots=True)
class KeySetAddress:
    """Where a key set is published, and the way there: own certificate authorities, a proxy for https."""

    url: str
    ca_file: Path | None = None
    proxy: str | None = None


def download(address: KeySetAddress) -> bytes:
    """Get a key set. Raises KeySetError; a redirect counts as a failure, since it would lead to another address."""
    with closed_session(address.ca_file, address.proxy) as session:
        try:
            with _patient_request(session, address.url) as response:
                if response.status_code != requests.codes.ok:
                    raise KeySetError(f"status {response.status_code}")
                return _body(response)
        except (OSError, HTTPError) as error:
            # Of requests, of the library below it, and of a file of authorities that is gone or holds none.
            raise KeySetError(": ".join(filter(None, (type(error).__name__, other_scheme(error))))) from None


def _patient_request(session: requests.Session, url: str) -> requests.Response:
    """Ask, and once more where the server asks for a moment."""
    response = _request(session, url)
    seconds = seconds_to_wait(response.status_code, response.headers)
    if seconds is None or seconds > _LONGEST_PATIENCE_SECONDS:
        return response
    response.close()
    time.sleep(seconds)
    return _request(session, url)


def _request(session: requests.Session, url: str) -> requests.Response:
    return session.get(url, headers=_HEADERS, timeout=TIMEOUT_SECONDS, stream=True)


def _body(response: requests.Response) -> bytes:
    body, end = bytearray(), time.monotonic() + LONGEST_SECONDS
    while part := response.raw.read1(_CHUNK_BYTES, decode_content=True):
        body += part
        if time.monotonic() > end:
            raise KeySetError(f"not complete after {LONGEST_SECONDS:.0f} s")
        if len(body) > MAX_KEY_SET_BYTES:
            raise KeySetError("larger than 1 MB")
    return bytes(body)


REFRESH_SECONDS = 300.0
DISCARD_SECONDS = 86_400.0
_MOST_DOUBLINGS = 4
# Whoever sends unknown key ids must not make this service hammer the key server.
FETCH_PAUSE_SECONDS = 30.0
# Counted from the beginning of a fetch: unknown key ids must not hold threads either, whatever the key server does.
_LONGEST_WAIT_SECONDS = TIMEOUT_SECONDS + 0.5
# So many wait at a time in one worker, for whichever key server. Who waits has not proved who he is, and holds a thread
# that a client may need: the others are told at once that their key is not known.
_MOST_WAITING = 8
_WAITING = threading.BoundedSemaphore(_MOST_WAITING)
# A server that never finishes an answer keeps the thread that reads it; it gets no more of them.
_MOST_FETCHES_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class _Held:
    keys: KeySet
    since: float


class KeyUrl:
    """The key set at one address. No lock is held while it is fetched, and one fetch serves all who wait."""

    def __init__(
        self,
        client_name: str,
        address: KeySetAddress,
        monotonic: Callable[[], float] = time.monotonic,
        observer: TrustObserver | None = None,
    ) -> None:
        """Nothing is fetched before `keep_fresh` or the first token that asks for a key."""
        self.address = address
        self._client_name = client_name
        self._monotonic = monotonic
        self._observer = observer or SilentObserver()
        self._held: _Held | None = None
        self._lock = threading.Lock()
        self._fetch_begun: float | None = None
        self._asked_for: float | None = None
        self._fetch_done = threading.Event()
        self._fetches = threading.BoundedSemaphore(_MOST_FETCHES_AT_ONCE)
        self._failures = 0
        self._is_kept_fresh = False

    def find(self, key_id: str) -> KeysByAlgorithm | None:
        """Return the keys with this id.

        Raises KeySetError when no key set is held and none can be fetched.
        """
        held = self._in_force()
        if held and (keys := held.find(key_id)) is not None:
            if self._is_due():
                self._begin_fetch()
            return keys
        self._wait_for(self._begin_fetch(for_unknown_key=True))
        held = self._in_force()
        if held is None:
            raise KeySetError("no key set")
        return held.find(key_id)

    def keep_fresh(self) -> None:
        """Fetch now and from time to time, in the background, until this object is no longer used."""
        if not self._is_kept_fresh:
            self._is_kept_fresh = True
            threading.Thread(target=_keep_fresh, args=(weakref.ref(self),), name="keep-keys", daemon=True).start()

    def refresh(self) -> float:
        """Fetch, and give the seconds until the next time: soon after a failure, then less and less often."""
        if not self._begin_fetch().wait(FETCH_PAUSE_SECONDS):
            self._note_failure("the server does not finish its answer")
        # Days of outage are thousands of failures.
        doublings = min(self._failures, _MOST_DOUBLINGS)
        return min(REFRESH_SECONDS, FETCH_PAUSE_SECONDS * 2**doublings) if doublings else REFRESH_SECONDS

    def _in_force(self) -> KeySet | None:
        held = self._held
        return held.keys if held and self._monotonic() - held.since < DISCARD_SECONDS else None

    def _is_due(self) -> bool:
        return self._held is not None and self._monotonic() - self._held.since >= REFRESH_SECONDS

    def _wait_for(self, fetch: threading.Event) -> None:
        # Before the first answer of the key server clients have nothing but to wait.
        is_first = self._held is None and not self._failures
        if not is_first and not _WAITING.acquire(blocking=False):
            return
        try:
            begun = self._fetch_begun or 0.0
            fetch.wait(max(0.0, begun + _LONGEST_WAIT_SECONDS - self._monotonic()))
        finally:
            if not is_first:
                _WAITING.release()

    def _begin_fetch(self, *, for_unknown_key: bool = False) -> threading.Event:
        """Begin a fetch unless one was begun a moment ago; give what tells when the latest is over.

        A key id that nobody knows has a pause of its own: a key that is new is to be had also right after a fetch that
        nobody asked for.
        """
        now = self._monotonic()
        with self._lock:
            latest = self._asked_for if for_unknown_key and self._fetch_done.is_set() else self._fetch_begun
            # Counted from the beginning: a fetch that never ends, or was lost in a fork, does not bar the next one.
            is_time = latest is None or now - latest >= FETCH_PAUSE_SECONDS
            if is_time and self._fetches.acquire(blocking=False):
                self._fetch_begun = now
                self._asked_for = now if for_unknown_key else self._asked_for
                self._fetch_done = threading.Event()
                threading.Thread(target=self._fetch, args=(self._fetch_done,), name="key-set", daemon=True).start()
            return self._fetch_done

    def _fetch(self, done: threading.Event) -> None:
        try:
            keys = read_key_set(download(self.address))
        except KeySetError as reason:
            if isinstance(reason, NoUsableKeyError):
                self._held = None
            self._note_failure(str(reason))
        else:
            if self._failures:
                _log.info("keys of client %s fetched again", self._client_name)
            self._failures = 0
            self._held = _Held(keys, self._monotonic())
            self._observer.count_key_set(self._client_name, usable=True)
            for remark in keys.remarks():
                _log.info("key set of client %s: %s", self._client_name, remark)
        finally:
            self._fetches.release()
            done.set()

    def _note_failure(self, reason: str) -> None:
        self._failures += 1
        self._observer.count_key_set(self._client_name, usable=False)
        _log.error("keys of client %s not fetched: %s; %s", self._client_name, reason, self._what_serves())

    def _what_serves(self) -> str:
        held = self._held
        if held is None or self._in_force() is None:
            return "its tokens are refused"
        age = self._monotonic() - held.since
        return f"those of {age / 60:.0f} min ago serve on for {(DISCARD_SECONDS - age) / 3600:.1f} h at most"


def _keep_fresh(reference: weakref.ref[KeyUrl]) -> None:
    while (keys := reference()) is not None:
        pause = keys.refresh()
        # Not held while asleep: what a reload replaced is to go.
        del keys
        time.sleep(pause)
