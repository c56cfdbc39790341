"""A disk, a lock or a state store that does not answer: hooks are refused in time, and nothing needs a restart."""

from __future__ import annotations

import os
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from cds_service.audit import writer
from cds_service.audit.chain import ChainHead
from cds_service.audit.heads import HeadReporter
from cds_service.audit.host import Host
from cds_service.audit.lock import writer_lock
from cds_service.errors import AuditUnavailableError
from tests.unit.audit.samples import audit_log, feedback_record, files_of, verified

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cds_service.audit.log import AuditLog

WAIT = 0.1
# Between "in time" and "as long as the disk stalls", far from both on a busy machine.
SOON = 5.0
HEAD = ChainHead("audit-000000000001-2026-03-09.jsonl", 17, "ab" * 32)


class StalledDisk:
    """A disk whose syncs do not return until it is told to go on."""

    def __init__(self) -> None:
        self.reached, self.answers = threading.Event(), threading.Event()
        self._sync = os.fdatasync

    def fdatasync(self, descriptor: int) -> None:
        self.reached.set()
        assert self.answers.wait(60)
        self._sync(descriptor)


@contextmanager
def stalled(log: AuditLog, monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Thread]:
    """Let one thread hang in a sync of the log while the block runs."""
    disk = StalledDisk()
    with monkeypatch.context() as patched:
        patched.setattr(os, "fdatasync", disk.fdatasync)
        leader = threading.Thread(target=log.append, args=(feedback_record(request_id="leader"),))
        leader.start()
        assert disk.reached.wait(10)
        try:
            yield leader
        finally:
            disk.answers.set()
            leader.join(60)


def refused_after(log: AuditLog, count: int) -> list[float]:
    """Append from several threads at a time; return how long each waited until it was refused."""
    waited: list[float] = []

    def append(number: int) -> None:
        began = time.monotonic()
        with pytest.raises(AuditUnavailableError, match=r"in time|another process"):
            log.append(feedback_record(request_id=f"refused-{number}"))
        waited.append(time.monotonic() - began)

    threads = [threading.Thread(target=append, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return waited


def test_append_on_a_stalled_disk_is_refused_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = audit_log(tmp_path, wait_seconds=WAIT)
    with stalled(log, monkeypatch) as leader:
        waited = refused_after(log, 8)
        assert len(waited) == 8
        assert max(waited) < SOON
        assert leader.is_alive()
    log.append(feedback_record(request_id="after"))

    # What was refused before it was written is not in the log; the record under way is.
    assert verified(tmp_path).counts == {"opened": 1, "feedback": 2}


def test_append_and_check_on_a_disk_known_to_be_stalled_are_refused_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = audit_log(tmp_path, wait_seconds=WAIT)
    with stalled(log, monkeypatch):
        refused_after(log, 1)
        monkeypatch.setattr(threading, "Lock", lambda: pytest.fail("nobody has to wait any more"))
        with pytest.raises(AuditUnavailableError, match="in time"):
            log.append(feedback_record())
        with pytest.raises(AuditUnavailableError, match="in time"):
            log.check()
    log.check()


def test_append_while_another_process_holds_the_lock_waits_once_for_all(tmp_path: Path) -> None:
    # Those who come while the first waits do not wait for it and then again; later ones hardly wait.
    log = audit_log(tmp_path, wait_seconds=1.0)
    with writer_lock(tmp_path, 1):
        assert max(refused_after(log, 8)) < SOON
        assert max(refused_after(log, 1)) < 0.9
    log.append(feedback_record())

    assert verified(tmp_path).counts == {"opened": 1, "feedback": 1}


def test_append_waits_as_long_as_is_wanted_now(tmp_path: Path) -> None:
    # A reload changes the deadline of hooks.
    log = audit_log(tmp_path, wait_seconds=60)
    log.wait_seconds = WAIT
    with writer_lock(tmp_path, 1):
        assert max(refused_after(log, 1)) < SOON


def test_append_beside_a_stalled_process_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The lock is not held over a sync: what hangs in one process hangs there alone.
    log, other = audit_log(tmp_path), audit_log(tmp_path)
    real = os.fdatasync
    with stalled(log, monkeypatch):
        monkeypatch.setattr(os, "fdatasync", real)
        other.append(feedback_record())

    assert verified(tmp_path).counts["feedback"] == 2


def test_check_waits_for_the_disk_without_the_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = audit_log(tmp_path, wait_seconds=WAIT)
    disk, real = StalledDisk(), os.fdatasync
    monkeypatch.setattr(os, "fdatasync", disk.fdatasync)
    first = threading.Thread(target=log.check)
    first.start()
    assert disk.reached.wait(10)
    monkeypatch.setattr(os, "fdatasync", real)
    log.append(feedback_record())
    with pytest.raises(AuditUnavailableError, match="in time"):
        log.check()
    disk.answers.set()
    first.join(60)
    log.check()

    assert not (tmp_path / writer._PROBE_NAME).exists()


def test_append_does_not_wait_for_the_keeper_of_the_head(tmp_path: Path) -> None:
    called, answers = threading.Event(), threading.Event()
    calls: list[ChainHead] = []

    def keep(head: ChainHead) -> None:
        calls.append(head)
        called.set()
        assert answers.wait(60)

    log = audit_log(tmp_path, on_head=keep, head_seconds=0.01)
    log.append(feedback_record())
    assert called.wait(10)
    began = threading.active_count()
    for _ in range(50):
        log.append(feedback_record())
        time.sleep(0.001)
    assert (len(calls), threading.active_count()) == (1, began), "one thread, however long the state store takes"
    answers.set()
    log.close()

    assert calls[-1] == log.head()


def test_reporter_close_does_not_hang_on_its_keeper() -> None:
    called, answers = threading.Event(), threading.Event()

    def keep(_: ChainHead) -> None:
        called.set()
        assert answers.wait(60)

    reporter = HeadReporter(keep, 0.01)
    reporter.note(HEAD)
    assert called.wait(10)
    reporter.note(HEAD._replace(sequence=18))
    reporter.report()
    answers.set()


def test_reporter_reports_every_head_that_is_the_last_of_its_time() -> None:
    reported: list[int] = []
    reporter = HeadReporter(lambda head: reported.append(head.sequence), 0.001)
    for sequence in range(1, 200):
        reporter.note(HEAD._replace(sequence=sequence))
    end = time.monotonic() + 10
    while not (reported and reported[-1] == 199) and time.monotonic() < end:
        time.sleep(0.001)

    assert reported[-1] == 199
    assert reported == sorted(set(reported))


FIRST, SECOND = Host("alpha", "boot-1"), Host("beta", "boot-2")


def test_log_of_another_host_is_continued_in_a_file_of_its_own(tmp_path: Path) -> None:
    # A volume that was moved, or the same host after it was booted.
    audit_log(tmp_path, host=FIRST).append(feedback_record())
    audit_log(tmp_path, host=SECOND).append(feedback_record())

    assert verified(tmp_path).counts == {"opened": 2, "closed": 1, "feedback": 2}
    first, second = (path.read_text() for path in files_of(tmp_path))
    assert '"host":"alpha","boot":"boot-1"' in first
    assert '"host":"beta","boot":"boot-2"' in second


def test_hosts_that_share_a_directory_are_noticed(tmp_path: Path) -> None:
    first = audit_log(tmp_path, host=FIRST)
    second = audit_log(tmp_path, host=SECOND)
    for _ in range(2):
        with pytest.raises(AuditUnavailableError, match="host beta writes to this directory too, besides alpha"):
            first.append(feedback_record())
    second.append(feedback_record())

    assert verified(tmp_path).counts == {"opened": 2, "closed": 1, "feedback": 1}


def test_host_without_boot_id_is_not_told_apart(tmp_path: Path) -> None:
    unknown = Host("alpha", "")
    logs = audit_log(tmp_path, host=unknown), audit_log(tmp_path, host=unknown._replace(name="beta"))
    for log in logs:
        log.append(feedback_record())

    assert verified(tmp_path).files == 1
