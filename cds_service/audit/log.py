"""The audit log of a worker: appended records are on the disk when `append` returns.

Threads that wait at the same time share one write and one sync: the first of them writes for all who came while the
batch before was written. Processes take turns under the lock of the directory. See docs/decisions/0005-audit-chain.md.
"""

from __future__ import annotations

import os
import threading
import weakref
from datetime import UTC, datetime
from time import monotonic
from typing import TYPE_CHECKING, Final

from cds_service.audit.bounding import encode_bounded
from cds_service.audit.chain import ChainHead, ChainKey
from cds_service.audit.heads import HeadReporter
from cds_service.audit.host import this_host
from cds_service.audit.policies import Payload
from cds_service.audit.writer import ChainWriter
from cds_service.errors import AuditUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from cds_service.audit.host import Host
    from cds_service.audit.records import AuditRecord


# Longer than a holder that is well keeps the lock, short enough for a hook that is going to be refused.
_BRIEFLY: Final = 0.05


class _Entry:
    """Records on their way, one or a batch: settled once they are written or have failed."""

    __slots__ = ("deadline", "error", "leads", "payloads", "settled", "signal")

    def __init__(self, payloads: list[Payload], deadline: float) -> None:
        self.payloads = payloads
        self.deadline = deadline
        self.settled = False
        self.leads = False
        self.error: BaseException | None = None
        # Held until the entry is settled or leads; made only for an entry that has to wait.
        self.signal: threading.Lock | None = None


class AuditLog:
    """The log of one directory. Safe for threads, for several processes, and across a fork.

    `wait_seconds` may be changed at any time; it counts for the calls that follow.
    """

    _waiting: list[_Entry]
    # Somebody writes for all; when that began.
    _writing: bool
    _began: float
    # Another process held the lock for too long, and has not been seen to let go.
    _is_locked_out: bool

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
        wait_seconds: float = 2.0,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        host: Host | None = None,
    ) -> None:
        """Describe the log; nothing is touched before `start`.

        A new file is begun at `rotate_bytes` and on every new UTC day; files older than `retention_days` are deleted
        then. `known_head` is the head kept outside: records after it are never taken for the first of their number.
        `on_head` is told the chain head within `head_seconds` after each record, from a thread of its own; it must
        not raise. A call fails when its record is not on the disk after `wait_seconds`: another process holds the
        directory, or the disk does not answer. Only the one thread that waits for the disk itself stays with it.
        `clock` stamps the log's own records; `host` is this host unless it is given.
        """
        self._directory = directory
        self._writer = ChainWriter(
            directory,
            ChainKey(key),
            rotate_bytes=rotate_bytes,
            retention_days=retention_days,
            clock=clock,
            known_head=known_head,
            host=host or this_host(),
        )
        self._reporter = HeadReporter(on_head, head_seconds) if on_head is not None else None
        self.wait_seconds = wait_seconds
        self._begin_anew()
        _logs.add(self)

    def start(self, limits: bytes = b"") -> None:
        """Create the directory if need be, seal what a crash left, begin a file, and state the limits in force.

        To be called once per process, and again for other limits; for `limits` see `append`. Raises
        AuditUnavailableError when the log cannot be written.
        """
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise _unavailable(error) from error
        self._take_part([Payload(b"", limits)])

    def append(self, record: AuditRecord, limits: bytes = b"") -> None:
        """Write a record and return when it is on the disk.

        `limits` is the encoded configuration record under which it was made, always the same bytes. It is written
        before the record, with the same sync, unless this process has written it to the same file.

        Raises AuditUnavailableError when the record is not on the disk, or not in time; in the second case it may
        still get there. The next call tries again.
        """
        self._take_part([Payload(encode_bounded(record), limits)])

    def append_batch(self, records: Iterable[AuditRecord], limits: bytes = b"") -> None:
        """Write records one after the other with one sync, all or none; else as `append`."""
        payloads = [Payload(encode_bounded(record), limits) for record in records]
        if payloads:
            self._take_part(payloads)

    def check(self) -> None:
        """Prove by writing beside the log that a record could be written now.

        Raises AuditUnavailableError when it could not.
        """
        if self._is_stalled(monotonic()) or not self._probing.acquire(timeout=self.wait_seconds):
            raise _unavailable(_too_late())
        try:
            self._writer.probe(self.wait_seconds)
        except OSError as error:
            raise _unavailable(error) from error
        finally:
            self._probing.release()

    def head(self) -> ChainHead:
        """Return the newest record this process knows to be on the disk; sequence 0 before `start`."""
        return self._writer.head

    @property
    def clock_doubt(self) -> str:
        """Say why the clock cannot be believed, by the days of the log; empty when it can."""
        return self._writer.clock_doubt

    def close(self) -> None:
        """Report the head one last time. The log may be used again afterwards."""
        if self._reporter is not None:
            self._reporter.report()

    def _take_part(self, payloads: list[Payload]) -> None:
        """Have the entry written, by this thread or by one that writes for several."""
        now = monotonic()
        entry = _Entry(payloads, now + self.wait_seconds)
        with self._turn:
            if not self._writing:
                self._writing = entry.leads = True
                self._began = now
            elif self._is_stalled(now):
                raise _unavailable(_too_late())
            else:
                entry.signal = threading.Lock()
                entry.signal.acquire()
            self._waiting.append(entry)
        if entry.signal is not None and not entry.signal.acquire(timeout=self.wait_seconds):
            self._give_up(entry)
        if entry.leads:
            self._write_for_all(entry)
        if entry.error is not None:
            raise _unavailable(entry.error) from entry.error

    def _is_stalled(self, now: float) -> bool:
        return self._writing and now - self._began > self.wait_seconds

    def _give_up(self, entry: _Entry) -> None:
        """Settle an entry that has waited too long, unless it was settled or made to lead in this very moment."""
        with self._turn:
            if entry.settled or entry.leads:
                return
            entry.settled, entry.error = True, _too_late()
            if entry in self._waiting:
                self._waiting.remove(entry)

    def _write_for_all(self, leader: _Entry) -> None:
        with self._turn:
            batch, self._waiting = self._waiting, []
        error: BaseException | None = InterruptedError("writing was interrupted")
        try:
            payloads = [payload for entry in batch for payload in entry.payloads]
            left = max(0.0, leader.deadline - monotonic())
            head = self._writer.write(payloads, min(left, _BRIEFLY) if self._is_locked_out else left)
            error, self._is_locked_out = None, False
            if self._reporter is not None:
                self._reporter.note(head)
        except OSError as failure:
            error, self._is_locked_out = failure, isinstance(failure, TimeoutError)
        finally:
            self._settle(batch, error)

    def _settle(self, batch: list[_Entry], error: BaseException | None) -> None:
        """Wake those who waited for this batch, and one who writes for those who came meanwhile.

        The last who came leads: of all who wait it has the most time left to wait for the lock.
        """
        with self._turn:
            for entry in batch:
                if not entry.settled:
                    entry.error, entry.settled = error, True
            successor = self._waiting[-1] if self._waiting else None
            if successor is None:
                self._writing = False
            else:
                successor.leads = True
                self._began = monotonic()
        for entry in batch:
            if entry.signal is not None and not entry.leads:
                entry.signal.release()
        if successor is not None and successor.signal is not None:
            successor.signal.release()

    def _begin_anew(self) -> None:
        """Begin with nobody waiting: `_turn` guards all that follows."""
        self._turn = threading.Lock()
        self._waiting = []
        self._writing = False
        self._began = 0.0
        self._is_locked_out = False
        self._probing = threading.Lock()

    def _after_fork(self) -> None:
        """Begin anew in a forked process, where the threads that wait or write do not exist."""
        self._begin_anew()
        self._writer.after_fork()
        if self._reporter is not None:
            self._reporter.forget()


_logs: weakref.WeakSet[AuditLog] = weakref.WeakSet()


def _renew_logs() -> None:
    for log in _logs:
        log._after_fork()  # noqa: SLF001  the module's own class


os.register_at_fork(after_in_child=_renew_logs)


def _too_late() -> TimeoutError:
    return TimeoutError("the disk does not answer in time")


def _unavailable(error: BaseException) -> AuditUnavailableError:
    return AuditUnavailableError(log_detail=f"audit log: {error}")
