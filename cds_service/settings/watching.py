"""Notices that the configuration changed: by SIGHUP, or because its files did.

A Kubernetes ConfigMap is swapped by replacing a link, so files are compared as their links lead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

# What changes when a file, the target of its link or its permissions change: device, inode, times and size. None: it is
# not there.
Identity = tuple[int, int, int, int, int] | None


def identify(path: Path) -> Identity:
    """Return what a file is now. To be taken before the file is read, or a change in between goes unnoticed."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_mtime_ns, found.st_ctime_ns, found.st_size


class ConfigurationWatcher:
    """Calls `on_change` once for each change. To be asked again and again, once a second or so."""

    def __init__(
        self,
        files: Callable[[], Iterable[Path]],
        on_change: Callable[[], None],
        known: Mapping[Path, Identity],
    ) -> None:
        """Keep what to watch; `files` is asked each time, since a reload may name others.

        `known` are identities taken before the files were read; others are taken for unchanged now.
        """
        self._files = files
        self._on_change = on_change
        self._told = False
        self._seen = self._look() | dict(known)
        self._last = self._seen

    def tell(self) -> None:
        """Ask for a reload whether or not a file changed."""
        self._told = True

    def check(self) -> None:
        """Call `on_change` if that was asked for, or if a file changed and is as it was at the look before.

        Many editors and tools write a file in place. Half of one may be a valid configuration: with another cut-off.
        """
        now = self._look()
        changed = any(path not in self._seen or self._seen[path] != identity for path, identity in now.items())
        is_settled, self._last = now == self._last, now
        if not self._told and not (changed and is_settled):
            return
        self._told = False
        # Before the reload: what changes while it reads is found the next time. So is a file it newly names.
        self._seen = now
        self._on_change()

    def _look(self) -> dict[Path, Identity]:
        return {path: identify(path) for path in self._files()}
