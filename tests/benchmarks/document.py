"""docs/performance.md: what was measured stands between two marks, and is written anew by each run."""

import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from tests.benchmarks.curves import Curve
from tests.benchmarks.report import loads, processes, spread, table, targets
from tests.benchmarks.rounds import OWN, Findings, Plan, Work
from tests.benchmarks.servers import HEALTHCHAIN

BEGIN, END = "<!-- measured by make bench: begin -->", "<!-- measured by make bench: end -->"
OPENINGS_AN_HOUR = 50_000


def write(file: Path, text: str) -> None:
    """Replace what stands between the marks; a file without them gets both, and the text between, at its end."""
    old = file.read_text(encoding="utf-8") if file.exists() else ""
    before, found, rest = old.partition(BEGIN)
    after = rest.partition(END)[2] if found else "\n"
    file.write_text(f"{before}{BEGIN}\n\n{text}\n{END}{after}", encoding="utf-8")


def speed_text(findings: Findings, plan: Plan, load_before: float) -> str:
    """The sections that the rounds give."""
    parts = [
        _conditions(plan, load_before),
        "### What was asked for",
        table(("work", "asked for", "measured", ""), (target.row() for target in targets(findings))),
        "![CPU per request as a ratio to bare Flask](images/performance-processor.svg)",
        "### Every load",
        "CPU is that of the whole process tree of the server. Milliseconds and requests a second are medians of this "
        "machine under its other load, and say little without the ratio beside them.",
        loads(findings),
        "### Start and memory",
        processes(findings),
        "RSS counts pages that processes share in each of them; PSS counts them once. A request beside 50 silent and "
        f"50 slow clients took {spread(findings.slow_clients)} times what it takes alone.",
    ]
    return "\n\n".join(parts) + "\n"


def growth_text(curves: Sequence[Curve]) -> str:
    """The section of the curves."""
    rows = []
    for curve in curves:
        for place, size in enumerate(curve.sizes):
            base = curve.floor[place] if curve.floor else None
            ratio = f"{curve.own[place] / base:.2f}" if base else ""
            rows.append((curve.name, f"{size:,}", f"{curve.own[place]:.3g} {curve.value}", ratio))
    slopes = [f"{curve.name.lower()} {curve.slope(curve.own):.2f}" for curve in curves]
    parts = [
        "### How cost grows",
        "The slope is the exponent: 1 means that twice the size costs twice as much, 0 that it costs no more. Slopes "
        f"over the upper half of each curve: {'; '.join(slopes)}.",
        "![How cost grows](images/performance-growth.svg)",
        table(("what", "size", "service", "/ floor"), rows),
    ]
    return "\n\n".join(parts) + "\n"


def hospital_text(findings: Findings, curves: Sequence[Curve]) -> str:
    """What a group of hospitals needs, computed from what was measured."""
    a_second = OPENINGS_AN_HOUR / 3600
    needed = {}
    for work in (Work(500, eligible=False, connections=1), Work(12, eligible=True, connections=1)):
        ms = median(measured.processor_ms for measured in findings.loads[f"{OWN}, RS384", work])
        needed[work.eligible] = a_second * ms / 1000
    log = {curve.name: curve for curve in curves}["Verifying the audit log"]
    a_record = log.own[-1] / log.sizes[-1]
    day = OPENINGS_AN_HOUR * 24
    return (
        "### What 50,000 chart openings an hour need\n\n"
        f"That is {a_second:.1f} hooks a second. With a token each and 500 Observations prefetched, patients who are "
        f"not eligible take {needed[False]:.3f} processor cores of this machine, and if every patient were eligible "
        f"with 12 Observations, {needed[True]:.3f}: one worker is enough, and the two that are configured leave room "
        f"for the worst minute of the day. A day of such hours writes {day:,} records, which `sii-cds audit verify` "
        f"reads in {a_record * day:.0f} seconds of one core.\n"
    )


def _conditions(plan: Plan, load_before: float) -> str:
    beside = "" if HEALTHCHAIN.exists() else " HealthChain was not installed and is left out."
    return (
        f"Measured on {datetime.now(UTC).date()} with `make bench`: {plan.rounds} interleaved rounds, "
        f"{plan.seconds:g} s for each load; {plan.workers} workers with {plan.threads} threads for floor and service. "
        f"Python {platform.python_version()}, Linux {platform.release().split('-')[0]}, {_processor()}, "
        f"{os.cpu_count()} processors that also ran the load; load average {load_before:.1f} before and "
        f"{os.getloadavg()[0]:.1f} after. The floor is bare Flask with `json.loads` and a constant card under gunicorn "
        "gthread. HealthChain is as its documentation starts it, one process, with a handler that reads the newest "
        "values and checks nothing. The service runs as shipped, with its audit record on disk before the answer "
        "leaves; floor and HealthChain are measured as they are, and with one line a hook that is synced to the disk "
        "first, which is the equal work. Bodies are as servers send them: two draws a day in no order, with category, "
        "reference range, version and time of issue, one result in twenty not final. Each figure "
        f"is the median of the rounds, lowest and highest in parentheses; ratios are taken within a round.{beside}"
    )


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine()
