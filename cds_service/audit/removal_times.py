"""Were files removed by a clock that was right? A removal is held against the records before and after it.

Only records of calls are asked: what the log writes about itself has the same reading of the clock as the removal.
"""

from datetime import datetime, timedelta
from typing import Annotated, Final, NamedTuple

import msgspec

from cds_service.audit.bookkeeping import RemovedRecord
from cds_service.audit.plausible_time import patience

# Other kinds of record are the log's own, or repeat an earlier time (configuration).
CALLS: Final = frozenset({"hook", "view", "feedback"})
_DAY: Final = timedelta(days=1)
_PATIENCE: Final = timedelta(days=patience(None))


class _Timed(msgspec.Struct):
    time: Annotated[datetime, msgspec.Meta(tz=True)]


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
        return msgspec.json.decode(raw, type=_Timed).time
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
