"""How soon does the monitor find what is planted, and how often does it find what is not there?

`python -m tests.benchmarks.monitor` prints the tables of docs/performance.md (a quarter of an hour on two quiet cores;
`--seeds 5` for a look). A hospital is made up for each seed: eight weeks of baseline, and then the judged days. What is
simulated stands in `tests/support/hospital_log`.
"""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ProcessPoolExecutor
from statistics import median
from typing import TYPE_CHECKING, Final

from tests.support.hospital_log.judging import BASELINE_DAYS, judge, simulated_day
from tests.support.hospital_log.malfunctions import MALFUNCTIONS, NONE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from concurrent.futures import Executor

    from tests.support.hospital_log.malfunctions import Malfunction

# Hooks on a weekday, and the share of the seeds that is run: large hospitals differ less, and take longer.
SIZES: Final = ((20, 1.0), (400, 1.0), (5000, 0.25))
ACCEPTED: Final = (0.5, 1.0, 2.0)
_QUIET_DAYS: Final = 100
# The malfunction begins in the second judged week, on another day of the week for each seed, and is watched six weeks.
_BEFORE: Final = 7
_WATCHED: Final = 42


def false_findings(hooks: float, seed: int, accepted: float) -> int:
    """Count the findings of a sound hospital in 100 days."""
    return len(judge(hooks, seed, NONE, judged=_QUIET_DAYS, accepted=accepted).findings)


def detect(hooks: float, seed: int, malfunction: Malfunction) -> int | None:
    """Return after how many days a planted malfunction is found, by a finding that names it rightly; None if never."""
    start = BASELINE_DAYS + _BEFORE + seed % 7
    result = judge(hooks, seed, malfunction, since=start, judged=_BEFORE + 7 + _WATCHED)
    days = [(found.noticed - simulated_day(start)).days for found in result.findings if found.id in malfunction.named]
    return min((number for number in days if 0 <= number <= _WATCHED), default=None)


def main(arguments: Sequence[str]) -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=60)
    parser.add_argument("--sizes", type=int, nargs="*", default=[hooks for hooks, _ in SIZES])
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args(arguments)
    with ProcessPoolExecutor(options.workers) as pool:
        sizes = [(hooks, max(4, round(options.seeds * share))) for hooks, share in SIZES if hooks in options.sizes]
        _print_false(pool, sizes)
        for hooks, seeds in sizes:
            _print_delays(pool, hooks, seeds)


def _print_false(pool: Executor, sizes: Iterable[tuple[int, int]]) -> None:
    _say("| hooks a day | hospitals |" + "".join(f" accepted {accepted:g} |" for accepted in ACCEPTED))
    _say("|---|---|" + "---|" * len(ACCEPTED))
    for hooks, seeds in sizes:
        runs = [
            list(pool.map(false_findings, [hooks] * seeds, range(seeds), [accepted] * seeds)) for accepted in ACCEPTED
        ]
        cells = "".join(f" {sum(found) / seeds:.2f} ± {(sum(found) ** 0.5) / seeds:.2f} |" for found in runs)
        _say(f"| {hooks} | {seeds} |{cells}")


def _print_delays(pool: Executor, hooks: int, seeds: int) -> None:
    _say(f"\n{hooks} hooks a day, {seeds} hospitals for each malfunction")
    _say("| planted | median days | 90 % | found and named |\n|---|---|---|---|")
    for malfunction in MALFUNCTIONS:
        found = list(pool.map(detect, [hooks] * seeds, range(seeds), [malfunction] * seeds))
        days = sorted(_WATCHED + 1 if delay is None else delay for delay in found)
        seen = sum(delay is not None for delay in found)
        late = days[round(0.9 * (seeds - 1))]
        _say(f"| {malfunction.name} | {_days(median(days))} | {_days(late)} | {100 * seen / seeds:.0f} % |")


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _days(days: float) -> str:
    return f"> {_WATCHED}" if days > _WATCHED else f"{days:g}"


if __name__ == "__main__":
    main(sys.argv[1:])
