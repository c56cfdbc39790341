"""Appending: durable or refused, whole after every failure, rotated, and never rewinding."""

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
from cds_service.audit.reading import verify_log
from cds_service.errors import AuditUnavailableError
from tests.unit.audit.samples import KEY, Clock, audit_log, feedback_record, files_of, hook_record

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cds_service.audit.verification import Verification

OTHER_KEY = b"another key of the site, 32 bytes"


def verified(directory: Path, *keys: bytes) -> Verification:
    """Verify, and return what was found in a log that is whole."""
    found = verify_log(directory, keys or (KEY,))
    assert found.broken is None
    return found


def why_broken(directory: Path, head: ChainHead | None = None) -> str:
    found = verify_log(directory, (KEY,), head)
    assert found.broken is not None
    return found.broken.why


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


def torn_write(after: int, error: int) -> Callable[[int, bytes, int], int]:
    """Stand in for pwrite on a disk that takes a few more bytes and then none."""
    real, left = os.pwrite, [after]

    def write(descriptor: int, data: bytes, offset: int) -> int:
        if left[0] == 0:
            raise OSError(error, os.strerror(error))
        part = data[: left[0]]
        left[0] -= len(part)
        return real(descriptor, part, offset)

    return write


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


def test_seal_that_fails_keeps_the_bytes_of_the_torn_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = audit_log(tmp_path)
    path = files_of(tmp_path)[0]
    with path.open("ab") as stream:
        stream.write(b"x" * 50)
    size = path.stat().st_size
    with monkeypatch.context() as patched:
        patched.setattr(os, "pwrite", torn_write(10, errno.ENOSPC))
        with pytest.raises(AuditUnavailableError):
            log.append(hook_record())
    assert path.stat().st_size == size
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


def test_append_while_another_process_does_not_let_go_is_refused(tmp_path: Path) -> None:
    log = audit_log(tmp_path, lock_seconds=0.05)
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


@pytest.mark.parametrize(
    ("cut", "sealed", "reason"),
    [
        (b'{"sequence":3,"kind":"ho', "sealed", "a record cut short"),
        (b"{", "sealed", "one byte"),
        (b"\xff\x00\r\xc3", "sealed", "bytes that are no text"),
    ],
)
def test_torn_last_line_is_named_until_the_next_start_seals_it(
    tmp_path: Path, cut: bytes, sealed: str, reason: str
) -> None:
    audit_log(tmp_path).append(hook_record())
    with files_of(tmp_path)[0].open("ab") as stream:
        stream.write(cut)
    assert "cut short" in why_broken(tmp_path), reason
    audit_log(tmp_path)
    found = verified(tmp_path)

    assert found.counts == {"opened": 1, "hook": 1, sealed: 1}
    assert "sealed" in found.notes[0]
    assert all(line.startswith(b"{") for line in files_of(tmp_path)[0].read_bytes().splitlines()), "still JSON Lines"


@pytest.mark.parametrize("left", [0, 1, 150], ids=["empty", "one byte", "half the opening record"])
def test_torn_first_line_of_a_file_is_begun_anew(tmp_path: Path, left: int) -> None:
    clock = Clock()
    log = audit_log(tmp_path, clock=clock)
    log.append(hook_record())
    clock.advance(days=1)
    log.append(hook_record())
    newest = files_of(tmp_path)[1]
    os.truncate(newest, left)
    assert verify_log(tmp_path, (KEY,)).broken is not None
    again = audit_log(tmp_path, clock=clock)
    again.append(hook_record())

    assert files_of(tmp_path)[1] == newest
    assert verified(tmp_path).counts == {"opened": 2, "closed": 1, "hook": 2}
    assert len(verified(tmp_path).notes) == (1 if left else 0)


def test_crash_between_closing_and_opening_is_named_until_the_next_start(tmp_path: Path) -> None:
    clock = Clock()
    log = audit_log(tmp_path, clock=clock)
    clock.advance(days=1)
    log.append(hook_record())
    files_of(tmp_path)[1].unlink()
    assert "begins with record 3 is missing" in why_broken(tmp_path)
    audit_log(tmp_path, clock=clock)

    assert verified(tmp_path).counts == {"opened": 2, "closed": 1}


@pytest.mark.parametrize(
    ("rotate_bytes", "days", "files", "reason"),
    [(1_000_000, 0, 1, "small and of one day"), (1, 0, 7, "every record is too much"), (1_000_000, 1, 6, "one a day")],
)
def test_rotation_keeps_one_chain(tmp_path: Path, rotate_bytes: int, days: int, files: int, reason: str) -> None:
    clock = Clock()
    log = audit_log(tmp_path, rotate_bytes=rotate_bytes, clock=clock)
    for number in range(6):
        log.append(hook_record())
        if number < 5:
            clock.advance(days=days)
    found = verified(tmp_path)

    assert (found.files, found.counts["hook"]) == (files, 6), reason
    assert found.head == log.head()


def test_rotation_of_one_writer_is_noticed_by_the_others(tmp_path: Path) -> None:
    first, second = audit_log(tmp_path, rotate_bytes=6000), audit_log(tmp_path, rotate_bytes=6000)
    for _ in range(10):
        first.append(hook_record())
        second.append(hook_record())

    assert verified(tmp_path).counts["hook"] == 20
    assert verified(tmp_path).files > 3


def test_clock_set_back_does_not_begin_files(tmp_path: Path) -> None:
    clock = Clock()
    log = audit_log(tmp_path, clock=clock)
    for _ in range(3):
        clock.advance(days=-1)
        log.append(hook_record())

    assert verified(tmp_path).files == 1


def test_new_key_begins_a_file_and_old_files_stay_verifiable(tmp_path: Path) -> None:
    for key in (None, OTHER_KEY, KEY):
        audit_log(tmp_path, key=key).append(hook_record())
    found = verified(tmp_path, KEY, OTHER_KEY)

    assert (found.files, found.counts) == (3, {"opened": 3, "hook": 3})
    assert [note.partition(": ")[2].partition(" (")[0] for note in found.notes] == ["chained with hmac-sha256"] * 2
    assert verify_log(tmp_path, (KEY,)).broken is not None, "the older key is needed"


def test_writers_with_different_keys_do_not_break_each_other(tmp_path: Path) -> None:
    # A rolling restart with a new key: old and new processes meet for a while.
    old, new = audit_log(tmp_path, key=OTHER_KEY), audit_log(tmp_path)
    for log in (old, new, old, old, new):
        log.append(hook_record())

    assert verified(tmp_path, KEY, OTHER_KEY).counts["hook"] == 5


def test_retention_removes_whole_files_and_says_so(tmp_path: Path) -> None:
    clock = Clock()
    log = audit_log(tmp_path, clock=clock, retention_days=2)
    for _ in range(6):
        log.append(hook_record())
        clock.advance(days=1)
    found = verified(tmp_path)

    assert [path.name[-16:-6] for path in files_of(tmp_path)] == [
        "2026-03-11",
        "2026-03-12",
        "2026-03-13",
        "2026-03-14",
    ]
    assert found.counts["removed"] == 2
    assert "retention" in found.notes[0]


def test_removal_of_more_than_the_retention_record_names_is_missed(tmp_path: Path) -> None:
    clock = Clock()
    log = audit_log(tmp_path, clock=clock, retention_days=2)
    for _ in range(6):
        log.append(hook_record())
        clock.advance(days=1)
    files_of(tmp_path)[0].unlink()

    assert "no record of the log says they were removed" in why_broken(tmp_path)


def test_retention_file_that_cannot_be_deleted_does_not_stop_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    log = audit_log(tmp_path, clock=clock, retention_days=0)
    log.append(hook_record())

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(type(tmp_path), "unlink", refuse)
    for _ in range(3):
        clock.advance(days=1)
        log.append(hook_record())

    assert verified(tmp_path).counts["hook"] == 4


@pytest.mark.parametrize(
    ("remove", "first", "reason"),
    [
        (lambda lines: lines[:-2], 3, "the newest records"),
        (lambda _: [], 1, "all of them"),
    ],
)
def test_records_removed_under_a_running_service_leave_a_gap(
    tmp_path: Path, remove: Callable[[list[bytes]], list[bytes]], first: int, reason: str
) -> None:
    log = audit_log(tmp_path)
    for _ in range(3):
        log.append(hook_record())
    path = files_of(tmp_path)[0]
    rest = remove(path.read_bytes().splitlines(keepends=True))
    path.write_bytes(b"".join(rest))
    if not rest:
        path.unlink()
    log.append(hook_record())

    assert f"records {first} to 4 are missing" in why_broken(tmp_path), reason


def test_records_removed_before_a_restart_leave_a_gap_where_the_head_is_known(tmp_path: Path) -> None:
    log = audit_log(tmp_path)
    log.append(hook_record())
    log.append(hook_record())
    path = files_of(tmp_path)[0]
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))
    assert "chain head kept outside" in why_broken(tmp_path, log.head())
    audit_log(tmp_path, known_head=log.head()).append(hook_record())

    assert "record 3 is missing" in why_broken(tmp_path)


def test_known_record_cut_short_is_sealed_in_its_place(tmp_path: Path) -> None:
    log = audit_log(tmp_path)
    log.append(hook_record())
    path = files_of(tmp_path)[0]
    os.truncate(path, path.stat().st_size - 40)
    assert "cut short" in why_broken(tmp_path, log.head())
    again = audit_log(tmp_path, known_head=log.head())
    found = verify_log(tmp_path, (KEY,), log.head())

    assert found.broken is None
    assert again.head().sequence == log.head().sequence
    assert any("had been whole" in note for note in found.notes)


def test_damaged_last_line_does_not_stop_the_log_and_stays_named(tmp_path: Path) -> None:
    log = audit_log(tmp_path)
    log.append(hook_record())
    path = files_of(tmp_path)[0]
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + b"garbage\n")
    audit_log(tmp_path).append(hook_record())
    found = verify_log(tmp_path, (KEY,))

    assert found.broken is not None
    assert (found.broken.line, found.broken.why) == (2, "this is no line of the log")


def test_damaged_first_line_does_not_stop_the_log_and_stays_named(tmp_path: Path) -> None:
    log = audit_log(tmp_path)
    log.append(hook_record())
    path = files_of(tmp_path)[0]
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"garbage\n" + lines[1])
    audit_log(tmp_path).append(hook_record())
    found = verify_log(tmp_path, (KEY,))

    assert found.broken is not None
    assert (found.broken.file, found.broken.line) == (path.name, 1)


def test_line_longer_than_what_is_read_at_once_is_found(tmp_path: Path) -> None:
    audit_log(tmp_path).append(feedback_record(comment="x" * 300_000))
    with files_of(tmp_path)[0].open("ab") as stream:
        stream.write(b"y" * 100_000)
    again = audit_log(tmp_path)

    assert again.head().sequence == 3
    assert verified(tmp_path).counts == {"opened": 1, "feedback": 1, "sealed": 1}


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
