"""The entries of a Bundle, counted while they are undecoded."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

from cds_service.undecoded import USUAL_BYTES, TooDeepError, elements, is_crowded, most_memory

if TYPE_CHECKING:
    from collections.abc import Iterator

# As `acquisition.max_entries` has it by default.
MOST_ENTRIES: Final = 5_000
NOT_READ: Final = b""


class Entries:
    """The entries of a Bundle, `most` of them at most; `is_cut` tells when they are through that there were more.

    Those of a crowded Bundle come one at a time. Together they may take as much memory as a chart of their length: one
    for which too little is left comes as NOT_READ.
    """

    def __init__(self, array: bytes, most: int = MOST_ENTRIES) -> None:
        """Take a JSON array, or null for none."""
        self._array = array if array != b"null" else b"[]"
        self._most = most
        self.is_cut = False

    def __iter__(self) -> Iterator[bytes]:
        """Yield each entry, undecoded."""
        found = elements(self._array)
        first = islice(found, self._most)
        try:
            yield from self._within_memory(first) if is_crowded(self._array) else first
            self.is_cut = next(found, None) is not None
        except TooDeepError:
            self.is_cut = True

    def _within_memory(self, entries: Iterator[bytes]) -> Iterator[bytes]:
        left = USUAL_BYTES * len(self._array)
        for entry in entries:
            needed = most_memory(entry)
            if needed > left:
                yield NOT_READ
            else:
                left -= needed
                yield entry
