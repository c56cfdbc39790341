"""In every file the limits that its records were made under, so that no other file is needed to recompute them.

Files are deleted after their retention time, and a start may fail to write; a record that says what was in force must
not be lost with either. Each process states its own limits: during a reload they differ from one to the next.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable


class Payload(NamedTuple):
    """An encoded record, and the encoded configuration record under which it was made; either may be empty.

    Without record, the log is made ready and the limits are stated.
    """

    record: bytes
    limits: bytes


class StatedLimits:
    """Which configuration records this process has written to the newest file."""

    def __init__(self) -> None:
        self._stated: tuple[str, frozenset[bytes]] = ("", frozenset())

    def before_records(self, file: str, payloads: Iterable[Payload]) -> list[bytes]:
        """Return the records to write to a file, limits that it may not hold yet before the first that needs them."""
        known, records = self._in(file), []
        for record, limits in payloads:
            if limits and limits not in known:
                known |= {limits}
                records.append(limits)
            if record:
                records.append(record)
        return records

    def note(self, file: str, payloads: Iterable[Payload]) -> None:
        """Remember what is durable."""
        known = self._in(file)
        for _, limits in payloads:
            if limits not in known:
                self._stated = file, known | {each.limits for each in payloads}
                return

    def _in(self, file: str) -> frozenset[bytes]:
        stated_in, stated = self._stated
        return stated if stated_in == file else frozenset()
