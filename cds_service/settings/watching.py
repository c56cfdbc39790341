"""Notices that the configuration changed: by SIGHUP, or because its files did.

Every worker watches for itself, so that a broken file can never take the service down: the server's own reload would
start new workers, and those would fail. A Kubernetes ConfigMap is swapped by replacing a link, so files are compared as
their links lead.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

CHECK_SECONDS: Final = 1.0

_Fingerprint = tuple[tuple[int, int, int, int] | None, ...]


class ConfigurationWatcher:
    """Calls `on_change` from a thread of its own, once for each change. `on_change` must not raise."""

    def __init__(self, files: Callable[[], Iterable[Path]], on_change: Callable[[], None]) -> None:
        """Keep what to watch; `files` is asked each time, since a reload may name others."""
        self._files = files
        self._on_change = on_change
        self._told = threading.Event()
        self._seen = self._fingerprint()

    def start(self, seconds: float = CHECK_SECONDS) -> None:
        """Begin to watch. The thread ends with the process."""
        threading.Thread(target=self._watch, args=(seconds,), name="configuration", daemon=True).start()

    def tell(self) -> None:
        """Ask for a reload whether or not a file changed; may be called from a signal handler."""
        self._told.set()

    def check(self) -> None:
        """Call `on_change` if that was asked for or a file changed since the last time."""
        now = self._fingerprint()
        if not self._told.is_set() and now == self._seen:
            return
        self._told.clear()
        self._on_change()
        # After the reload, which may have named other files.
        self._seen = self._fingerprint()

    def _watch(self, seconds: float) -> None:
        while True:
            self._told.wait(seconds)
            self.check()

    def _fingerprint(self) -> _Fingerprint:
        return tuple(_identity(path) for path in self._files())


def _identity(path: Path) -> tuple[int, int, int, int] | None:
    """Return what changes when a file or the target of its link changes; None for one that is not there."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size
