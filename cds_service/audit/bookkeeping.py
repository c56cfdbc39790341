"""Records that the log writes about itself, in the same chain as the rest.

opened   first line of every file: how links are made from here on, by which host, and the record it continues
closed   last line of a file that a later file continues
sealed   in the place of a line that a crash cut short, with the bytes that were left of it
condemned  files beyond their retention time by the clock of that day; removed when a later day says the same
removed  files beyond their retention time, named before they are deleted
"""

from datetime import datetime
from typing import Final

import msgspec

from cds_service.audit.records import AuditRecord

# Of the records. Version 0.1 of sii-cds writes 1, this one reads both.
FORMAT: Final = 2


class ContinuedRecord(msgspec.Struct, frozen=True):
    """Sequence number and link of the record before a file's first one."""

    sequence: int
    link: str


class OpenedRecord(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, tag_field="kind", tag="opened"):
    """First line of a file. `previous` is None at the beginning of the chain; `torn` is what a crash left here.

    `algorithm` is how links are made and, from format 2 on, a remark for readers of format 1 (`chain.ChainKey.named`).
    `host` and `boot` name the system that writes the file (see `host.Host`).
    """

    time: datetime
    format: int
    algorithm: str
    key_id: str | None = None
    host: str = ""
    boot: str = ""
    previous: ContinuedRecord | None = None
    torn: bytes = b""


class ClosedRecord(msgspec.Struct, frozen=True, tag_field="kind", tag="closed"):
    """Last line of a file: the record that follows it opens the next one."""

    time: datetime


class SealedRecord(msgspec.Struct, frozen=True, tag_field="kind", tag="sealed"):
    """Stands where a line was cut short by a crash. Its answer never left the service."""

    time: datetime
    torn: bytes


class RemovedRecord(msgspec.Struct, frozen=True, tag_field="kind", tag="removed"):
    """Files deleted because of `audit.retention_days`. `through` is the last record in them."""

    time: datetime
    files: tuple[str, ...]
    through: ContinuedRecord


class CondemnedRecord(msgspec.Struct, frozen=True, tag_field="kind", tag="condemned"):
    """Files that are over their retention time by one reading of the clock."""

    time: datetime
    files: tuple[str, ...]


BookkeepingRecord = OpenedRecord | ClosedRecord | SealedRecord | CondemnedRecord | RemovedRecord
AnyRecord = AuditRecord | BookkeepingRecord
