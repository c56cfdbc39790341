"""`make bench`: measure, print, and write docs/performance.md with its pictures."""

import argparse
import os
import subprocess
import sys
from pathlib import Path

from tests.benchmarks import document
from tests.benchmarks.curves import RECORDS, Effort, measure_growth
from tests.benchmarks.plots import draw_growth, draw_processor_time
from tests.benchmarks.report import targets
from tests.benchmarks.rounds import Plan, measure
from tests.benchmarks.servers import HEALTHCHAIN, ROOT

HEALTHCHAIN_VERSION = "0.16.1"


def main() -> int:
    """Measure as the arguments say; 1 where a target of the design is missed."""
    arguments = _parse()
    _install_healthchain()
    busy = os.getloadavg()[0]
    plan = _quick_plan() if arguments.quick else _full_plan(arguments)
    findings = measure(plan)
    text = document.speed_text(findings, plan, busy)
    # Ten minutes of measuring are printed before anything else can fail.
    sys.stdout.write(text)
    if not arguments.quick:
        curves = measure_growth(Effort(3, 0.7, plan.threads), arguments.records)
        growth = f"\n{document.growth_text(curves)}\n{document.hospital_text(findings, curves)}"
        sys.stdout.write(growth)
        images = arguments.output.parent / "images"
        images.mkdir(parents=True, exist_ok=True)
        draw_processor_time(findings, images / "performance-processor.svg")
        draw_growth(curves, images / "performance-growth.svg")
        document.write(arguments.output, text + growth)
        sys.stderr.write(f"written to {arguments.output}\n")
    return 0 if all(target.is_kept for target in targets(findings)) else 1


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one short round, printed only (two minutes)")
    parser.add_argument("--rounds", type=int, default=5, help="how often every load is repeated")
    parser.add_argument("--seconds", type=float, default=0.7, help="length of each load")
    parser.add_argument("--workers", type=int, default=2, help="worker processes of floor and service")
    parser.add_argument("--threads", type=int, default=16, help="threads in each of them")
    parser.add_argument("--records", type=int, nargs="+", default=RECORDS, help="lengths of the audit log")
    parser.add_argument("--output", type=Path, default=ROOT / "docs/performance.md", help="the Markdown file")
    return parser.parse_args()


def _full_plan(arguments: argparse.Namespace) -> Plan:
    return Plan(
        observations=(12, 100, 500, 1600),
        connections=(1, 8, 32),
        rounds=arguments.rounds,
        seconds=arguments.seconds,
        workers=arguments.workers,
        threads=arguments.threads,
    )


def _quick_plan() -> Plan:
    return Plan(observations=(12, 500), connections=(1, 8), rounds=2, seconds=0.7, workers=2, threads=16)


def _install_healthchain() -> None:
    """Give HealthChain an environment of its own, once: it wants other versions than ours."""
    if HEALTHCHAIN.exists():
        return
    folder = HEALTHCHAIN.parents[1]
    install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", f"healthchain=={HEALTHCHAIN_VERSION}"]
    try:
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        subprocess.run([str(HEALTHCHAIN), *install], check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        HEALTHCHAIN.unlink(missing_ok=True)
        sys.stderr.write(f"HealthChain is left out, since it could not be installed: {error}\n")


if __name__ == "__main__":
    sys.exit(main())
