"""The files of a log: rotated, and made with new keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cds_service.audit.files import file_names
from cds_service.audit.reading import verify_log
from tests.unit.audit.samples import KEY, OTHER_KEY, Clock, audit_log, hook_record, verified

if TYPE_CHECKING:
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


def test_clock_set_back_over_midnight_does_not_begin_files(tmp_path: Path) -> None:
    clock = Clock()
    log = audit_log(tmp_path, clock=clock)
    for _ in range(3):
        clock.advance(days=-1)
        log.append(hook_record())
        clock.advance(days=1)
        log.append(hook_record())

    assert verified(tmp_path).files == 1


def test_clock_that_was_years_ahead_does_not_name_the_files_of_the_years_to_come(tmp_path: Path) -> None:
    clock = Clock()
    log = audit_log(tmp_path, clock=clock)
    for days in (4_300, -4_300, 1):
        clock.advance(days=days)
        log.append(hook_record())

    names = sorted(path.name for path in tmp_path.glob("*.jsonl"))
    assert [name[-16:-6] for name in names] == [
        "2026-03-09",
        "2037-12-16",
        "2026-03-09",
        "2026-03-10",
    ]
    assert verified(tmp_path).counts["hook"] == 3


def test_new_key_begins_a_file_and_old_files_stay_verifiable(tmp_path: Path) -> None:
    for key in (None, OTHER_KEY, KEY):
        audit_log(tmp_path, key=key).append(hook_record())
    found = verified(tmp_path, KEY, OTHER_KEY)

    assert (found.files, found.counts) == (3, {"opened": 3, "hook": 3})
    assert [note.partition(": ")[2].partition(" (")[0] for note in found.notes] == ["chained with hmac-sha256"] * 2
    assert verify_log(tmp_path, (KEY,)).broken is not None, "the older key is needed"


def test_writers_with_different_keys_do_not_break_each_other_and_say_that_they_meet(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    # A rolling restart with a new key, or a second service by mistake: no hook is refused for it.
    old, new = audit_log(tmp_path, key=OTHER_KEY), audit_log(tmp_path)
    for log in (old, new, old, old, new):
        log.append(hook_record())

    said = [(one.levelname, one.getMessage()) for one in caplog.records if "another key" in one.getMessage()]
    assert [level for level, _ in said] == ["WARNING", "ERROR", "ERROR"], "when the second came, and once by each"
    assert "another service writes to audit directory" in said[1][1]

    assert verified(tmp_path, KEY, OTHER_KEY).counts["hook"] == 5


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("audit-000000000009-2026-02-30.jsonl", "no day of the calendar"),
        ("audit-000000000009-2026-13-01.jsonl", "no month"),
        ("audit-000000000009-0000-01-01.jsonl", "no year"),
        ("audit-000000000009-2026-11-22.jsonl.gz", "a copy that somebody packed"),
    ],
)
def test_file_that_the_log_did_not_make_is_left_alone(tmp_path: Path, name: str, reason: str) -> None:
    (tmp_path / name).write_text("anything\n")
    log = audit_log(tmp_path, retention_days=30)
    log.append(hook_record())

    assert name not in file_names(tmp_path), reason
    assert (tmp_path / name).read_text() == "anything\n"
