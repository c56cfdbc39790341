"""Appending: durable or refused, whole after every failure, and the head reported."""

from __future__ import annotations

import errno
import os
import threading
from functools import partial
from typing import TYPE_CHECKING

import pytest

from cds_service.audit import writer
from cds_service.audit.chain import GENESIS, ChainHead
from cds_service.audit.lock import writer_lock
from cds_service.audit.log import AuditLog
from cds_service.errors import AuditUnavailableError
from tests.unit.audit.samples import (
    KEY,
    audit_log,
    feedback_record,
    files_of,
    hook_record,
    torn_write,
    verified,
    why_broken,
)

if TYPE_CHECKING:
    from pathlib import Path


def test_start_makes_a_private_directory_and_the_first_record(tmp_path: Path) -> None:
    log = audit_log(tmp_path / "new" / "audit")

    assert log.head().sequence == 1
    assert (tmp_path / "new" / "audit").stat().st_mode & 0o777 == 0o700
    assert [path.stat().st_mode & 0o777 for path in files_of(tmp_path / "new" / "audit")] == [0o600]


def test_start_again_continues_the_same_file(tmp_path: Path) -> None:
    audit_log(tmp_path).append(hook_record())
    again = audit_log(tmp_path)
    again.append(hook_record())

    assert verified(tmp_path).counts == {"opened": 1, "hook": 2}
    assert again.head() == verified(tmp_path).head


def test_append_returns_after_the_sync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = audit_log(tmp_path)
    synced: list[int] = []
    monkeypatch.setattr(os, "fdatasync", lambda descriptor: synced.append(os.fstat(descriptor).st_size))
    log.append(hook_record())

    assert synced == [files_of(tmp_path)[0].stat().st_size]


def test_append_waiting_threads_share_one_sync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = audit_log(tmp_path)
    syncs: list[int] = []
    first_is_writing, others_wait = threading.Event(), threading.Event()

    def slow_sync(descriptor: int) -> None:
        syncs.append(descriptor)
        first_is_writing.set()
        assert others_wait.wait(10)

    monkeypatch.setattr(os, "fdatasync", slow_sync)
    threads = [threading.Thread(target=log.append, args=(feedback_record(),)) for _ in range(9)]
    threads[0].start()
    assert first_is_writing.wait(10)
    for thread in threads[1:]:
        thread.start()
    while len(log._waiting) < 8:
        pass
    others_wait.set()
    for thread in threads:
        thread.join()

    assert len(syncs) == 2
    assert verified(tmp_path).counts["feedback"] == 9


@pytest.mark.parametrize(
    ("after", "error", "reason"),
    [
        (0, errno.ENOSPC, "disk full before the line"),
        (100, errno.ENOSPC, "disk full within the line"),
        (100, errno.EIO, "disk broken"),
        (100, errno.EDQUOT, "quota"),
    ],
)
def test_append_failed_write_is_refused_and_leaves_no_half_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: int, error: int, reason: str
) -> None:
    log = audit_log(tmp_path)
    log.append(hook_record())
    before = files_of(tmp_path)[0].read_bytes()
    with monkeypatch.context() as patched:
        patched.setattr(os, "pwrite", torn_write(after, error))
        with pytest.raises(AuditUnavailableError, match="audit log"):
            log.append(hook_record())
    assert files_of(tmp_path)[0].read_bytes() == before, reason
    log.append(hook_record())

    assert verified(tmp_path).counts["hook"] == 2
    assert verified(tmp_path).notes == ()


def test_append_failed_sync_takes_the_line_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = audit_log(tmp_path)

    def fail(_: int) -> None:
        raise OSError(errno.EIO, "I/O error")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fdatasync", fail)
        with pytest.raises(AuditUnavailableError):
            log.append(hook_record())

    assert verified(tmp_path).counts == {"opened": 1}


def test_append_failed_sync_keeps_what_others_have_gone_on_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, other = audit_log(tmp_path), audit_log(tmp_path)
    real, calls = os.fdatasync, [0]

    def fail_while_the_other_writes(descriptor: int) -> None:
        calls[0] += 1
        if calls[0] > 1:
            return real(descriptor)
        other.append(feedback_record())
        raise OSError(errno.EIO, "I/O error")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fdatasync", fail_while_the_other_writes)
        with pytest.raises(AuditUnavailableError):
            log.append(hook_record())
    log.append(hook_record())

    assert verified(tmp_path).counts == {"opened": 1, "hook": 2, "feedback": 1}
    assert log.head().sequence == 4


def test_append_half_line_that_cannot_be_taken_back_is_sealed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = audit_log(tmp_path)

    def fail(_descriptor: int, _size: int) -> None:
        raise OSError(errno.EIO, "I/O error")

    with monkeypatch.context() as patched:
        patched.setattr(os, "pwrite", torn_write(100, errno.ENOSPC))
        patched.setattr(os, "ftruncate", fail)
        with pytest.raises(AuditUnavailableError):
            log.append(hook_record())
    assert "cut short" in why_broken(tmp_path)
    log.append(hook_record())

    assert verified(tmp_path).counts == {"opened": 1, "sealed": 1, "hook": 1}


def test_append_interrupted_leader_leaves_nobody_believing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = audit_log(tmp_path)

    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(os, "fdatasync", interrupt)
        with pytest.raises(KeyboardInterrupt):
            log.append(hook_record())
    log.append(hook_record())

    assert verified(tmp_path).broken is None


def test_append_after_the_directory_comes_back_needs_no_restart(tmp_path: Path) -> None:
    directory, away = tmp_path / "audit", tmp_path / "away"
    log = audit_log(directory)
    directory.rename(away)
    for call in (partial(log.append, hook_record()), log.check):
        with pytest.raises(AuditUnavailableError):
            call()
    assert not directory.exists(), "what was mounted there is not replaced by an empty directory"
    away.rename(directory)
    log.check()
    log.append(hook_record())

    assert verified(directory).counts == {"opened": 1, "hook": 1}


def test_append_right_to_write_taken_away_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The file stays open between batches; root may open it whatever its mode, so the refusal is played here.
    log = audit_log(tmp_path)
    path, real = files_of(tmp_path)[0], os.open

    def refuse_read_only(name: str, flags: int, mode: int = 0o777) -> int:
        if name == str(path) and flags & os.O_RDWR and not path.stat().st_mode & 0o200:
            raise PermissionError(errno.EACCES, "Permission denied")
        return real(name, flags, mode)

    monkeypatch.setattr(os, "open", refuse_read_only)
    path.chmod(0o400)
    for call in (partial(log.append, hook_record()), log.check):
        with pytest.raises(AuditUnavailableError, match="Permission denied"):
            call()
    path.chmod(0o600)
    log.check()
    log.append(hook_record())

    assert verified(tmp_path).counts == {"opened": 1, "hook": 1}


def test_append_while_another_process_does_not_let_go_is_refused(tmp_path: Path) -> None:
    log = audit_log(tmp_path, wait_seconds=0.05)
    with writer_lock(tmp_path, 1):
        for call in (partial(log.append, hook_record()), log.check):
            with pytest.raises(AuditUnavailableError, match="another process"):
                call()
    log.append(hook_record())

    assert verified(tmp_path).counts["hook"] == 1


def test_check_leaves_nothing_behind(tmp_path: Path) -> None:
    log = audit_log(tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    for _ in range(3):
        log.check()

    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_check_full_disk_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = audit_log(tmp_path)
    monkeypatch.setattr(os, "pwrite", torn_write(4096, errno.ENOSPC))

    with pytest.raises(AuditUnavailableError, match="No space"):
        log.check()
    assert not list(tmp_path.glob("*.probe"))


def test_check_log_file_that_cannot_be_opened_is_noticed(tmp_path: Path) -> None:
    log = audit_log(tmp_path)
    path = files_of(tmp_path)[0]
    path.unlink()
    # A directory in its place refuses writing to everyone, also to root.
    path.mkdir()

    with pytest.raises(AuditUnavailableError):
        log.check()


def test_head_is_reported_within_its_time_and_at_the_end(tmp_path: Path) -> None:
    heads: list[ChainHead] = []
    reported = threading.Event()

    def keep(head: ChainHead) -> None:
        heads.append(head)
        reported.set()

    log = audit_log(tmp_path, on_head=keep, head_seconds=0.2)
    for _ in range(5):
        log.append(feedback_record())
    assert reported.wait(10)
    log.append(feedback_record())
    log.close()

    assert [head.sequence for head in heads] == [6, 7]
    assert heads[-1] == log.head() == verified(tmp_path).head


def test_head_before_start_is_the_beginning(tmp_path: Path) -> None:
    assert AuditLog(tmp_path, key=KEY, rotate_bytes=1).head() == ChainHead("", 0, GENESIS)


def test_probe_and_lock_are_no_files_of_the_log(tmp_path: Path) -> None:
    audit_log(tmp_path)
    for name in (writer._PROBE_NAME, "audit-1.jsonl", "notes.txt"):
        (tmp_path / name).write_text("x")

    assert verified(tmp_path).files == 1
