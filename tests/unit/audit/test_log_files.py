"""The files of a log: rotated, made with new keys, and removed after their retention time."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

import pytest

from cds_service.audit.durable import WritableFile
from cds_service.audit.reading import verify_log
from cds_service.errors import AuditUnavailableError
from tests.unit.audit.samples import (
    KEY,
    OTHER_KEY,
    Clock,
    audit_log,
    files_of,
    hook_record,
    verified,
    why_broken,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


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


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO])
def test_retention_without_its_record_on_the_disk_deletes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: int
) -> None:
    clock = Clock()
    log = audit_log(tmp_path, clock=clock, retention_days=2)
    log.append(hook_record())
    clock.advance(days=1)
    log.append(hook_record())
    clock.advance(days=3)
    before = files_of(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(WritableFile, "write", refuse_to_write(b'"kind":"removed"', error))
        with pytest.raises(AuditUnavailableError):
            log.append(hook_record())
    log.append(hook_record())

    assert files_of(tmp_path)[:2] == before
    assert verified(tmp_path).counts["hook"] == 3
    clock.advance(days=1)
    log.append(hook_record())
    assert before[0] not in files_of(tmp_path), "removed with the next file"
    assert verified(tmp_path).counts["removed"] == 1


def refuse_to_write(text: bytes, error: int) -> Callable[..., None]:
    """A disk that takes everything but lines with this text."""
    real = WritableFile.write

    def write(file: WritableFile, offset: int, data: bytes, keep: int = 0) -> None:
        if text in data:
            raise OSError(error, os.strerror(error))
        real(file, offset, data, keep)

    return write
