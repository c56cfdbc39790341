"""What assessing an export costs beside `json.loads` over the same bytes: `python -m tests.benchmarks.cohort`.

Processor time is compared in one run, since the clock depends on what else a machine does: json.loads before and after,
reading and splitting in this process, and the whole command in processes of its own, whose resident memory is added up
while they run (what they share is counted in each).
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from cds_service.insight.cohort.export_heads import HeadReader
from cds_service.insight.cohort.reading import ExportFile, FileSplitter
from cds_service.insight.cohort.spill import SpillWriter, number_of_parts
from cds_service.settings.overlays import load_site_mappings
from tests.support.cohort.exports import lines_of
from tests.support.cohort.stories import cohort
from tests.support.serve_command import COMMAND

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_MEGABYTE = 1e6
_AT_ONCE = 500
# Further results of each patient, which say nothing to the rule: 36 kB a patient, as in the exports of the prototype.
_PADDING = 19


class Run(NamedTuple):
    """Seconds of processor time and of the clock, and the most resident memory of all processes, in bytes."""

    processor: float
    clock: float
    memory: int


def make_export(folder: Path, patients: int, padding: int) -> int:
    """Write an export and return its size."""
    folder.mkdir()
    histories = cohort(patients, seed=1)
    streams = {name: (folder / f"{name}.ndjson").open("wb") for name in lines_of([])}
    for first in range(0, patients, _AT_ONCE):
        for name, lines in lines_of(histories[first : first + _AT_ONCE], padding=padding).items():
            streams[name].writelines(line + b"\n" for line in lines)
    for stream in streams.values():
        stream.close()
    return sum(file.stat().st_size for file in folder.iterdir())


def processor_time(function: Callable[[], None]) -> float:
    """Return the seconds of processor time of this process that a function takes."""
    began = time.process_time()
    function()
    return time.process_time() - began


def load_all(folder: Path) -> None:
    """Decode every line with the standard library."""
    for file in sorted(folder.iterdir()):
        with file.open("rb") as stream:
            for line in stream:
                json.loads(line)


def split_all(folder: Path, parts: Path) -> None:
    """Read every line and split them by patient."""
    files = sorted(folder.iterdir())
    writer = SpillWriter(parts, "0", number_of_parts(sum(file.stat().st_size for file in files)))
    splitter = FileSplitter(HeadReader(load_site_mappings(())), writer, str, lambda _: None)
    for file in files:
        splitter.split(ExportFile(file, file.name), parts.with_name(f"problems-{file.name}"))


def assess(folder: Path, out: Path, options: Sequence[str]) -> Run:
    """Run the command and watch its processes, those of Java and its workers too."""
    began = time.monotonic()
    command = [COMMAND, "cohort", "assess", folder, "--out", out, "--identifiers", "plain", *options]
    process = subprocess.Popen([str(word) for word in command], stdout=subprocess.DEVNULL)
    most = 0
    spent: dict[int, float] = {}
    while process.poll() is None:
        seen = _processes(process.pid)
        most = max(most, sum(memory for memory, _ in seen.values()))
        spent |= {pid: seconds for pid, (_, seconds) in seen.items()}
        time.sleep(0.05)
    if process.returncode != 0:
        raise SystemExit(f"the run ended with {process.returncode}")
    return Run(sum(spent.values()), time.monotonic() - began, most)


def _processes(root: int) -> dict[int, tuple[int, float]]:
    """Return resident memory and seconds of processor time of a process and all that came of it, by their numbers."""
    parents: dict[int, int] = {}
    found: dict[int, tuple[int, float]] = {}
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = file.read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
        except OSError:
            continue
        pid = int(file.parent.name)
        parents[pid] = int(fields[1])
        ticks = int(fields[11]) + int(fields[12])
        found[pid] = (int(fields[21]) * resource.getpagesize(), ticks / os.sysconf("SC_CLK_TCK"))
    return {pid: told for pid, told in found.items() if _descends(pid, root, parents)}


def _descends(pid: int, root: int, parents: dict[int, int]) -> bool:
    while pid > 1 and pid != root:
        pid = parents.get(pid, 0)
    return pid == root


def main() -> int:
    """Measure as the arguments say."""
    arguments = _parse()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        folder = Path(name)
        size = make_export(folder / "export", arguments.patients, arguments.padding)
        each = size / arguments.patients / 1e3
        print(f"{arguments.patients} patients, {size / _MEGABYTE:.0f} MB, {each:.0f} kB each")  # noqa: T201
        first = processor_time(lambda: load_all(folder / "export"))
        (folder / "parts").mkdir()
        split = processor_time(lambda: split_all(folder / "export", folder / "parts"))
        runs = {}
        for number, words in enumerate(arguments.run):
            runs[words] = assess(folder / "export", folder / f"out-{number}", words.split())
        loads = (first + processor_time(lambda: load_all(folder / "export"))) / 2
    print(f"json.loads: {loads:.1f} s of processor time, {size / _MEGABYTE / loads:.0f} MB/s")  # noqa: T201
    print(f"reading and splitting: {split:.1f} s, {loads / split:.2f} times json.loads")  # noqa: T201
    for words, run in runs.items():
        memory = f"{run.memory / _MEGABYTE:.0f} MB"
        print(f"assess {words}: {run.processor:.1f} s, {loads / run.processor:.2f} times; {run.clock:.0f} s; {memory}")  # noqa: T201
    return 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patients", type=int, default=20_000)
    parser.add_argument("--padding", type=int, default=_PADDING)
    parser.add_argument("--folder", type=Path, default=None, help="where the export and its parts are written")
    parser.add_argument(
        "--run", action="append", help="options of a run; may be repeated", default=None, metavar="'--workers 2'"
    )
    arguments = parser.parse_args()
    arguments.run = arguments.run or ["--workers 1 --design landmark:90", "--workers 2 --design landmark:90"]
    return arguments


if __name__ == "__main__":
    sys.exit(main())
