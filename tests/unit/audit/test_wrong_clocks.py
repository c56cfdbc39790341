"""A clock that is wrong deletes nothing: neither one reading, nor a start on it, nor weeks of it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.audit.bookkeeping import ContinuedRecord, RemovedRecord
from cds_service.audit.chain import ChainKey
from cds_service.audit.plausible_time import Leap, lived_days, open_leap, patience
from cds_service.audit.reading import verify_log
from tests.support.audit_logs import ChainFile
from tests.unit.audit.samples import KEY, NOW, Clock, audit_log, files_of, hook_record, verified, why_broken

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from cds_service.audit.log import AuditLog

DAY = date(2026, 3, 10)
YEARS = 4_018


def month_of_records(directory: Path, days: int = 29, retention_days: int = 2_200) -> tuple[Clock, AuditLog]:
    clock = Clock(NOW)
    log = audit_log(directory, clock=clock, retention_days=retention_days)
    for _ in range(days):
        log.append(hook_record(now=clock.now))
        clock.advance(days=1)
    return clock, log


def reading(clock: Clock, log: AuditLog, restart: Callable[[], AuditLog]) -> None:
    """One record in 2037, then the clock is right again."""
    clock.advance(days=YEARS)
    log.append(hook_record(now=clock.now))
    clock.advance(days=-YEARS)


def start(clock: Clock, log: AuditLog, restart: Callable[[], AuditLog]) -> None:
    """A start eleven years ahead, as without a battery behind the clock."""
    clock.advance(days=YEARS)
    restart().append(hook_record(now=clock.now))


def weeks(clock: Clock, log: AuditLog, restart: Callable[[], AuditLog]) -> None:
    """Nobody notices for three weeks, and the service is started each day."""
    clock.advance(days=YEARS)
    for _ in range(21):
        restart().append(hook_record(now=clock.now))
        clock.advance(days=1)


def flapping(clock: Clock, log: AuditLog, restart: Callable[[], AuditLog]) -> None:
    """Two hosts of the virtual machine, of which one is wrong."""
    for _ in range(40):
        clock.advance(days=YEARS + 1)
        restart().append(hook_record(now=clock.now))
        clock.advance(days=-YEARS)
        restart().append(hook_record(now=clock.now))


@pytest.mark.parametrize("disturb", [reading, start, weeks, flapping])
@pytest.mark.parametrize("retention_days", [30, 365, 2_200])
def test_clock_eleven_years_ahead_removes_nothing_and_says_so(
    tmp_path: Path,
    disturb: Callable[[Clock, AuditLog, Callable[[], AuditLog]], None],
    retention_days: int,
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock, log = month_of_records(tmp_path, days=25, retention_days=retention_days)
    before = files_of(tmp_path)
    disturb(clock, log, lambda: audit_log(tmp_path, clock=clock, retention_days=retention_days))

    gone = [path for path in before if not path.exists()]
    # Three weeks that the log has really lived count, whatever day they are called.
    assert len(gone) <= (21 if disturb in (weeks, flapping) and retention_days == 30 else 0)
    assert "is the clock of this host wrong?" in caplog.text


def test_clock_doubt_is_told_while_the_clock_is_wrong_and_ends_with_it(tmp_path: Path) -> None:
    clock, log = month_of_records(tmp_path)
    assert log.clock_doubt == ""
    clock.advance(days=YEARS)
    log.append(hook_record(now=clock.now))
    assert log.clock_doubt == "the log goes from 2026-04-06 to 2037-04-07 at once"
    clock.advance(days=-YEARS)
    log.append(hook_record(now=clock.now))

    assert log.clock_doubt == ""
    assert verified(tmp_path).counts["hook"] == 31


def test_expired_files_go_when_a_second_day_says_so_too(tmp_path: Path) -> None:
    clock, log = month_of_records(tmp_path, days=33, retention_days=30)

    assert (verified(tmp_path).counts["condemned"], len(files_of(tmp_path))) == (1, 33)
    log.append(hook_record(now=clock.now))
    assert (verified(tmp_path).counts["removed"], len(files_of(tmp_path))) == (1, 33)
    for _ in range(5):
        # Many starts on one day are one reading of the clock.
        audit_log(tmp_path, clock=clock, retention_days=30, rotate_bytes=1).append(hook_record(now=clock.now))
    assert verified(tmp_path).counts["removed"] == 1


def test_service_that_was_off_for_half_a_year_removes_again_after_its_patience(tmp_path: Path) -> None:
    clock, log = month_of_records(tmp_path, days=20, retention_days=30)
    clock.advance(days=180)
    for day in range(60):
        log.append(hook_record(now=clock.now))
        assert bool(log.clock_doubt) == (day < patience(30))
        clock.advance(days=1)

    found = verified(tmp_path)
    assert found.counts["removed"] > 0
    assert files_of(tmp_path)[0].name[-16:-6] == "2026-10-22"


@pytest.mark.parametrize(
    ("days", "leap", "reason"),
    [
        ([], None, "no log"),
        ([0, 1, 2, 90], None, "a quarter of a year without a record"),
        ([0, 1, 92], Leap(DAY + timedelta(1), DAY + timedelta(92)), "more than that"),
        ([0, 4000, 1], None, "the next record is right again"),
        ([0, 4000, 4001], Leap(DAY, DAY + timedelta(4000)), "goes on from there"),
        ([0, 4000, 4090], None, "for so long that it must be so"),
        ([0, -20000, 1], None, "a clock that had not been set yet"),
        ([0, 4000, 1, 4001], Leap(DAY + timedelta(1), DAY + timedelta(4001)), "wrong again"),
    ],
)
def test_leap_is_open_until_the_days_explain_it(days: list[int], leap: Leap | None, reason: str) -> None:
    assert open_leap([DAY + timedelta(day) for day in days], 90) == leap, reason


@given(st.lists(st.integers(-20_000, 20_000), min_size=1, max_size=30), st.integers(-20_000, 20_000))
def test_one_wrong_day_adds_no_more_than_twice_the_patience(days: Sequence[int], wrong: int) -> None:
    """Whatever the others are."""
    right = [DAY + timedelta(day) for day in days]
    middle = len(right) // 2
    disturbed = [*right[:middle], DAY + timedelta(wrong), *right[middle:]]

    assert abs(lived_days(disturbed, 90)[0] - lived_days(right, 90)[0]) <= 180


def removed_in(directory: Path, *days: datetime, removal: datetime) -> None:
    """A log as sii-cds 0.1 wrote it: files of some days, of which the second tells of a removal."""
    key, end = ChainKey(KEY), ContinuedRecord(9, "0" * 64)
    through = end
    for number, day in enumerate(days):
        file = ChainFile(key, day if number != 1 else removal, end)
        if number == 1:
            file.add(RemovedRecord(time=removal, files=("audit-000000000001-2026-03-01.jsonl",), through=through))
        file.add(hook_record(now=day))
        end = file.end
        (directory / file.name).write_bytes(b"".join(file.lines))


T = datetime(2026, 3, 10, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("days", "removal", "named", "reason"),
    [
        ((T, T, T), T + timedelta(days=YEARS), True, "years ahead of the record before and of the one after"),
        ((T, T + timedelta(days=YEARS)), T + timedelta(days=YEARS), True, "the newest, and years after the one before"),
        ((T, T + timedelta(days=1), T + timedelta(days=2)), T + timedelta(days=1), False, "a removal in its time"),
        (
            (T, T + timedelta(days=200), T + timedelta(days=291)),
            T + timedelta(days=200),
            False,
            "the service had been off, and went on from there for as long as patience lasts",
        ),
    ],
)
def test_verify_names_a_removal_dated_beyond_its_neighbours(
    tmp_path: Path, days: tuple[datetime, ...], removal: datetime, named: bool, reason: str
) -> None:
    removed_in(tmp_path, *days, removal=removal)
    found = verify_log(tmp_path, (KEY,))

    assert (found.broken is not None) == named, reason
    if named:
        assert "removed files by a clock that was wrong" in why_broken(tmp_path)
