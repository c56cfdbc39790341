"""The bounds of a soak, and its figures for people."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from typing import TYPE_CHECKING, Final

from tests.endurance.watching import growth
from tests.support.serve_command import COMMAND

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.endurance.soak import Result

# A worker with 50 bodies of 10 MB at a time: 70 MB as it starts, 64 MiB of bodies that arrive, twice while the server
# hands them over, 16 MiB in work at seven times their size.
MOST_MB: Final = 400.0
# The last fifth of a run above its second one: what grows with every request would be far more after some thousands.
MOST_GROWTH_MB: Final = 12.0
# In a few seconds warming up cannot be told from growing: a short run sees no leak, only a flood.
SHORT_SECONDS: Final = 60
MOST_WARMING_MB: Final = 60.0
# The poll that waits for refused connections, and connections that are about to end.
MORE_FILES: Final = 10
# Four stores of at most 15 connections, of two files each. SQLite keeps the file of a closed connection for the next
# one while another has a lock, so that there are as many as there ever were at a time.
MOST_STATE_FILES: Final = 4 * 15 * 2
# 256 that wait for bodies, 16 in the application, 48 that fetch, and those of the server and the watches.
MOST_THREADS: Final = 256 + 16 + 48 + 16


def problems_of(result: Result, folder: Path) -> list[str]:
    """Name every bound that was exceeded."""
    return [*_of_answers(result), *_of_workers(result), *_of_log(folder), *_of_audit(result, folder)]


def _of_answers(result: Result) -> Iterator[str]:
    yield from dict.fromkeys(result.wrong)
    failed = [name for name in result.statuses if name.rpartition(" ")[2].startswith("5")]
    if failed:
        yield f"answers of 5xx: {failed}"


def _of_workers(result: Result) -> Iterator[str]:
    if result.pids_after != result.pids:
        yield f"workers died: {sorted(result.pids)} became {sorted(result.pids_after)}"
    for pid, after in result.after.items():
        before, samples = result.before[pid], result.samples[pid]
        if result.peaks[pid] > MOST_MB:
            yield f"worker {pid} took {result.peaks[pid]:.0f} MB, {MOST_MB:.0f} allowed"
        grown = growth([each.rss for each in samples])
        most = MOST_GROWTH_MB if len(samples) > SHORT_SECONDS else MOST_WARMING_MB
        if grown > most:
            yield f"worker {pid} grew by {grown:.1f} MB, {most:.0f} allowed"
        if after.files > before.files + MORE_FILES:
            yield f"worker {pid} has {after.files} open files, {before.files} before"
        if max(each.state_files for each in [after, *samples]) > MOST_STATE_FILES:
            yield f"worker {pid} has more than {MOST_STATE_FILES} open files of the state store"
        if max(each.threads for each in [after, *samples]) > MOST_THREADS:
            yield f"worker {pid} has more than {MOST_THREADS} threads"


def _of_log(folder: Path) -> Iterator[str]:
    errors = (folder / "stderr.log").read_text(encoding="utf-8")
    if "Traceback" in errors or "panicked" in errors:
        yield f"stderr: {errors[-300:]}"
    lines = (folder / "stdout.log").read_text(encoding="utf-8").splitlines()
    records = [json.loads(line) for line in lines if line.startswith("{")]
    found = Counter(str(record) for record in records if "exception" in record or record["level"] == "error")
    yield from (f"log, {times} times: {record}" for record, times in found.most_common(3))


def _of_audit(result: Result, folder: Path) -> Iterator[str]:
    checked = subprocess.run(
        [str(COMMAND), "audit", "verify", "--config", str(folder / "sii-cds.yaml")],
        capture_output=True,
        text=True,
        check=False,
    )
    if checked.returncode != 0:
        yield f"audit verify: {checked.stdout}{checked.stderr}"
    lines = [line for path in (folder / "audit").glob("*.jsonl") for line in path.read_bytes().splitlines()]
    records = sum(b'"kind":"hook"' in line[:60] for line in lines)
    if not result.decisions <= records <= result.decisions + result.perhaps:
        yield f"{records} audit records for {result.decisions} to {result.decisions + result.perhaps} decisions"


def report_lines(result: Result) -> Iterator[str]:
    """Tell what was done and what it did."""
    yield f"{result.seconds:.0f} seconds, {result.statuses.total()} answers, {result.reloads} reloads"
    yield from (f"  {name}: {count}" for name, count in sorted(result.statuses.items()))
    for pid, after in result.after.items():
        before, samples = result.before[pid], result.samples[pid]
        memory = [each.rss for each in samples]
        yield (
            f"worker {pid}: {before.rss:.0f} MB at first, {after.rss:.0f} at the end, {result.peaks[pid]:.0f} at most; "
            f"growth {growth(memory):+.1f} MB; open files {before.files} and {after.files}, at most "
            f"{max(each.files for each in samples)}; threads at most {max(each.threads for each in samples)}"
        )
