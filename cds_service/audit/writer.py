"""Writing the chain: one batch at a time, under the lock, durable when the call returns.

Nothing is ever overwritten but the rest of a line that was cut short: it is moved into the record that seals it.
"""

from __future__ import annotations

import contextlib
import logging
import os
from datetime import UTC
from typing import TYPE_CHECKING, Final

from cds_service.audit.bookkeeping import FORMAT, ClosedRecord, ContinuedRecord, OpenedRecord, SealedRecord
from cds_service.audit.chain import GENESIS, ChainHead, bind, encode_payload, is_start_of
from cds_service.audit.durable import sync_directory, sync_file, write_at, write_durably
from cds_service.audit.files import file_name, file_names, find_tail, opening_day, read_on
from cds_service.audit.lock import writer_lock
from cds_service.audit.retention import delete_files, plan_removal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime
    from pathlib import Path

    from cds_service.audit.chain import ChainKey
    from cds_service.audit.durable import WrittenBytes
    from cds_service.audit.files import Tail
    from cds_service.audit.lock import WriterLock

_log = logging.getLogger(__name__)

_PROBE_NAME: Final = "audit.probe"
# Room for some records of usual size: a disk on which this does not fit is full.
_PROBE_BYTES: Final = 16_384


class ChainWriter:
    """Appends to the log of one directory. Not safe for threads: `AuditLog` lets one in at a time."""

    def __init__(
        self,
        directory: Path,
        key: ChainKey,
        *,
        rotate_bytes: int,
        retention_days: int | None,
        lock_seconds: float,
        clock: Callable[[], datetime],
        known_head: ChainHead | None,
    ) -> None:
        """Keep the settings; nothing is read or written before the first call."""
        self._directory = directory
        self._key = key
        self._rotate_bytes = rotate_bytes
        self._retention_days = retention_days
        self._lock_seconds = lock_seconds
        self._clock = clock
        self._tail: Tail | None = None
        self._inode = 0
        self.head = known_head or ChainHead("", 0, GENESIS)

    def write(self, payloads: Sequence[bytes]) -> ChainHead:
        """Append encoded records and return the new head once they are on the disk.

        Raises OSError when they are not; then none of them is in the log, unless the disk did not even let them be
        taken back. Lines are written under the lock and synced after it, so that processes sync at the same time: a
        sync covers what others wrote before, therefore no synced line can follow a lost one.
        """
        written = None
        with writer_lock(self._directory, self._lock_seconds) as lock:
            tail, self._tail = self._prepare(lock), None
            if payloads:
                tail, data = self._bind(tail, payloads)
                written = write_at(self._path(tail.file), tail.size - len(data), data)
        if written is not None:
            self._sync(written)
        self._reach(tail)
        return self.head

    def _sync(self, written: WrittenBytes) -> None:
        try:
            written.sync()
        except OSError:
            with contextlib.suppress(OSError), writer_lock(self._directory, self._lock_seconds):
                written.take_back()
            raise
        finally:
            written.close()
        self._inode = written.inode

    def _reach(self, tail: Tail) -> None:
        """Remember what is durable."""
        self._tail = tail
        self.head = ChainHead(tail.file, tail.sequence, tail.link)

    def probe(self) -> None:
        """Prove that a record could be written now, by writing beside the log. Raises OSError when it could not."""
        with writer_lock(self._directory, self._lock_seconds):
            for name in file_names(self._directory)[-1:]:
                os.close(os.open(self._path(name), os.O_WRONLY | os.O_CLOEXEC))
            try:
                write_durably(self._path(_PROBE_NAME), 0, bytes(_PROBE_BYTES), os.O_CREAT | os.O_TRUNC)
            finally:
                (self._directory / _PROBE_NAME).unlink(missing_ok=True)

    def _path(self, name: str) -> str:
        return f"{self._directory}/{name}"

    def _prepare(self, lock: WriterLock) -> Tail:
        """Return the tail that the next line follows: whole, in a file of today made with our key, not too large."""
        now = self._clock().astimezone(UTC)
        tail = self._read_on(lock) or self._find_tail()
        if tail.torn and tail.begun:
            tail = self._seal(tail, now)
        if tail.file and not tail.begun:
            tail = self._open(tail, tail.file, now)
        elif self._must_rotate(tail, now):
            tail = self._rotate(tail, now, lock)
        if lock.current_file != tail.file:
            lock.current_file = tail.file
        return tail

    def _read_on(self, lock: WriterLock) -> Tail | None:
        """Go on from where this writer left the log, past what others appended; None where that is not possible."""
        tail = self._tail
        if tail is None or lock.current_file != tail.file:
            return None
        path = self._path(tail.file)
        try:
            status = os.stat(path)  # noqa: PTH116  for every batch: faster than a Path
        except FileNotFoundError:
            return None
        if status.st_ino != self._inode or status.st_size < tail.size:
            return None
        return tail if status.st_size == tail.size else read_on(path, tail)

    def _find_tail(self) -> Tail:
        """Look where the log ends, but never go back behind a record that is known to have been durable.

        Records that are gone leave a gap that `audit verify` names, instead of a chain that hides them. A known record
        that was cut short is sealed in its place like any other.
        """
        tail = find_tail(self._directory)
        first_gone = tail.sequence + 1
        cut_short = first_gone == self.head.sequence and is_start_of(first_gone, tail.torn)
        if tail.sequence >= self.head.sequence or cut_short:
            return tail
        _log.error("audit records %d to %d are gone", first_gone, self.head.sequence)
        return tail._replace(sequence=self.head.sequence, link=self.head.link, closed=False)

    def _must_rotate(self, tail: Tail, now: datetime) -> bool:
        if not tail.file or tail.closed or tail.opened is None or not self._key.made(tail.opened):
            return True
        return tail.size >= self._rotate_bytes or opening_day(tail.file) < now.date()

    def _rotate(self, tail: Tail, now: datetime, lock: WriterLock) -> Tail:
        """Begin a new file. The old one is closed first, unless another key made it: its links cannot be continued."""
        if tail.opened is not None and not tail.closed and self._key.made(tail.opened):
            tail = self._extend(tail, encode_payload(ClosedRecord(time=now)))
        elif tail.file:
            sync_file(self._path(tail.file))
        name = file_name(tail.sequence + 1, now)
        # Named before it exists: a process that still writes to the old file sees that it has to look again.
        lock.current_file = name
        tail = self._open(tail._replace(file=name, size=0, torn=b""), name, now)
        return self._remove_expired(tail, now)

    def _open(self, tail: Tail, name: str, now: datetime) -> Tail:
        """Write the first record of a file, new or left behind by a crash before its first line was complete."""
        if tail.torn:
            _log.warning("audit file %s was cut short in its first line; it is begun anew", name)
        opened = OpenedRecord(
            time=now,
            format=FORMAT,
            algorithm=self._key.algorithm,
            key_id=self._key.key_id,
            previous=ContinuedRecord(tail.sequence, tail.link) if tail.sequence else None,
            torn=tail.torn,
        )
        tail = self._extend(tail._replace(begun=True, opened=opened), encode_payload(opened), os.O_CREAT)
        sync_directory(self._directory)
        return tail

    def _seal(self, tail: Tail, now: datetime) -> Tail:
        _log.warning("audit file %s ends with a line that was cut short; it is sealed", tail.file)
        return self._extend(tail, encode_payload(SealedRecord(time=now, torn=tail.torn)))

    def _remove_expired(self, tail: Tail, now: datetime) -> Tail:
        """Delete files beyond their retention time, after a record of it is durable."""
        if self._retention_days is None:
            return tail
        removed = plan_removal(self._directory, now, self._retention_days)
        if removed is None:
            return tail
        tail = self._extend(tail, encode_payload(removed))
        delete_files(self._directory, removed.files)
        return tail

    def _extend(self, tail: Tail, payload: bytes, flags: int = 0) -> Tail:
        """Append a record of the log's own, durable before anything follows it."""
        extended, data = self._bind(tail, [payload])
        self._inode = write_durably(self._path(tail.file), tail.size, data, flags, keep=len(tail.torn))
        self._reach(extended)
        return extended

    def _bind(self, tail: Tail, payloads: Sequence[bytes]) -> tuple[Tail, bytes]:
        """Bind records to the chain; return the tail they lead to and their lines."""
        sequence, link, lines = tail.sequence, tail.link, []
        for payload in payloads:
            sequence += 1
            line, link = bind(payload, sequence, link, self._key)
            lines.append(line)
        data = b"".join(lines)
        closed = payloads[-1].startswith(b'{"kind":"closed"')
        return tail._replace(size=tail.size + len(data), torn=b"", sequence=sequence, link=link, closed=closed), data
