"""Deleting files when their retention time is over, so that the chain shows it was done on purpose.

One reading of the clock deletes nothing. The day on which a file is found to be over its time only condemns it, with a
record; it is removed when a later day says the same. And a log whose days leap removes nothing at all.
"""

from __future__ import annotations

import logging
from itertools import takewhile
from typing import TYPE_CHECKING, Final, NamedTuple

from cds_service.audit.bookkeeping import CondemnedRecord, RemovedRecord
from cds_service.audit.decoding import decode_record
from cds_service.audit.files import file_names, first_record, opening_day
from cds_service.audit.plausible_time import lived_days, open_leap, patience

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime
    from pathlib import Path

_log = logging.getLogger(__name__)

# In one record, which has to stay below a megabyte; the next file goes on.
_MOST_FILES: Final = 5_000
# A verdict stands behind the opening record of its file, and behind a removal.
_PLACE_OF_VERDICTS: Final = 3


class Retention(NamedTuple):
    """What is to be recorded: files to be deleted, and files that are condemned today; None where there are none."""

    removed: RemovedRecord | None = None
    condemned: CondemnedRecord | None = None


def doubt_about_clock(directory: Path, today: date, days: int | None) -> str:
    """Say why the clock cannot be believed, by the days of the log; empty when it can. Raises OSError."""
    opened = [opening_day(name) for name in file_names(directory)]
    leap = open_leap([*opened, today], patience(days))
    if leap is not None:
        return f"the log goes from {leap.before} to {leap.after} at once"
    if opened and (opened[-1] - today).days > 1:
        return f"the newest file of the log is of {opened[-1]}, and the clock says {today}"
    return ""


def plan_removal(directory: Path, now: datetime, days: int) -> Retention:
    """Name the files whose newest record is more than `days` old, if today and an earlier day say so.

    To be called when the newest file has just been begun. Raises OSError. No line of a file is newer than the
    beginning of the next one. The newest file always stays, and nothing is removed where the first file to stay does
    not tell what it continues.
    """
    names, today = file_names(directory), now.date()
    expired = _expired(names, today, days)
    if not expired or doubt_about_clock(directory, today, days):
        return Retention()
    earlier, of_today = _verdicts(directory, names, today)
    over = list(takewhile(earlier.__contains__, expired))[:_MOST_FILES]
    waiting = expired[len(over) :][:_MOST_FILES]
    condemned = CondemnedRecord(now, tuple(waiting)) if set(waiting) - of_today else None
    if not over:
        return Retention(None, condemned)
    first_to_stay = first_record(directory / names[len(over)])
    if first_to_stay is None or first_to_stay.previous is None:
        _log.error("audit file %s is damaged: expired files before it stay", names[len(over)])
        return Retention(None, condemned)
    return Retention(RemovedRecord(time=now, files=tuple(over), through=first_to_stay.previous), condemned)


def delete_files(directory: Path, names: Sequence[str]) -> None:
    """Delete the named files, oldest first. One that cannot be deleted stays, with those after it, until next time."""
    for name in names:
        try:
            (directory / name).unlink(missing_ok=True)
        except OSError as error:
            _log.error("expired audit file %s cannot be deleted: %s", name, error.strerror)
            return
        _log.info("expired audit file %s deleted", name)


def _expired(names: Sequence[str], today: date, days: int) -> list[str]:
    """Return the oldest files that are over their time by the clock, and by the days that the log has lived."""
    opened = [opening_day(name) for name in names]
    lived = lived_days([*opened, today], patience(days))
    followed = zip(names, opened[1:], lived[1:], strict=False)
    over = takewhile(lambda file: (today - file[1]).days > days and file[2] > days, followed)
    return [name for name, _, _ in over]


def _verdicts(directory: Path, names: Sequence[str], today: date) -> tuple[frozenset[str], frozenset[str]]:
    """Return the files that the newest verdict of an earlier day condemns, and those condemned today."""
    of_today: set[str] = set()
    for name in reversed(names):
        for verdict in _verdicts_in(directory / name):
            if verdict.time.date() < today:
                return frozenset(verdict.files), frozenset(of_today)
            if verdict.time.date() == today:
                of_today.update(verdict.files)
    return frozenset(), frozenset(of_today)


def _verdicts_in(path: Path) -> list[CondemnedRecord]:
    with path.open("rb") as stream:
        records = [decode_record(stream.readline()) for _ in range(_PLACE_OF_VERDICTS)]
    return [record for record in records if isinstance(record, CondemnedRecord)]
