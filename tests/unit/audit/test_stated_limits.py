"""The limits that records were made under: in every file before them, whoever began it and whatever failed before."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

import msgspec
import pytest

from cds_service.audit.building import build_configuration_record
from cds_service.audit.chain import encode_payload
from cds_service.audit.policies import Payload, StatedLimits
from cds_service.audit.reading import read_entries
from cds_service.audit.records import ConfigurationRecord, HookRecord
from cds_service.errors import AuditUnavailableError
from tests.unit.audit.samples import (
    NOW,
    POLICY,
    Clock,
    audit_log,
    feedback_record,
    files_of,
    hook_record,
    torn_write,
    verified,
)

if TYPE_CHECKING:
    from pathlib import Path

    from cds_service.audit.log import AuditLog


def limits(configuration: str) -> bytes:
    record = build_configuration_record(
        POLICY, service="s", configuration=configuration, mode="active", rule_version="1", mapping_version="2", now=NOW
    )
    return encode_payload(record)


A, B = limits("a"), limits("b")


def append(log: AuditLog, configuration: str) -> None:
    log.append(hook_record(configuration=configuration), limits(configuration))


def test_append_limits_are_stated_anew_where_the_end_of_the_file_is_gone(tmp_path: Path) -> None:
    log = audit_log(tmp_path, key=None)
    log.start(A)
    append(log, "a")
    (file,) = files_of(tmp_path)
    file.write_bytes(file.read_bytes().splitlines(keepends=True)[0])

    append(log, "a")

    kinds = [type(entry.record) for entry in read_entries(tmp_path)]
    assert kinds[-2:] == [ConfigurationRecord, HookRecord]


def stated(directory: Path) -> str:
    """The records of the log as letters: configurations in capitals, hooks by their configuration, files by a stroke.

    No hook stands in a file before its limits.
    """
    letters: list[str] = []
    in_file: set[tuple[str, str]] = set()
    for entry in read_entries(directory):
        if entry.line == 1:
            letters.append("|")
        if isinstance(entry.record, ConfigurationRecord):
            in_file.add((entry.file, entry.record.configuration))
            letters.append(entry.record.configuration.upper())
        elif isinstance(entry.record, HookRecord):
            assert (entry.file, entry.record.configuration) in in_file
            letters.append(entry.record.configuration)
    assert verified(directory)
    return "".join(letters)


def test_limits_stand_before_the_first_record_of_a_batch_that_needs_them() -> None:
    """As threads write together, after a reload that only some of them have seen."""
    batch = [Payload(b"1", A), Payload(b"2", b""), Payload(b"3", B), Payload(b"", A), Payload(b"4", A)]
    stated = StatedLimits()

    assert stated.before_records("file", batch) == [A, b"1", b"2", B, b"3", b"4"]
    assert stated.before_records("file", batch[:1]) == [A, b"1"], "it may not be on the disk"
    stated.note("file", batch)
    assert stated.before_records("file", batch) == [b"1", b"2", b"3", b"4"]
    assert stated.before_records("next file", batch[:1]) == [A, b"1"]


def test_limits_stand_once_in_a_file(tmp_path: Path) -> None:
    log = audit_log(tmp_path)
    log.start(A)
    for _ in range(3):
        append(log, "a")

    assert stated(tmp_path) == "|Aaaa"


@pytest.mark.parametrize(("rotate_bytes", "days"), [(1, 0), (1_000_000, 1)], ids=["by size", "by day"])
def test_limits_are_stated_again_in_every_new_file(tmp_path: Path, rotate_bytes: int, days: int) -> None:
    clock = Clock()
    log = audit_log(tmp_path, clock=clock, rotate_bytes=rotate_bytes)
    for _ in range(3):
        append(log, "a")
        clock.advance(days=days)

    assert stated(tmp_path).endswith("|Aa|Aa|Aa")


def test_file_begun_by_another_worker_gets_the_limits_of_each(tmp_path: Path) -> None:
    """While a reload goes round, workers decide under different limits."""
    clock = Clock()
    old, new = audit_log(tmp_path, clock=clock), audit_log(tmp_path, clock=clock)
    for log, configuration in ((old, "a"), (new, "b"), (old, "a")):
        append(log, configuration)
    clock.advance(days=1)
    for log, configuration in ((new, "b"), (old, "a"), (new, "b"), (old, "b"), (old, "a")):
        append(log, configuration)

    assert stated(tmp_path) == "|AaBba|BbAabBba"


def test_limits_cost_no_sync_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = audit_log(tmp_path)
    syncs: list[int] = []
    monkeypatch.setattr(os, "fdatasync", lambda descriptor: syncs.append(os.fstat(descriptor).st_size))
    append(log, "a")

    assert stated(tmp_path) == "|Aa"
    assert syncs == [files_of(tmp_path)[0].stat().st_size]


@pytest.mark.parametrize("after", [0, 100, len(A) + 200], ids=["nothing", "half of it", "the limits, half the record"])
def test_limits_that_could_not_be_written_are_stated_with_the_next_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    log = audit_log(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(os, "pwrite", torn_write(after, errno.ENOSPC))
        with pytest.raises(AuditUnavailableError):
            append(log, "a")
    append(log, "a")

    assert stated(tmp_path) == "|Aa"


def test_limits_of_a_failed_sync_are_stated_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = audit_log(tmp_path)

    def fail(_: int) -> None:
        raise OSError(errno.EIO, "I/O error")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fdatasync", fail)
        with pytest.raises(AuditUnavailableError):
            log.start(A)
    append(log, "a")

    assert stated(tmp_path) == "|Aa"


def test_limits_in_a_log_that_was_taken_away_are_stated_in_the_next_one(tmp_path: Path) -> None:
    log = audit_log(tmp_path)
    append(log, "a")
    files_of(tmp_path)[0].unlink()
    append(log, "a")

    (entry,) = [entry for entry in read_entries(tmp_path) if isinstance(entry.record, ConfigurationRecord)]
    assert entry.line == 2


def test_records_without_limits_state_none(tmp_path: Path) -> None:
    log = audit_log(tmp_path)
    log.append(feedback_record())

    assert verified(tmp_path).counts == {"opened": 1, "feedback": 1}


def test_limits_are_repeated_as_they_were_written_first(tmp_path: Path) -> None:
    clock = Clock()
    log = audit_log(tmp_path, clock=clock)
    for _ in range(2):
        append(log, "a")
        clock.advance(days=1)
    found = [entry.record for entry in read_entries(tmp_path) if isinstance(entry.record, ConfigurationRecord)]

    assert found == [msgspec.json.decode(A, type=ConfigurationRecord)] * 2
