"""One audit log written by several processes that are killed, forked, and run out of disk."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from unittest.mock import patch

import pytest

from cds_service.audit.log import AuditLog
from cds_service.audit.reading import read_entries, verify_log
from cds_service.audit.records import FeedbackRecord
from cds_service.errors import AuditUnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cds_service.audit.verification import Verification

KEY = bytes(range(32))
# Small, so that files are rotated many times while several processes write.
ROTATE_BYTES = 30_000

# Appends from some threads and prints a line after each record that was acknowledged.
WRITER = """
import sys, threading
from pathlib import Path
from tests.integration.test_audit_processes import open_log, record
directory, name, threads, count = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
log = open_log(Path(directory))
log.start()
def write(thread):
    for number in range(count):
        log.append(record(f"{name}-{thread}-{number}"))
        sys.stdout.write(f"{name}-{thread}-{number}\\n")
        sys.stdout.flush()
workers = [threading.Thread(target=write, args=(thread,)) for thread in range(threads)]
[worker.start() for worker in workers]
[worker.join() for worker in workers]
"""


def open_log(directory: Path) -> AuditLog:
    """Open the log of these tests."""
    return AuditLog(directory, key=KEY, rotate_bytes=ROTATE_BYTES, wait_seconds=30)


def record(request_id: str) -> FeedbackRecord:
    """Build a record that can be told from all others."""
    now = datetime(2026, 3, 10, 8, 0, tzinfo=UTC)
    return FeedbackRecord(
        time=now, request_id=request_id, client="main-ehr", card="c", outcome="accepted", outcome_time=now
    )


def spawn(directory: Path, name: str, threads: int, count: int) -> subprocess.Popen[str]:
    """Start a process that writes."""
    arguments = [sys.executable, "-c", WRITER, str(directory), name, str(threads), str(count)]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)


def logged_ids(directory: Path) -> list[str]:
    """Request ids in the order of the log."""
    return [entry.record.request_id for entry in read_entries(directory) if isinstance(entry.record, FeedbackRecord)]


def whole(directory: Path) -> Verification:
    """Verify, and return what was found in a log that is whole."""
    found = verify_log(directory, (KEY,))
    assert found.broken is None, found.broken
    return found


def test_four_processes_with_threads_make_one_chain(tmp_path: Path) -> None:
    writers = [spawn(tmp_path, f"w{number}", 4, 50) for number in range(4)]
    acknowledged = [writer.communicate(timeout=100)[0].split() for writer in writers]
    assert [writer.returncode for writer in writers] == [0] * 4

    ids = logged_ids(tmp_path)
    assert sorted(ids) == sorted(name for names in acknowledged for name in names)
    assert len(ids) == 800
    assert whole(tmp_path).files > 3
    for writer in range(4):
        for thread in range(4):
            own = [name for name in ids if name.startswith(f"w{writer}-{thread}-")]
            assert own == [f"w{writer}-{thread}-{number}" for number in range(50)], "in the order of writing"


def test_killed_writers_lose_no_acknowledged_record(tmp_path: Path) -> None:
    chance = random.Random(20260310)  # noqa: S311  moments, not secrets
    acknowledged: list[str] = []
    for attempt in range(5):
        writers = [spawn(tmp_path, f"a{attempt}w{number}", 3, 100_000) for number in range(2)]
        first_lines = [writer.stdout.readline() for writer in writers if writer.stdout]
        time.sleep(chance.uniform(0.0, 0.05))
        for writer in writers:
            writer.send_signal(signal.SIGKILL)
        # From the same stream: communicate() would begin behind what readline() has taken in.
        rests = [writer.stdout.read() for writer in writers if writer.stdout]
        for writer in writers:
            writer.communicate(timeout=30)
        acknowledged += [name for text in (*first_lines, *rests) for name in text.splitlines(keepends=True)]
    open_log(tmp_path).start()

    assert whole(tmp_path).counts["feedback"] >= len(acknowledged) > 16
    # A name without its line feed was being printed when the process died.
    assert {name.strip() for name in acknowledged if name.endswith("\n")} <= set(logged_ids(tmp_path))


def test_writer_killed_in_mid_line_is_sealed_by_the_others(tmp_path: Path) -> None:
    log = open_log(tmp_path)
    log.start()
    child = os.fork()
    if child == 0:
        _die_in_mid_line(log)
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL
    broken = verify_log(tmp_path, (KEY,)).broken
    assert broken is not None
    assert "cut short" in broken.why
    log.append(record("survivor"))

    assert whole(tmp_path).counts == {"opened": 1, "sealed": 1, "feedback": 1}
    assert logged_ids(tmp_path) == ["survivor"]


def _die_in_mid_line(log: AuditLog) -> None:
    """Write half of a record as a process killed within the system call would; runs in a forked process."""
    real = os.pwrite

    def half(descriptor: int, data: bytes, offset: int) -> int:
        real(descriptor, data[: len(data) // 2], offset)
        os.kill(os.getpid(), signal.SIGKILL)
        return 0

    with patch.object(os, "pwrite", half):
        log.append(record("victim"))


def test_file_size_limit_of_the_system_leaves_no_half_line(tmp_path: Path) -> None:
    # The kernel itself writes a part of the line and then refuses, as on a full disk.
    script = """
import resource, sys
from pathlib import Path
from cds_service.errors import AuditUnavailableError
from tests.integration.test_audit_processes import open_log, record
log = open_log(Path(sys.argv[1]))
log.start()
log.append(record("before"))
used = next(Path(sys.argv[1]).glob("*.jsonl")).stat().st_size
resource.setrlimit(resource.RLIMIT_FSIZE, (used + 60, resource.RLIM_INFINITY))
try:
    log.append(record("refused"))
except AuditUnavailableError as error:
    print(error.log_detail)
assert next(Path(sys.argv[1]).glob("*.jsonl")).stat().st_size == used
try:
    log.check()
except AuditUnavailableError as error:
    print(error.log_detail)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
log.check()
log.append(record("after"))
"""
    answer = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=False)

    assert (answer.returncode, answer.stderr) == (0, "")
    assert answer.stdout.count("File too large") == 2
    assert logged_ids(tmp_path) == ["before", "after"]
    assert whole(tmp_path).notes == ()


@contextmanager
def writing_threads(log: AuditLog, count: int) -> Iterator[None]:
    """Keep threads appending while the block runs."""
    stopped = threading.Event()

    def write(name: str) -> None:
        number = 0
        while not stopped.is_set():
            log.append(record(f"parent-{name}-{number}"))
            number += 1

    threads = [threading.Thread(target=write, args=(str(number),)) for number in range(count)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stopped.set()
        for thread in threads:
            thread.join()


@pytest.mark.filterwarnings("ignore:This process.*is multi-threaded, use of fork:DeprecationWarning")
def test_fork_while_threads_write_leaves_both_sides_writing(tmp_path: Path) -> None:
    heads: list[int] = []
    log = AuditLog(
        tmp_path,
        key=KEY,
        rotate_bytes=ROTATE_BYTES,
        on_head=lambda head: heads.append(head.sequence),
        head_seconds=0.01,
    )
    log.start()
    with writing_threads(log, 3):
        for number in range(10):
            child = os.fork()
            if child == 0:
                _append_and_leave(log, f"child-{number}")
            assert os.waitpid(child, 0)[1] == 0
    log.close()

    assert {f"child-{number}" for number in range(10)} <= set(logged_ids(tmp_path))
    assert whole(tmp_path).counts["feedback"] > 10
    assert heads == sorted(heads)


def _append_and_leave(log: AuditLog, name: str) -> None:
    """Append from a forked process, or leave with an error code."""
    code = 1
    # A lock inherited from a thread that is not here would block for ever.
    signal.alarm(30)
    try:
        log.append(record(name))
        log.close()
        code = 0
    except AuditUnavailableError:
        code = 2
    finally:
        os._exit(code)


def test_verify_while_processes_write_sees_no_half_line(tmp_path: Path) -> None:
    open_log(tmp_path).start()
    writers = [spawn(tmp_path, f"w{number}", 2, 300) for number in range(2)]
    verified = 0
    while any(writer.poll() is None for writer in writers):
        whole(tmp_path)
        verified += 1
    for writer in writers:
        writer.communicate(timeout=30)

    assert verified > 1
    assert whole(tmp_path).counts["feedback"] == 1200
