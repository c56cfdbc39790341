"""A worker that waits and says nothing hangs; one that computes may only be in a long step."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import contextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from cds_service.server.slot import BUSY_SILENCE_SECONDS, SILENCE_SECONDS, Worker, computed_seconds

if TYPE_CHECKING:
    from collections.abc import Iterator


def worker(pid: int) -> Worker:
    """A worker that was last heard of at 0."""
    nothing = cast("Any", None)
    return Worker(cast("Any", SimpleNamespace(inner=SimpleNamespace(pid=pid))), nothing, nothing, nothing, 0.0)


@contextmanager
def process(code: str) -> Iterator[int]:
    with subprocess.Popen([sys.executable, "-c", code]) as running:
        try:
            yield running.pid
        finally:
            running.kill()


def compute(seconds: float) -> None:
    until = time.process_time() + seconds
    while time.process_time() < until:
        pass


def test_worker_that_computes_is_not_taken_for_one_that_hangs() -> None:
    busy = worker(os.getpid())
    assert not busy.hangs(SILENCE_SECONDS / 2)
    compute(0.4)
    assert not busy.hangs(SILENCE_SECONDS)
    assert not busy.hangs(BUSY_SILENCE_SECONDS - 0.1)
    assert busy.hangs(BUSY_SILENCE_SECONDS), "no step takes so long"


def test_worker_that_waits_hangs_after_ten_seconds_whatever_it_computed_before() -> None:
    with process("import time; time.sleep(60)") as pid:
        idle = worker(pid)
        assert not idle.hangs(SILENCE_SECONDS - 1)
        assert idle.hangs(SILENCE_SECONDS)

    before = worker(os.getpid())
    assert not before.hangs(SILENCE_SECONDS / 2)
    assert before.hangs(SILENCE_SECONDS), "this process has computed for long, but not since"


def test_worker_that_is_heard_of_again_is_missed_anew() -> None:
    one = worker(os.getpid())
    assert not one.hangs(SILENCE_SECONDS / 2)
    compute(0.4)
    one.heard = 9.0
    assert not one.hangs(9.5)
    assert not one.hangs(9.0 + SILENCE_SECONDS / 2)
    assert one.hangs(9.0 + SILENCE_SECONDS)


def test_processor_time_is_that_of_the_process_and_nothing_for_none() -> None:
    used = computed_seconds(os.getpid())
    compute(0.3)
    assert computed_seconds(os.getpid()) - used == pytest.approx(0.3, abs=0.25)
    assert computed_seconds(2**22 + 1) == 0.0
