"""What the audit record costs: `python -m tests.benchmarks.audit`.

The service as shipped, the same with parts of the record left out, and bare Flask are put under the same load in
turns; the differences are what each part costs. Then each step is measured by itself, and reading a large log.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from cds_service.audit.reading import read_entries
from cds_service.audit.records import HookRecord
from tests.benchmarks.audit_steps import measure_reading, measure_steps
from tests.benchmarks.bodies import patient_view_body
from tests.benchmarks.load import Orders, put_load
from tests.benchmarks.servers import HOST, PATH, Server, floor, service

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

CONNECTIONS = (1, 8, 32)
SHIPPED, FLOOR = "as shipped", "bare Flask"
LEFT_OUT = {
    "no record at all": "all",
    "built, not written": "writing",
    "written, not synced": "syncing",
}


class Measured(NamedTuple):
    """One load on one server: processor time of a hook, and its median latency."""

    processor_us: float
    median_ms: float


Found = dict[tuple[str, int], list[Measured]]


def start_all(folder: Path, running: ExitStack, arguments: argparse.Namespace) -> Mapping[str, Server]:
    """Start all servers that are compared."""
    sizes = (arguments.workers, arguments.threads)
    servers = {}
    for name in (FLOOR, SHIPPED, *LEFT_OUT):
        own = folder / name.replace(" ", "-")
        own.mkdir()
        if name == FLOOR:
            servers[name] = running.enter_context(floor(own, *sizes))
        elif name == SHIPPED:
            servers[name] = running.enter_context(service(own, *sizes))
        else:
            program = (sys.executable, "-m", "tests.benchmarks.unrecorded", LEFT_OUT[name])
            servers[name] = running.enter_context(service(own, *sizes, program=program))
    return servers


def measure_service(servers: Mapping[str, Server], body: Path, arguments: argparse.Namespace) -> Found:
    """Put every load on every server, once a round, each round in another order."""
    found: Found = defaultdict(list)
    names = list(servers)
    for number in range(arguments.rounds):
        for connections in CONNECTIONS:
            for name in names[number % len(names) :] + names[: number % len(names)]:
                server = servers[name]
                before = server.processor_seconds()
                load = put_load(Orders(HOST, server.port, PATH, (str(body),), connections, arguments.seconds))
                if load.failed or not load.answered:
                    raise RuntimeError(f"{name}: {load.failed} hooks failed, {load.answered} were answered")
                spent = (server.processor_seconds() - before) * 1e6 / load.answered
                found[name, connections].append(Measured(spent, load.median_ms))
    return found


def service_table(found: Found) -> Iterator[str]:
    """The medians of all rounds, and the ratio to bare Flask of the same round."""
    yield "| | connections | processor time, µs | beside bare Flask | median latency, ms | beside bare Flask |"
    yield "|---|---|---|---|---|---|"
    for (name, connections), rounds in found.items():
        base = found[FLOOR, connections]
        processor = statistics.median(each.processor_us for each in rounds)
        latency = statistics.median(each.median_ms for each in rounds)
        by_processor = _ratio(each.processor_us / other.processor_us for each, other in zip(rounds, base, strict=True))
        by_latency = _ratio(each.median_ms / other.median_ms for each, other in zip(rounds, base, strict=True))
        yield f"| {name} | {connections} | {processor:.0f} | {by_processor} | {latency:.2f} | {by_latency} |"


def _ratio(ratios: Iterator[float]) -> str:
    found = sorted(ratios)
    return f"{statistics.median(found):.2f} ({found[0]:.2f} to {found[-1]:.2f})"


def a_record(folder: Path) -> HookRecord:
    """A record as the service writes it."""
    records = (entry.record for entry in read_entries(folder / SHIPPED.replace(" ", "-") / "audit"))
    return next(record for record in records if isinstance(record, HookRecord))


def main() -> None:
    """Measure and print Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0, help="length of each load")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--threads", type=int, default=16)
    parser.add_argument("--records", type=int, default=200_000, help="size of the log that is read")
    parser.add_argument("--directory", type=Path, help="where all files go; the disk there is what is measured")
    arguments = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="sii-cds-audit-", dir=arguments.directory) as name, ExitStack() as running:
        folder = Path(name)
        body = folder / "body.json"
        body.write_bytes(patient_view_body(12, eligible=True))
        lines = list(service_table(measure_service(start_all(folder, running, arguments), body, arguments)))
        record = a_record(folder)
        running.close()
        lines += ["", *measure_steps(folder, record), "", *measure_reading(folder, record, arguments.records)]
    sys.stdout.write("\n".join(lines) + "\n\n")
    machine = f"Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} processors"
    sys.stdout.write(f"{machine}; load average {os.getloadavg()[0]:.1f}; {time.monotonic() - began:.0f} s\n")


if __name__ == "__main__":
    main()
