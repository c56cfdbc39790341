"""The simulated log on the disk, as the service writes it, but without a sync for each record."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from cds_service.audit.bookkeeping import FORMAT, ClosedRecord, ContinuedRecord, OpenedRecord
from cds_service.audit.chain import GENESIS, ChainKey, bind, encode_payload
from cds_service.audit.files import file_name
from tests.support.hospital_log.simulation import FIRST_DAY

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.support.hospital_log.simulation import Hospital


def write_log(directory: Path, hospitals: Sequence[Hospital], days: int) -> int:
    """Write the first days of some hospitals into one log, a file a day; return the number of hooks and feedback."""
    directory.mkdir(parents=True, exist_ok=True)
    key, sequence, link, written = ChainKey(None), 0, GENESIS, 0
    for day in range(days):
        now = datetime.combine(FIRST_DAY, datetime.min.time(), UTC) + timedelta(days=day, hours=12)
        before = ContinuedRecord(sequence, link) if sequence else None
        opened = OpenedRecord(time=now, format=FORMAT, algorithm=key.named, previous=before)
        records = [record for hospital in hospitals for record in hospital.day(day)]
        payloads = [encode_payload(record) for record, times in records for _ in range(times)]
        name, lines = file_name(sequence + 1, now), []
        for payload in [encode_payload(opened), *payloads, encode_payload(ClosedRecord(time=now))]:
            sequence += 1
            line, link = bind(payload, sequence, link, key)
            lines.append(line)
        (directory / name).write_bytes(b"".join(lines))
        written += len(payloads)
    return written
