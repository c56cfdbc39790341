"""Which control limits find most at the same number of false alarms? The measurement behind decision 0018.

`python -m tests.benchmarks.monitor_limits` (two minutes). All rules judge the same charts of the same hospitals of 400
hooks a day. Each rule is set to the same number of false alarms, and then looks for what is planted.
"""

from __future__ import annotations

import sys
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat
from statistics import median
from typing import TYPE_CHECKING, Final

import numpy as np

from cds_service.insight.monitor.control_charts import ShareChart
from cds_service.insight.monitor.measures import FALL, RISE
from tests.benchmarks.monitor import PLANTED_BEFORE, WATCHED
from tests.support.hospital_log.judging import BASELINE_DAYS, judge
from tests.support.hospital_log.malfunctions import MALFUNCTIONS, NONE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cds_service.insight.monitor.control_charts import ControlChart
    from cds_service.insight.monitor.expectation import Numbers
    from tests.support.hospital_log.malfunctions import Malfunction

    Rule = Callable[[ControlChart, float], set[int]]

_HOOKS: Final = 400
_SEEDS: Final = 12
_QUIET_DAYS: Final = 100
_ACCEPTED: Final = 1.0
_GAP: Final = 3
_SMOOTHING: Final = 0.2
_PLANTED: Final = (
    "unit of neutrophils changed",
    "scale of neutrophils × 10",
    "laboratory feed stops",
    "rule stops firing",
    "half of the hooks missing",
    "search of conditions fails for 1 in 20",
)


def deviations(chart: ControlChart, *, overdispersed: bool) -> Numbers:
    """Return each day's distance from what is usual in standard deviations; 0 where nothing was counted."""
    if isinstance(chart, ShareChart):
        whole = np.maximum(chart.whole, 1)
        variance = chart.expected * (1 - chart.expected / whole)
    else:
        variance = chart.expected
    dispersion = chart.usual.dispersion if overdispersed else 1.0  # type: ignore[attr-defined]  # both kinds have it
    scale = np.sqrt(np.maximum(variance * dispersion, 1e-9))
    found: Numbers = np.where(variance > 0, (chart.counts - chart.expected) / scale, 0.0)
    return found


def _beyond(values: Numbers, level: float, chart: ControlChart) -> set[int]:
    days: set[int] = set()
    if RISE in chart.directions:
        days |= set(np.flatnonzero(values > level).tolist())
    if FALL in chart.directions:
        days |= set(np.flatnonzero(values < -level).tolist())
    return days


def p_chart(chart: ControlChart, level: float) -> set[int]:
    """Shewhart's p-chart: limits of so many standard deviations of chance alone."""
    return _beyond(deviations(chart, overdispersed=False), level, chart)


def laney_chart(chart: ControlChart, level: float) -> set[int]:
    """Laney's p'-chart: limits widened by the overdispersion of the baseline."""
    return _beyond(deviations(chart, overdispersed=True), level, chart)


def ewma_chart(chart: ControlChart, level: float) -> set[int]:
    """An exponentially weighted moving average of Laney's deviations."""
    smoothed, last = [], 0.0
    for value in deviations(chart, overdispersed=True):
        last = (1 - _SMOOTHING) * last + _SMOOTHING * float(value)
        smoothed.append(last)
    return _beyond(np.asarray(smoothed), level * (_SMOOTHING / (2 - _SMOOTHING)) ** 0.5, chart)


def cusum_chart(chart: ControlChart, level: float) -> set[int]:
    """Cumulative sums of Laney's deviations beyond half a standard deviation, in both directions."""
    values, days = deviations(chart, overdispersed=True), set()
    for direction, sign in ((RISE, 1), (FALL, -1)):
        last = 0.0
        for day, value in enumerate(values):
            last = max(0.0, last + sign * float(value) - 0.5)
            if last > level and direction in chart.directions:
                days.add(day)
                last = 0.0
    return days


def exact_windows(chart: ControlChart, level: float) -> set[int]:
    """The rule of the monitor; `level` is minus the decimal logarithm of its limit."""
    return {day for day in range(len(chart.counts)) if chart.signal(0, day, 10.0**-level) is not None}


def exact_days(chart: ControlChart, level: float) -> set[int]:
    """The rule of the monitor for single days only."""
    return {day for day in range(len(chart.counts)) if chart.signal(day, day, 10.0**-level) is not None}


RULES: Final[dict[str, tuple[Rule, float]]] = {
    "p-chart": (p_chart, 3.0),
    "p'-chart (Laney)": (laney_chart, 3.0),
    "EWMA of p' (0.2)": (ewma_chart, 3.0),
    "CUSUM of p' (0.5)": (cusum_chart, 5.0),
    "exact, single days": (exact_days, 4.3),
    "exact, 1, 7, 14 and 28 days": (exact_windows, 4.3),
}


def charts_of(seed: int, malfunction: Malfunction, since: int, judged: int) -> list[ControlChart]:
    """Chart one hospital."""
    result = judge(_HOOKS, seed, malfunction, since=since, judged=judged)
    return [charted.chart for charts in result.clients for charted in charts.charted]


def alarms(rule: Rule, charts: Sequence[ControlChart], level: float) -> int:
    """Count the alarms of each chart; days at most three apart are one alarm."""
    return sum(_episodes(sorted(rule(chart, level))) for chart in charts)


def _episodes(days: Sequence[int]) -> int:
    return sum(1 for before, day in zip([-9, *days], days, strict=False) if day - before > _GAP)


def main() -> None:
    """Print the table."""
    seeds, starts = range(_SEEDS), [PLANTED_BEFORE + seed % 7 for seed in range(_SEEDS)]
    since, until = [BASELINE_DAYS + start for start in starts], [start + WATCHED for start in starts]
    planted = [one for one in MALFUNCTIONS if one.name in _PLANTED]
    with ProcessPoolExecutor() as pool:
        quiet = list(pool.map(charts_of, seeds, repeat(NONE), repeat(10_000), repeat(_QUIET_DAYS)))
        broken = {one.name: list(pool.map(charts_of, seeds, repeat(one), since, until)) for one in planted}
    _say("| rule | false alarms with usual limits | limit for one |" + "".join(f" {name} |" for name in broken))
    _say("|---|---|---|" + "---|" * len(broken))
    for name, (rule, usual) in RULES.items():
        as_usual = sum(alarms(rule, charts, usual) for charts in quiet) / _SEEDS
        level = _level(rule, quiet)
        cells = [median(_delays(rule, charts, starts, level)) for charts in broken.values()]
        _say(f"| {name} | {as_usual:.1f} | {level:.2f} |" + "".join(f" {cell:g} |" for cell in cells))


def _level(rule: Rule, quiet: Sequence[Sequence[ControlChart]]) -> float:
    """Find the limit that gives the accepted number of false alarms, by bisection."""
    low, high = 1.0, 60.0
    for _ in range(10):
        middle = (low + high) / 2
        found = sum(alarms(rule, charts, middle) for charts in quiet) / len(quiet)
        low, high = (middle, high) if found > _ACCEPTED else (low, middle)
    return high


def _delays(rule: Rule, runs: Sequence[Sequence[ControlChart]], starts: Sequence[int], level: float) -> list[int]:
    delays = []
    for charts, start in zip(runs, starts, strict=True):
        days = set().union(*(rule(chart, level) for chart in charts))
        delays.append(min((day - start for day in days if day >= start), default=WATCHED + 1))
    return delays


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
