"""Large audit logs, written without a service: whole chains, one file after the other, synced by nobody."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from cds_service.audit.bookkeeping import FORMAT, ClosedRecord, ContinuedRecord, OpenedRecord
from cds_service.audit.chain import GENESIS, ChainKey, bind, encode_payload
from cds_service.audit.files import file_name

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cds_service.audit.bookkeeping import AnyRecord
    from cds_service.audit.records import AuditRecord

FIRST_DAY = datetime(2026, 1, 1, tzinfo=UTC)


class ChainFile:
    """One file of a log, continuing another one."""

    def __init__(self, key: ChainKey, day: datetime, before: ContinuedRecord) -> None:
        """Open it."""
        self.key, self.day, self.end = key, day, before
        self.name = file_name(before.sequence + 1, day)
        self.lines: list[bytes] = []
        previous = before if before.sequence else None
        self.add(OpenedRecord(time=day, format=FORMAT, algorithm=key.named, key_id=key.key_id, previous=previous))

    def add(self, record: AnyRecord) -> None:
        """Append a record."""
        sequence = self.end.sequence + 1
        line, link = bind(encode_payload(record), sequence, self.end.link, self.key)
        self.lines.append(line)
        self.end = ContinuedRecord(sequence, link)


def write_log(
    directory: Path,
    records: int,
    make: Callable[[int], AuditRecord],
    *,
    key: bytes | None = None,
    records_in_a_file: int = 20_000,
) -> None:
    """Write so many records, made from their numbers (from 0), a file a day."""
    directory.mkdir(parents=True, exist_ok=True)
    end, day = ContinuedRecord(0, GENESIS), FIRST_DAY
    for first in range(0, records, records_in_a_file):
        file = ChainFile(ChainKey(key), day, end)
        last = min(first + records_in_a_file, records)
        for number in range(first, last):
            file.add(make(number))
        if last < records:
            file.add(ClosedRecord(time=day))
        (directory / file.name).write_bytes(b"".join(file.lines))
        end, day = file.end, day + timedelta(days=1)
