"""Keys of a client in a file, for sites that exchange keys out of band (requirement 167)."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from cds_service.authorization.keys import (
    MAX_KEY_SET_BYTES,
    KeysByAlgorithm,
    KeySet,
    KeySetError,
    NoUsableKeyError,
    read_key_set,
)
from cds_service.authorization.observing import SilentObserver, TrustObserver
from cds_service.settings.named_files import read_named_file

if TYPE_CHECKING:
    from pathlib import Path

_log = logging.getLogger(__name__)

# What changes when a file is written, replaced or made readable, or its link is pointed elsewhere.
_Mark = tuple[int, int, int, int, int]


class KeyFile:
    """A JWK Set file, read again when it changes.

    A new version that cannot be read leaves the old keys in force; one that lists no usable key withdraws them.
    """

    def __init__(self, client_name: str, path: Path, observer: TrustObserver | None = None) -> None:
        """Read the file. Raises KeySetError when it cannot be used."""
        self._observer = observer or SilentObserver()
        self._client_name = client_name
        self._path = path
        self._mark: _Mark | None = None
        self._held: KeySet | None = self._read()

    def find(self, key_id: str) -> KeysByAlgorithm | None:
        """Return the keys with this id, from the file as it is now. Raises KeySetError when it lists none at all."""
        if self._mark != self._mark_now():
            try:
                self._held = self._read()
            except KeySetError as reason:
                self._observer.count_key_set(self._client_name, usable=False)
                if isinstance(reason, NoUsableKeyError):
                    self._held = None
                _log.error("keys of client %s not read again: %s; %s", self._client_name, reason, self._what_serves())
        if self._held is None:
            raise KeySetError("the file lists no usable key")
        return self._held.find(key_id)

    def remarks(self) -> tuple[str, ...]:
        """Return remarks for whoever maintains the file."""
        return tuple(self._held.remarks()) if self._held is not None else ()

    def _what_serves(self) -> str:
        return "its tokens are refused" if self._held is None else "the old ones stay"

    def _mark_now(self) -> _Mark | None:
        try:
            status = self._path.stat()
        except OSError:
            return None
        return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns

    def _read(self) -> KeySet:
        # The mark is taken first: a file that changes while it is read is read once more.
        self._mark = self._mark_now()
        try:
            text = read_named_file(self._path)
        except OSError as error:
            raise KeySetError(f"the file cannot be read: {error.strerror}") from None
        if len(text) > MAX_KEY_SET_BYTES:
            raise KeySetError("larger than 1 MB")
        held = read_key_set(text)
        for remark in held.remarks():
            _log.info("key set of client %s: %s", self._client_name, remark)
        self._observer.count_key_set(self._client_name, usable=True)
        return held
