"""Files beyond their retention time: named in a record, then deleted, and never without that record."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

import pytest

from cds_service.audit import files, reading
from cds_service.audit.chain import ChainHead, read_line
from cds_service.audit.durable import WritableFile
from cds_service.audit.reading import verify_log
from cds_service.errors import AuditUnavailableError
from tests.unit.audit.samples import KEY, Clock, audit_log, files_of, hook_record, verified, why_broken

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cds_service.audit.files import Extent


def test_retention_removes_whole_files_and_says_so(tmp_path: Path) -> None:
    clock = Clock()
    log = audit_log(tmp_path, clock=clock, retention_days=2)
    for _ in range(6):
        log.append(hook_record(now=clock.now))
        clock.advance(days=1)
    found = verified(tmp_path)

    assert [path.name[-16:-6] for path in files_of(tmp_path)] == [
        "2026-03-10",
        "2026-03-11",
        "2026-03-12",
        "2026-03-13",
        "2026-03-14",
    ]
    assert (found.counts["condemned"], found.counts["removed"]) == (2, 1)
    assert "retention" in found.notes[0]


def test_removal_of_more_than_the_retention_record_names_is_missed(tmp_path: Path) -> None:
    clock = Clock()
    log = audit_log(tmp_path, clock=clock, retention_days=2)
    for _ in range(6):
        log.append(hook_record(now=clock.now))
        clock.advance(days=1)
    files_of(tmp_path)[0].unlink()

    assert "no record of the log says they were removed" in why_broken(tmp_path)


def test_retention_file_that_cannot_be_deleted_does_not_stop_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    log = audit_log(tmp_path, clock=clock, retention_days=0)
    log.append(hook_record(now=clock.now))

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(type(tmp_path), "unlink", refuse)
    for _ in range(3):
        clock.advance(days=1)
        log.append(hook_record(now=clock.now))

    assert verified(tmp_path).counts["hook"] == 4


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO])
def test_retention_without_its_record_on_the_disk_deletes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: int
) -> None:
    clock = Clock()
    log = audit_log(tmp_path, clock=clock, retention_days=2)
    log.append(hook_record(now=clock.now))
    clock.advance(days=1)
    log.append(hook_record(now=clock.now))
    clock.advance(days=3)
    log.append(hook_record(now=clock.now))
    clock.advance(days=1)
    before = files_of(tmp_path)[:2]
    with monkeypatch.context() as patched:
        patched.setattr(WritableFile, "write", refuse_to_write(b'"kind":"removed"', error))
        with pytest.raises(AuditUnavailableError):
            log.append(hook_record(now=clock.now))
    log.append(hook_record(now=clock.now))

    assert files_of(tmp_path)[:2] == before
    assert verified(tmp_path).counts["hook"] == 4
    clock.advance(days=1)
    log.append(hook_record(now=clock.now))
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


def condemned_log(directory: Path) -> Clock:
    """A log of five days whose last one condemns the first three files."""
    clock = Clock()
    log = audit_log(directory, clock=clock)
    for day in range(5):
        if day == 4:
            log = audit_log(directory, clock=clock, retention_days=0)
        log.append(hook_record(now=clock.now))
        clock.advance(days=1)
    return clock


def expired_log(directory: Path, monkeypatch: pytest.MonkeyPatch, deleted: int) -> Clock:
    """A log whose first three files of six are named in a removal record, and only so many of them deleted.

    That is what a crash between two deletions leaves, and a file that cannot be deleted.
    """
    clock = condemned_log(directory)
    real, left = type(directory).unlink, [deleted]

    def unlink(path: Path, missing_ok: bool = False) -> None:
        if left[0] == 0:
            raise PermissionError(errno.EPERM, "Operation not permitted")
        left[0] -= 1
        real(path, missing_ok)

    with monkeypatch.context() as patched:
        patched.setattr(type(directory), "unlink", unlink)
        audit_log(directory, clock=clock, retention_days=1)
    return clock


@pytest.mark.parametrize(
    ("deleted", "note"),
    [
        (0, "files removed after their retention time: 3, up to record 9, of which 3 are not deleted yet"),
        (1, "files removed after their retention time: 3, up to record 9, of which 2 are not deleted yet"),
        (2, "files removed after their retention time: 3, up to record 9, of which 1 is not deleted yet"),
        (3, "files removed after their retention time: 3, up to record 9"),
    ],
)
def test_retention_partly_done_is_no_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, deleted: int, note: str
) -> None:
    expired_log(tmp_path, monkeypatch, deleted)

    assert len(files_of(tmp_path)) == 6 - deleted
    assert [text.partition(": ")[2] for text in verified(tmp_path).notes] == [note]


def test_retention_partly_done_is_finished_with_the_next_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = expired_log(tmp_path, monkeypatch, deleted=1)
    clock.advance(days=1)
    audit_log(tmp_path, clock=clock, retention_days=1)

    assert files_of(tmp_path)[0].name == "audit-000000000010-2026-03-12.jsonl"
    assert verified(tmp_path).counts["removed"] == 2


@pytest.mark.parametrize(
    ("gone", "missing", "reason"),
    [
        ([1], "records 4 to 6 are missing", "a hole among files named for removal: they go from the oldest on"),
        ([0, 2], "records 7 to 9 are missing", "the oldest of them may be gone, but not one within"),
        ([0, 1, 2, 3], "no record of the log says they were removed", "one more than the record names"),
        ([3], "records 10 to 12 are missing", "not named"),
    ],
)
def test_file_missing_beside_a_retention_partly_done_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gone: list[int], missing: str, reason: str
) -> None:
    expired_log(tmp_path, monkeypatch, deleted=0)
    written = files_of(tmp_path)
    for number in gone:
        written[number].unlink()

    assert missing in why_broken(tmp_path), reason


@pytest.mark.parametrize("deleted", [1, 2])
def test_verify_while_expired_files_are_deleted_begins_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, deleted: int
) -> None:
    expired_log(tmp_path, monkeypatch, deleted=0)
    real = files.look
    expired = files_of(tmp_path)[:deleted]

    def look_before_they_go(directory: Path) -> tuple[Extent, ...]:
        found = real(directory)
        for path in expired:
            path.unlink(missing_ok=True)
        return found

    monkeypatch.setattr(reading, "look", look_before_they_go)

    assert verified(tmp_path).files == 6 - deleted


def test_verify_while_another_file_is_taken_away_is_not_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expired_log(tmp_path, monkeypatch, deleted=0)
    extents = files.look(tmp_path)
    extents[4].path.unlink()
    monkeypatch.setattr(reading, "look", lambda _: extents)

    with pytest.raises(FileNotFoundError):
        verify_log(tmp_path, (KEY,))


@pytest.mark.parametrize(
    ("sequence", "forged", "why", "reason"),
    [
        (5, False, "record 5, which the chain head kept outside the log names, was removed after", "its file is gone"),
        (5, True, "record 5, which the chain head kept outside the log names, was removed after", "who could tell"),
        (9, False, None, "the last one removed: the first file tells what it continues"),
        (9, True, "record 9 is another one than the chain head kept outside the log names", "and so this is found"),
        (10, True, "record 10 is another one than the chain head kept outside the log names", "the first there is"),
    ],
)
def test_head_kept_outside_of_a_removed_record_proves_nothing(
    tmp_path: Path, sequence: int, forged: bool, why: str | None, reason: str
) -> None:
    clock = condemned_log(tmp_path)
    links = links_of(tmp_path)
    audit_log(tmp_path, clock=clock, retention_days=1)
    assert files_of(tmp_path)[0].name.startswith("audit-000000000010-")

    found = verify_log(tmp_path, (KEY,), ChainHead("", sequence, "0" * 64 if forged else links[sequence]))
    assert (found.broken is None) == (why is None), reason
    if found.broken is not None:
        assert found.broken.why.startswith(why or "")
        assert (found.broken.file, found.broken.line) == (files_of(tmp_path)[0].name, 1)


def links_of(directory: Path) -> dict[int, str]:
    """The link of every record."""
    lines = (read_line(raw) for file in files_of(directory) for raw in file.read_bytes().splitlines(keepends=True))
    return {line.sequence: line.link for line in lines if line is not None}
