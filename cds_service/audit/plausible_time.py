"""What the days of a log say about the clock: a log goes on from day to day, and a clock that is wrong jumps.

Nothing here reads a clock. A log whose service was off for months jumps as well; so a jump is a doubt, and ends when
the days come back to where they were, or have gone on for long enough from where they are.

Whether files were removed by a clock that was right, the records before and after the removal tell: those of calls, for
what the log writes about itself has the same reading of the clock as the removal.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Final, NamedTuple

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from cds_service.audit.bookkeeping import RemovedRecord

# Within it a service may have been off, or nobody may have opened a chart. A tenth of the retention time, so that a
# clock that is wrong by less shortens that by no more; a quarter of a year is enough for any service that is in use.
_SHORTEST_PATIENCE: Final = 7
_LONGEST_PATIENCE: Final = 90


class Leap(NamedTuple):
    """Two days that follow each other in a log, though much lies between them."""

    before: date
    after: date


def patience(retention_days: int | None) -> int:
    """Return how many days may lie between two records before the clock is doubted."""
    if retention_days is None:
        return _LONGEST_PATIENCE
    return max(_SHORTEST_PATIENCE, min(_LONGEST_PATIENCE, retention_days // 10))


def open_leap(days: Sequence[date], patience_days: int) -> Leap | None:
    """Return the leap of a log that nobody can explain yet; `days` are in the order of the log, the last is today.

    A day before the one it follows is no leap: of a clock that was behind, only coming back looks like one.
    """
    if not days:
        return None
    trusted, leap = days[0], None
    for day in days[1:]:
        if (day - trusted).days <= patience_days:
            # Where it should be, or back there: the clock had been wrong for a while.
            trusted, leap = max(trusted, day), None
        elif leap is None:
            leap = Leap(trusted, day)
        elif (day - leap.after).days >= patience_days:
            # Went on from there for so long: the service had been off.
            trusted, leap = day, None
    return leap


def lived_days(days: Sequence[date], patience_days: int) -> list[int]:
    """Return for each day how many days the log has gone on since then, whatever its clock says.

    Each step counts for as many days as patience allows, forwards and backwards: one wrong reading adds a little, and
    its correction takes that away again.
    """
    lived = [0]
    for earlier, later in pairwise(reversed(days)):
        lived.append(lived[-1] + max(-patience_days, min((earlier - later).days, patience_days)))
    return lived[::-1]


# Other kinds of record are the log's own, or repeat an earlier time (configuration).
CALLS: Final = frozenset({"hook", "view", "feedback"})
_DAY: Final = timedelta(days=1)
_PATIENCE: Final = timedelta(days=patience(None))


class _Timed(msgspec.Struct):
    time: Annotated[datetime, msgspec.Meta(tz=True)]


_DECODER: Final = msgspec.json.Decoder(_Timed)


class Doubtful(NamedTuple):
    """A removal by a clock that was wrong: where, and how it is dated."""

    file: str
    line: int
    why: str


class _Removal(NamedTuple):
    file: str
    line: int
    record: RemovedRecord
    before: datetime | None

    @property
    def leapt(self) -> bool:
        """Tell whether it is dated implausibly far ahead of the record before it."""
        return self.before is not None and self.record.time - self.before > _PATIENCE


class RemovalTimes:
    """Looks at a log from its first line to its last. Only the records around a removal are decoded."""

    def __init__(self) -> None:
        self.doubtful: list[Doubtful] = []
        self._newest = b""
        self._open: list[_Removal] = []

    def meet_call(self, raw: bytes) -> None:
        """Take note of the record of a call: it is the neighbour of the removals before it."""
        if self._open:
            after = _time_of(raw)
            if after is not None:
                self._open = [removal for removal in self._open if not self._is_settled(removal, after)]
        self._newest = raw

    def meet_removal(self, record: RemovedRecord, file: str, line: int) -> None:
        """Take note of a removal."""
        self._open.append(_Removal(file, line, record, _time_of(self._newest)))

    def end(self) -> None:
        """Judge the removals about which the records after them leave a doubt."""
        for removal in self._open:
            if removal.leapt:
                self._doubt(removal, None)
        self._open = []

    def _is_settled(self, removal: _Removal, after: datetime) -> bool:
        """Tell whether a later record says if the clock was right; it does not while it goes on from a leap."""
        time = removal.record.time
        if time - after > _DAY:
            self._doubt(removal, after)
            return True
        return not removal.leapt or after - time > _PATIENCE

    def _doubt(self, removal: _Removal, after: datetime | None) -> None:
        neighbours = ", ".join(
            f"the record {place} it {moment:%Y-%m-%d}"
            for place, moment in (("before", removal.before), ("after", after))
            if moment is not None
        )
        why = (
            f"removed files by a clock that was wrong: {len(removal.record.files)}; the removal is dated "
            f"{removal.record.time:%Y-%m-%d}, {neighbours}"
        )
        self.doubtful.append(Doubtful(removal.file, removal.line, why))


def _time_of(raw: bytes) -> datetime | None:
    try:
        return _DECODER.decode(raw).time
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
