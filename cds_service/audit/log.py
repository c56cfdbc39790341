"""The audit log of a worker: appended records are on the disk when `append` returns.

Threads that wait at the same time share one write and one sync: the first of them writes for all who came while the
batch before was written. Processes take turns under the lock of the directory. See docs/decisions/0005-audit-chain.md.
"""

from __future__ import annotations

import os
import threading
import weakref
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cds_service.audit.chain import ChainHead, ChainKey, encode_payload
from cds_service.audit.heads import HeadReporter
from cds_service.audit.writer import ChainWriter
from cds_service.errors import AuditUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cds_service.audit.records import AuditRecord


class _Entry:
    """A record on its way: settled once it is written or has failed. Without payload, only the log is made ready."""

    __slots__ = ("error", "payload", "settled")

    def __init__(self, payload: bytes) -> None:
        self.payload = payload
        self.settled = False
        self.error: BaseException | None = None


class AuditLog:
    """The log of one directory. Safe for threads, for several processes, and across a fork."""

    def __init__(
        self,
        directory: Path,
        *,
        key: bytes | None,
        rotate_bytes: int,
        retention_days: int | None = None,
        known_head: ChainHead | None = None,
        on_head: Callable[[ChainHead], None] | None = None,
        head_seconds: float = 1.0,
        lock_seconds: float = 5.0,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Describe the log; nothing is touched before `start`.

        A new file is begun at `rotate_bytes` and on every new UTC day; files older than `retention_days` are deleted
        then. `known_head` is the head kept outside: records after it are never taken for the first of their number.
        `on_head` is told the chain head within `head_seconds` after each record, from a thread of its own; it must
        not raise. A call fails when another process holds the directory for `lock_seconds`. `clock` stamps the
        records the log writes about itself.
        """
        self._directory = directory
        self._writer = ChainWriter(
            directory,
            ChainKey(key),
            rotate_bytes=rotate_bytes,
            retention_days=retention_days,
            lock_seconds=lock_seconds,
            clock=clock,
            known_head=known_head,
        )
        self._reporter = HeadReporter(on_head, head_seconds) if on_head is not None else None
        self._turn = threading.Condition()
        self._writing = False
        self._waiting: list[_Entry] = []
        _logs.add(self)

    def start(self) -> None:
        """Create the directory if need be, seal what a crash left, and begin a file. To be called once per process.

        Raises AuditUnavailableError when the log cannot be written.
        """
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise _unavailable(error) from error
        self._take_part(_Entry(b""))

    def append(self, record: AuditRecord) -> None:
        """Write a record and return when it is on the disk.

        Raises AuditUnavailableError when it is not; the log is then as it was. The next call tries again.
        """
        self._take_part(_Entry(encode_payload(record)))

    def check(self) -> None:
        """Prove by writing beside the log that a record could be written now.

        Raises AuditUnavailableError when it could not.
        """
        try:
            self._writer.probe()
        except OSError as error:
            raise _unavailable(error) from error

    def head(self) -> ChainHead:
        """Return the newest record this process knows to be on the disk; sequence 0 before `start`."""
        return self._writer.head

    def close(self) -> None:
        """Report the head one last time. The log may be used again afterwards."""
        if self._reporter is not None:
            self._reporter.report()

    def _take_part(self, entry: _Entry) -> None:
        """Have the entry written, by this thread or by one that writes for several."""
        with self._turn:
            self._waiting.append(entry)
            while self._writing and not entry.settled:
                self._turn.wait()
            if not entry.settled:
                self._writing = True
                batch, self._waiting = self._waiting, []
        if not entry.settled:
            self._write_for_all(batch)
        if entry.error is not None:
            raise _unavailable(entry.error) from entry.error

    def _write_for_all(self, batch: list[_Entry]) -> None:
        error: BaseException | None = InterruptedError("writing was interrupted")
        try:
            head = self._writer.write([entry.payload for entry in batch if entry.payload])
            error = None
            if self._reporter is not None:
                self._reporter.note(head)
        except OSError as failure:
            error = failure
        finally:
            with self._turn:
                for entry in batch:
                    entry.error, entry.settled = error, True
                self._writing = False
                self._turn.notify_all()

    def _after_fork(self) -> None:
        """Begin anew in a forked process, where the threads that wait or write do not exist."""
        self._turn = threading.Condition()
        self._writing = False
        self._waiting = []
        if self._reporter is not None:
            self._reporter.forget()


_logs: weakref.WeakSet[AuditLog] = weakref.WeakSet()


def _renew_logs() -> None:
    for log in _logs:
        log._after_fork()  # noqa: SLF001  the module's own class


os.register_at_fork(after_in_child=_renew_logs)


def _unavailable(error: BaseException) -> AuditUnavailableError:
    return AuditUnavailableError(log_detail=f"audit log: {error}")
