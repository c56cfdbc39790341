"""After a crash, and after someone changed the files: sealed, or never rewinding."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

import pytest

from cds_service.audit.reading import verify_log
from cds_service.errors import AuditUnavailableError
from tests.unit.audit.samples import (
    KEY,
    Clock,
    audit_log,
    feedback_record,
    files_of,
    hook_record,
    torn_write,
    verified,
    why_broken,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


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


@pytest.mark.parametrize(
    ("comments", "reason"),
    [
        ((100_000,) * 20, "only the end of what was written is read"),
        ((10, 400_000), "a last line that is longer than this"),
        ((400_000, 10), "a line that begins before what is read"),
    ],
)
def test_writer_goes_on_after_another_wrote_much(tmp_path: Path, comments: tuple[int, ...], reason: str) -> None:
    idle, busy = audit_log(tmp_path, rotate_bytes=10_000_000), audit_log(tmp_path, rotate_bytes=10_000_000)
    idle.append(hook_record())
    for length in comments:
        busy.append(feedback_record(comment="x" * length))
    idle.append(hook_record())

    assert verified(tmp_path).counts == {"opened": 1, "hook": 2, "feedback": len(comments)}, reason
    assert idle.head() == verified(tmp_path).head
