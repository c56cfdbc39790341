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
from typing import TYPE_CHECKING, Final, NamedTuple

from tests.support.hospital_log.judging import BASELINE_DAYS, judge, simulated_day
from tests.support.hospital_log.malfunctions import MALFUNCTIONS, NONE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from concurrent.futures import Executor

    from tests.support.hospital_log.malfunctions import Malfunction


class Size(NamedTuple):
    """Hooks on a weekday, days of baseline, and the share of the seeds that is run: large hospitals differ less."""

    hooks: int
    baseline_days: int
    share: float

    def __str__(self) -> str:
        """How the tables name it."""
        return f"{self.hooks} hooks a day, baseline of {self.baseline_days - 1} days"


SIZES: Final = (
    Size(20, BASELINE_DAYS, 1.0),
    Size(20, 183, 1.0),
    Size(400, BASELINE_DAYS, 1.0),
    Size(5000, BASELINE_DAYS, 0.2),
)
ACCEPTED: Final = (0.5, 1.0, 2.0)
_QUIET_DAYS: Final = 100
# The malfunction begins in the second judged week, on another day of the week for each seed, and is watched six weeks.
PLANTED_BEFORE: Final = 7
WATCHED: Final = 42


def false_findings(size: Size, seed: int, accepted: float) -> int:
    """Count the findings of a sound hospital in 100 days."""
    quiet = judge(size.hooks, seed, NONE, judged=_QUIET_DAYS, accepted=accepted, baseline_days=size.baseline_days)
    return len(quiet.findings)


def detect(size: Size, seed: int, malfunction: Malfunction) -> int | None:
    """Return after how many days a planted malfunction is found, by a finding that names it rightly; None if never."""
    start = size.baseline_days + PLANTED_BEFORE + seed % 7
    result = judge(
        size.hooks,
        seed,
        malfunction,
        since=start,
        judged=PLANTED_BEFORE + 7 + WATCHED,
        baseline_days=size.baseline_days,
    )
    days = [(found.noticed - simulated_day(start)).days for found in result.findings if found.id in malfunction.named]
    return min((number for number in days if 0 <= number <= WATCHED), default=None)


def main(arguments: Sequence[str]) -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=40)
    parser.add_argument("--hooks", type=int, nargs="*", default=[size.hooks for size in SIZES])
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args(arguments)
    with ProcessPoolExecutor(options.workers) as pool:
        sizes = [(size, max(4, round(options.seeds * size.share))) for size in SIZES if size.hooks in options.hooks]
        _print_false(pool, sizes)
        for size, seeds in sizes:
            _print_delays(pool, size, seeds)


def _print_false(pool: Executor, sizes: Iterable[tuple[Size, int]]) -> None:
    _say("| hospital | simulated |" + "".join(f" accepted {accepted:g} |" for accepted in ACCEPTED))
    _say("|---|---|" + "---|" * len(ACCEPTED))
    for size, seeds in sizes:
        runs = [
            list(pool.map(false_findings, [size] * seeds, range(seeds), [accepted] * seeds)) for accepted in ACCEPTED
        ]
        cells = "".join(f" {sum(found) / seeds:.2f} ± {(sum(found) ** 0.5) / seeds:.2f} |" for found in runs)
        _say(f"| {size} | {seeds} |{cells}")


def _print_delays(pool: Executor, size: Size, seeds: int) -> None:
    _say(f"\n{size}: {seeds} hospitals for each malfunction")
    _say("| planted | median days | 90 % | found and named |\n|---|---|---|---|")
    for malfunction in MALFUNCTIONS:
        found = list(pool.map(detect, [size] * seeds, range(seeds), [malfunction] * seeds))
        days = sorted(WATCHED + 1 if delay is None else delay for delay in found)
        seen = sum(delay is not None for delay in found)
        late = days[round(0.9 * (seeds - 1))]
        _say(f"| {malfunction.name} | {_days(median(days))} | {_days(late)} | {100 * seen / seeds:.0f} % |")


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _days(days: float) -> str:
    return f"> {WATCHED}" if days > WATCHED else f"{days:g}"


if __name__ == "__main__":
    main(sys.argv[1:])
