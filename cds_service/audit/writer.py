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
from cds_service.audit.durable import WritableFile, prove_writable, sync_directory, sync_file
from cds_service.audit.files import file_name, file_names, find_tail, go_on, opening_day
from cds_service.audit.host import Neighbours
from cds_service.audit.lock import WriterLock, writer_lock
from cds_service.audit.policies import StatedLimits
from cds_service.audit.retention import delete_files, doubt_about_clock, plan_removal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime
    from pathlib import Path

    from cds_service.audit.chain import ChainKey
    from cds_service.audit.files import Tail
    from cds_service.audit.host import Host
    from cds_service.audit.policies import Payload

_log = logging.getLogger(__name__)

_PROBE_NAME: Final = "audit.probe"
_LAST_BYTES: Final = 262_144
_TAKE_BACK_SECONDS: Final = 5.0


class ChainWriter:
    """Appends to the log of one directory. Not safe for threads: `AuditLog` lets one in at a time."""

    def __init__(
        self,
        directory: Path,
        key: ChainKey,
        *,
        rotate_bytes: int,
        retention_days: int | None,
        clock: Callable[[], datetime],
        known_head: ChainHead | None,
        host: Host,
    ) -> None:
        """Keep the settings; nothing is read or written before the first call."""
        self._directory = directory
        self._key = key
        self._rotate_bytes = rotate_bytes
        self._retention_days = retention_days
        self._clock = clock
        self._host = host
        self._neighbours = Neighbours(directory, key, host)
        self._lock = WriterLock(directory)
        self._generation = self._lock.generation
        self._tail: Tail | None = None
        self._file: WritableFile | None = None
        self._expired: tuple[str, ...] = ()
        self._limits = StatedLimits()
        self._has_written = False
        # Why the clock cannot be believed; empty when it can.
        self.clock_doubt = ""
        self.head = known_head or ChainHead("", 0, GENESIS)

    def write(self, payloads: Sequence[Payload], lock_seconds: float) -> ChainHead:
        """Append encoded records and return the new head once they are on the disk.

        Raises OSError when they are not; then none of them is in the log, unless the disk did not even let them be
        taken back. The lock is waited for up to `lock_seconds`. Lines are written under it and synced after it, so
        that processes sync at the same time: a sync covers what others wrote before, therefore no synced line can
        follow a lost one.
        """
        self._lock.acquire(lock_seconds)
        try:
            tail, file = self._prepare()
            self._tail = None
            records = self._limits.before_records(tail.file, payloads)
            if records:
                tail, data = self._bind(tail, records)
                file.write(tail.size - len(data), data)
        finally:
            self._lock.release()
        if records:
            self._sync(file, tail.size - len(data), data)
        self._reach(tail)
        self._limits.note(tail.file, payloads)
        expired, self._expired = self._expired, ()
        delete_files(self._directory, expired)
        return self.head

    def _sync(self, file: WritableFile, offset: int, data: bytes) -> None:
        try:
            file.sync()
        except OSError:
            with contextlib.suppress(OSError), writer_lock(self._directory, _TAKE_BACK_SECONDS):
                file.take_back(offset, data)
            # Opened anew next time: what an open file tells after a failed sync cannot be relied on.
            self._close_file()
            raise

    def _reach(self, tail: Tail) -> None:
        """Remember what is durable."""
        self._tail = tail
        self._has_written = True
        self.head = ChainHead(tail.file, tail.sequence, tail.link)

    def probe(self, lock_seconds: float) -> None:
        """Prove that a record could be written now, by writing beside the log. Raises OSError when it could not.

        The lock is only tried: no hook waits while this waits for the disk. May run beside `write`.
        """
        with writer_lock(self._directory, lock_seconds):
            for name in file_names(self._directory)[-1:]:
                WritableFile(self._path(name)).close()
        prove_writable(self._directory / _PROBE_NAME, os.O_TRUNC)

    def after_fork(self) -> None:
        """Begin anew in a forked process: the lock held at the fork, and a tail not yet durable, are the parent's."""
        self._lock.forget()
        self._close_file()

    def _close_file(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            file.close()

    def _path(self, name: str) -> str:
        return f"{self._directory}/{name}"

    def _prepare(self) -> tuple[Tail, WritableFile]:
        """Return the tail that the next line follows: whole, in a file of today made with our key, not too large."""
        now = self._clock().astimezone(UTC)
        tail = self._read_on() or self._look_anew(now)
        if tail.torn and tail.begun:
            tail = self._seal(tail, now)
        if tail.file and not tail.begun:
            tail = self._open(tail, tail.file, now)
        elif self._must_rotate(tail, now):
            tail = self._rotate(tail, now)
        self._generation = self._lock.generation
        return tail, self._file_of(tail)

    def _file_of(self, tail: Tail, flags: int = 0) -> WritableFile:
        """Return the open file of a tail."""
        path = self._path(tail.file)
        if self._file is None or self._file.path != path:
            self._close_file()
            self._file = WritableFile(path, flags)
        return self._file

    def _read_on(self) -> Tail | None:
        """Go on from where this writer left the log, past what others appended; None where that is not possible."""
        tail, file = self._tail, self._file
        if tail is None or file is None or self._lock.generation != self._generation:
            return None
        try:
            size = file.size()
        except FileNotFoundError:
            return None
        if size is None or size < tail.size:
            return None
        if size == tail.size:
            return tail
        # Others may have written for hours; a last line longer than this is found by looking at the whole file.
        start = max(tail.size, size - _LAST_BYTES)
        return go_on(tail._replace(size=start), file.read(start, size - start))

    def _look_anew(self, now: datetime) -> Tail:
        """Look at the directory: where the log ends, and whether its days and the clock agree."""
        tail = self._find_tail()
        self._hold_against_clock(now)
        return tail

    def _hold_against_clock(self, now: datetime) -> None:
        doubt = doubt_about_clock(self._directory, now.date(), self._retention_days)
        if doubt and doubt != self.clock_doubt:
            _log.error("audit log: is the clock of this host wrong? %s; no expired file is removed", doubt)
        self.clock_doubt = doubt

    def _find_tail(self) -> Tail:
        """Look where the log ends, but never go back behind a record that is known to have been durable.

        Records that are gone leave a gap that `audit verify` names, instead of a chain that hides them. A known record
        that was cut short is sealed in its place like any other.
        """
        self._close_file()
        tail = find_tail(self._directory)
        self._neighbours.meet(tail, has_written=self._has_written)
        first_gone = tail.sequence + 1
        cut_short = first_gone == self.head.sequence and is_start_of(first_gone, tail.torn)
        if tail.sequence >= self.head.sequence or cut_short:
            return tail
        _log.error("audit records %d to %d are gone", first_gone, self.head.sequence)
        # The limits may have gone with them.
        self._limits = StatedLimits()
        return tail._replace(sequence=self.head.sequence, link=self.head.link, closed=False)

    def _must_rotate(self, tail: Tail, now: datetime) -> bool:
        opened = tail.opened
        if not tail.file or tail.closed or opened is None or not self._key.made(opened):
            return True
        if opened.boot != self._host.boot or opened.format != FORMAT:
            return True
        # A day ahead may be another reading of the same midnight; more is a clock that was wrong, or is.
        ahead = (opening_day(tail.file) - now.date()).days
        return tail.size >= self._rotate_bytes or ahead < 0 or ahead > 1

    def _rotate(self, tail: Tail, now: datetime) -> Tail:
        """Begin a new file. The old one is closed first, unless another key made it: its links cannot be continued."""
        if tail.opened is not None and not tail.closed and self._key.made(tail.opened):
            tail = self._extend(tail, encode_payload(ClosedRecord(time=now)))
        elif tail.file:
            sync_file(self._path(tail.file))
        name = file_name(tail.sequence + 1, now)
        # Named before it exists: a process that still writes to the old file sees that it has to look again.
        self._lock.announce(name)
        tail = self._open(tail._replace(file=name, size=0, torn=b""), name, now)
        self._hold_against_clock(now)
        return self._remove_expired(tail, now)

    def _open(self, tail: Tail, name: str, now: datetime) -> Tail:
        """Write the first record of a file, new or left behind by a crash before its first line was complete."""
        if tail.torn:
            _log.warning("audit file %s was cut short in its first line; it is begun anew", name)
        opened = OpenedRecord(
            time=now,
            format=FORMAT,
            algorithm=self._key.named,
            key_id=self._key.key_id,
            host=self._host.name,
            boot=self._host.boot,
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
        """Name files beyond their retention time in a record; they are deleted once it is durable."""
        if self._retention_days is None:
            return tail
        removed, condemned = plan_removal(self._directory, now, self._retention_days)
        if removed is not None:
            tail = self._extend(tail, encode_payload(removed))
            # Only now: a file deleted without its record on the disk would look like one that somebody took away.
            self._expired = removed.files
        return self._extend(tail, encode_payload(condemned)) if condemned is not None else tail

    def _extend(self, tail: Tail, payload: bytes, flags: int = 0) -> Tail:
        """Append a record of the log's own, durable before anything follows it."""
        extended, data = self._bind(tail, [payload])
        self._file_of(tail, flags).write_durably(tail.size, data, keep=len(tail.torn))
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
