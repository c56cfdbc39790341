"""Rows of the audit log: of one directory in the order it was written, of several hosts together by time."""

from __future__ import annotations

import heapq
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from cds_service.audit.reading import read_records
from cds_service.audit.records import ConfigurationRecord, FeedbackRecord, HookRecord, ViewRecord
from cds_service.insight.row import row_of_answer, row_of_record

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import date, tzinfo
    from pathlib import Path

    from cds_service.audit.bookkeeping import AnyRecord
    from cds_service.insight.row import AnswerRow, DecisionRow

_NO_TIME: Final = datetime.min.replace(tzinfo=UTC)


class LogRows:
    """The rows of records, one after another; `records` and `unreadable` (None) are counted while they are read.

    `limits` gathers what decided under which configuration hash of a service: the policy as it was recorded.
    """

    def __init__(self, records: Iterable[AnyRecord | None], zone: tzinfo, client: str | None = None) -> None:
        self._read = records
        self._client = client
        self._zone = zone
        self.records = 0
        self.unreadable = 0
        self.limits: dict[tuple[str, str], bytes] = {}

    def __iter__(self) -> Iterator[DecisionRow | AnswerRow]:
        """Yield a row for each hook call, view and feedback item; days are those of the zone."""
        for record in self._read:
            self.records += 1
            if record is None:
                self.unreadable += 1
            elif self._is_of_another_client(record):
                continue
            elif isinstance(record, (HookRecord, ViewRecord)):
                yield row_of_record(record, self._zone)
            elif isinstance(record, FeedbackRecord):
                yield row_of_answer(record, self._zone)
            elif isinstance(record, ConfigurationRecord):
                self.limits[record.service, record.configuration] = bytes(record.policy)

    def _is_of_another_client(self, record: AnyRecord) -> bool:
        if self._client is None or not isinstance(record, (HookRecord, ViewRecord, FeedbackRecord)):
            return False
        return record.client != self._client


def read_rows(
    directories: Sequence[Path], zone: tzinfo, since: date | None = None, client: str | None = None
) -> LogRows:
    """Return the rows of the logs of some directories, such as those of several hosts, from a day of `zone` on.

    Those of all clients, or of one.

    Reading raises OSError when a directory is missing or cannot be read.
    """
    # Files are named by the UTC day of their first record, which is at most a day away from the site's.
    opened_since = since - timedelta(days=1) if since is not None else None
    logs = [read_records(directory, opened_since) for directory in directories]
    return LogRows(logs[0] if len(logs) == 1 else heapq.merge(*logs, key=_time_of), zone, client)


def _time_of(record: AnyRecord | None) -> datetime:
    return record.time if record is not None else _NO_TIME
