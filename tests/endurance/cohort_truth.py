"""Many synthetic patients, dirty and gzipped, against their histories: `python -m tests.endurance.cohort_truth`.

Two thousand of them are assessed by `make test` (tests/integration/test_cohort_truth.py).
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

from tests.support.cohort.assessed import assess, wrong_stories
from tests.support.cohort.exports import Bad, write_dirty_export
from tests.support.cohort.stories import cohort


def main() -> int:
    """Assess; 1 where a row or a bad line is not the right one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patients", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        histories = cohort(arguments.patients, arguments.seed)
        export, bad = write_dirty_export(Path(name) / "export", histories, arguments.seed, zipped=True)
        began = time.monotonic()
        assess(export, Path(name) / "out", workers=arguments.workers)
        seconds = time.monotonic() - began
        wrong = wrong_stories(Path(name) / "out", histories)
        lines = (Path(name) / "out/problems.jsonl").read_text(encoding="utf-8").splitlines()
        named = [Bad(problem["file"], problem["line"]) for problem in map(json.loads, lines)]
    rows = sum(len(history.truths()) for history in histories)
    print(f"{arguments.patients} patients, {rows} rows in {seconds:.0f} s; wrong: {dict(wrong)}")  # noqa: T201
    print(f"bad lines: {len(bad)}, named: {len(named)}, the same: {named == bad}")  # noqa: T201
    return 1 if wrong or named != bad else 0


if __name__ == "__main__":
    sys.exit(main())
