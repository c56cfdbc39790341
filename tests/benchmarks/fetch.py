"""How long a hook without prefetch takes, in round trips to its FHIR server: `python -m tests.benchmarks.fetch`.

A FHIR server of 50 ms is asked by 1, 8 and 32 hooks at a time, each beginning when the one before it is answered, and
so is bare Flask that makes the same requests. All of it shares the machine: at 32 the processors are the limit. Last
comes a server that writes header and body apart, and sends the second once the first is acknowledged.
"""

import argparse
import json
import os
import platform
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.benchmarks.bodies import patient_view_body
from tests.benchmarks.load import Load, Orders, put_load
from tests.benchmarks.servers import HOST, PATH
from tests.support.fhir_stub import access
from tests.support.fhir_stub_delayed import running_delayed
from tests.support.serve_command import serving

DELAY_SECONDS = 0.05
OBSERVATIONS = 12
CONNECTIONS = (1, 8, 32)
CONFIGURATION = """\
service: {{public_url: "http://127.0.0.1"}}
server: {{host: 127.0.0.1, port: 0, workers: {workers}, threads: {threads}}}
authentication: {{required: false}}
acquisition: {{strategy: {strategy}}}
clients:
  - name: bench
    issuer: https://ehr.example
    jwks_url: https://ehr.example/jwks.json
    fhir_servers: ["{fhir}"]
"""


@dataclass(frozen=True)
class Work:
    """A kind of hook, and how many round trips design section 9 allows its median."""

    strategy: str
    eligible: bool
    at_most: float
    writes: int = 1

    def __str__(self) -> str:
        """How the table names it."""
        return f"{self._asked}{', two writes' if self.writes > 1 else ''}"

    @property
    def floor_path(self) -> str:
        """Where the floor is asked for the same requests."""
        return "/" + self._asked.replace(", ", "-").replace(" ", "-")

    @property
    def _asked(self) -> str:
        return f"{self.strategy}, {'' if self.eligible else 'not '}eligible"


@dataclass(frozen=True)
class Target:
    """Where a kind of hook is asked: the service, and the floor beside it."""

    port: int
    floor_port: int
    body_file: Path


@dataclass(frozen=True)
class Round:
    """One load, put on both right after each other."""

    own: Load
    floor: Load


WORKS = (
    Work("staged", False, 1.25),
    Work("staged", True, 2.4),
    Work("parallel", True, 1.25),
    Work("staged", True, 2.4, writes=2),
)
Measurements = dict[tuple[Work, int], list[Round]]


def measure(arguments: argparse.Namespace) -> Measurements:
    """Put every load on every kind of hook, once a round, so that a busy moment of the machine meets them all."""
    found: Measurements = defaultdict(list)
    with tempfile.TemporaryDirectory() as name, ExitStack() as running:
        floor_port = running.enter_context(_floor(Path(name), arguments))
        targets = {work: running.enter_context(_ready(work, Path(name), floor_port, arguments)) for work in WORKS}
        for _ in range(arguments.rounds):
            for work, target in targets.items():
                for connections in CONNECTIONS:
                    load = ((str(target.body_file),), connections, arguments.seconds)
                    own = put_load(Orders(HOST, target.port, PATH, *load))
                    floor = put_load(Orders(HOST, target.floor_port, work.floor_path, *load))
                    found[work, connections].append(Round(own, floor))
    return found


@contextmanager
def _ready(work: Work, folder: Path, floor_port: int, arguments: argparse.Namespace) -> Iterator[Target]:
    """Start a FHIR server and a service for one kind of hook."""
    own = folder / str(work).replace(", ", "-").replace(" ", "-")
    own.mkdir()
    request: dict[str, Any] = json.loads(patient_view_body(OBSERVATIONS, eligible=work.eligible))
    with running_delayed(request.pop("prefetch"), DELAY_SECONDS, work.writes) as fhir:
        body = own / "body.json"
        body.write_text(json.dumps(request | access(fhir)))
        text = CONFIGURATION.format(
            workers=arguments.workers, threads=arguments.threads, strategy=work.strategy, fhir=fhir
        )
        with serving(own, text) as service:
            yield Target(int(service.url.rpartition(":")[2]), floor_port, body)


@contextmanager
def _floor(folder: Path, arguments: argparse.Namespace) -> Iterator[int]:
    """Start bare Flask under gunicorn, with as many workers and threads; yields its port."""
    with socket.create_server((HOST, 0)) as probe:
        port = int(probe.getsockname()[1])
    options = ["--worker-class=gthread", f"--workers={arguments.workers}", f"--threads={arguments.threads}"]
    target = f"tests.support.fhir_stub_floor:create_application({arguments.threads})"
    command = [sys.executable, "-m", "gunicorn", *options, f"--bind={HOST}:{port}", "--no-control-socket", target]
    with (folder / "floor.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        end = time.monotonic() + 30
        while time.monotonic() < end:
            with socket.socket() as connection:
                if connection.connect_ex((HOST, port)) == 0:
                    break
            time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait(30)


def table(found: Measurements, seconds: float) -> str:
    """Write the medians of all rounds as Markdown; the spread of the rounds stands in parentheses."""
    lines = [
        "| hook | hooks at a time | p50 in round trips | at most | bare Flask | p99 | hooks/s | errors |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for (work, connections), rounds in found.items():
        medians = [_round_trips(each.own.median_ms) for each in rounds]
        p50 = f"{statistics.median(medians):.2f} ({min(medians):.2f} to {max(medians):.2f})"
        floor = f"{statistics.median(_round_trips(each.floor.median_ms) for each in rounds):.2f}"
        p99 = f"{statistics.median(_round_trips(each.own.p99_ms) for each in rounds):.2f}"
        rate = statistics.median(each.own.answered for each in rounds) / seconds
        failed = sum(each.own.failed for each in rounds)
        lines.append(f"| {work} | {connections} | {p50} | {work.at_most} | {floor} | {p99} | {rate:.0f} | {failed} |")
    return "\n".join(lines)


def is_kept(found: Measurements) -> bool:
    """Tell whether no hook failed, and one hook at a time keeps to its round trips."""
    alone = [(work, rounds) for (work, connections), rounds in found.items() if connections == 1]
    kept = all(
        statistics.median(_round_trips(each.own.median_ms) for each in rounds) <= work.at_most for work, rounds in alone
    )
    return kept and not any(each.own.failed for rounds in found.values() for each in rounds)


def _round_trips(milliseconds: float) -> float:
    return milliseconds / 1000 / DELAY_SECONDS


def main() -> int:
    """Measure, print, and return 1 where a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0, help="length of each load")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--threads", type=int, default=16)
    arguments = parser.parse_args()
    found = measure(arguments)
    machine = f"Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} processors"
    sys.stdout.write(f"{machine}; load average {os.getloadavg()[0]:.1f} at the end\n\n")
    sys.stdout.write(f"{table(found, arguments.seconds)}\n")
    return 0 if is_kept(found) else 1


if __name__ == "__main__":
    sys.exit(main())
