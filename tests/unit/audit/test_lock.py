"""The lock of an audit directory: one writer, whatever is deleted, forked or killed meanwhile."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from cds_service.audit import lock
from cds_service.audit.lock import WriterLock, reader_lock, writer_lock

if TYPE_CHECKING:
    from pathlib import Path


def test_writer_keeps_writers_and_readers_out(tmp_path: Path) -> None:
    with writer_lock(tmp_path, 1):
        with pytest.raises(TimeoutError), writer_lock(tmp_path, 0.01):
            pass
        with pytest.raises(TimeoutError), reader_lock(tmp_path, 0.01):
            pass
    with reader_lock(tmp_path, 0.01), reader_lock(tmp_path, 0.01):
        pass


def test_reader_of_an_archive_needs_no_lock_file(tmp_path: Path) -> None:
    with reader_lock(tmp_path, 0.01):
        pass

    assert not list(tmp_path.iterdir())


def test_generation_changes_when_a_file_is_announced(tmp_path: Path) -> None:
    first, second = WriterLock(tmp_path), WriterLock(tmp_path)
    seen = []
    for held, announces in ((first, False), (second, True), (first, False), (first, False)):
        held.acquire(1)
        if announces:
            held.announce("audit-000000000001-2026-03-09.jsonl")
        seen.append(held.generation)
        held.release()

    assert seen[0] != seen[1] == seen[2] == seen[3]


def test_generation_changes_when_the_lock_file_is_replaced(tmp_path: Path) -> None:
    held = WriterLock(tmp_path)
    held.acquire(1)
    before = held.generation
    held.release()
    # Kept under another name, so that its number is not given to the next file.
    (tmp_path / "audit.lock").rename(tmp_path / "old.lock")
    held.acquire(1)
    held.release()

    assert held.generation != before


def test_lock_is_not_kept_where_its_directory_became_something_else(tmp_path: Path) -> None:
    directory, away = tmp_path / "audit", tmp_path / "away"
    directory.mkdir()
    held = WriterLock(directory)
    held.acquire(1)
    held.release()
    directory.rename(away)
    directory.write_text("no directory")
    with pytest.raises(NotADirectoryError):
        held.acquire(1)

    with writer_lock(away, 0.01):
        pass


def test_lock_file_deleted_while_held_lets_nobody_in_beside_the_next_holder(tmp_path: Path) -> None:
    entered = threading.Event()

    def wait_for_lock() -> None:
        with writer_lock(tmp_path, 30):
            entered.set()

    waiter = threading.Thread(target=wait_for_lock)
    with ExitStack() as first, ExitStack() as second:
        first.enter_context(writer_lock(tmp_path, 1))
        waiter.start()
        while len(lock._descriptors) < 2:
            pass
        (tmp_path / "audit.lock").unlink()
        second.enter_context(writer_lock(tmp_path, 1))
        # What the waiter gets now is the lock of a file that nobody else will look at.
        first.close()
        assert not entered.wait(0.2)
        second.close()
        assert entered.wait(10)
    waiter.join()


def test_lock_is_released_although_a_copy_of_its_descriptor_lives(tmp_path: Path) -> None:
    # As in a process that was forked by another thread while the lock was held.
    with writer_lock(tmp_path, 1):
        copied = os.dup(next(iter(lock._descriptors)))
    try:
        with writer_lock(tmp_path, 0.01):
            pass
    finally:
        os.close(copied)


def test_lock_ends_with_its_holder_although_a_forked_process_lives(tmp_path: Path) -> None:
    script = """
import os, sys, time
from pathlib import Path
from cds_service.audit.lock import writer_lock
with writer_lock(Path(sys.argv[1]), 1):
    child = os.fork()
    if child == 0:
        os.closerange(1, 3)
        time.sleep(60)
    print(child, flush=True)
    os._exit(0)
"""
    answer = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True)
    try:
        with writer_lock(tmp_path, 5):
            pass
    finally:
        os.kill(int(answer.stdout), 9)
