"""Deleting files when their retention time is over, so that the chain shows it was done on purpose."""

from __future__ import annotations

import logging
from itertools import pairwise
from typing import TYPE_CHECKING

from cds_service.audit.bookkeeping import RemovedRecord
from cds_service.audit.files import file_names, first_record, opening_day

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

_log = logging.getLogger(__name__)


def plan_removal(directory: Path, now: datetime, days: int) -> RemovedRecord | None:
    """Name the files whose newest record is more than `days` old; None when there is none. Raises OSError.

    No line of a file is newer than the beginning of the next one. The newest file always stays, and nothing is
    removed where the first file to stay does not tell what it continues.
    """
    names = file_names(directory)
    expired = [name for name, following in pairwise(names) if (now.date() - opening_day(following)).days > days]
    if not expired:
        return None
    first_to_stay = first_record(directory / names[len(expired)])
    if first_to_stay is None or first_to_stay.previous is None:
        _log.error("audit file %s is damaged: expired files before it stay", names[len(expired)])
        return None
    return RemovedRecord(time=now, files=tuple(expired), through=first_to_stay.previous)


def delete_files(directory: Path, names: Sequence[str]) -> None:
    """Delete the named files, oldest first. One that cannot be deleted stays, with those after it, until next time."""
    for name in names:
        try:
            (directory / name).unlink(missing_ok=True)
        except OSError as error:
            _log.error("expired audit file %s cannot be deleted: %s", name, error.strerror)
            return
        _log.info("expired audit file %s deleted", name)
