"""Interleaved rounds of the floor and the service; prints the ratios and writes them as Markdown."""

import argparse
import platform
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.bodies import patient_view_body
from tests.benchmarks.load import Load, Orders, put_load
from tests.benchmarks.report import Row, as_markdown
from tests.benchmarks.servers import HOST, PATH, Server, floor, service
from tests.support.serving_slow_clients import SlowClients

SLOW_CLIENTS = {"silent": 50, "slow header": 25, "slow body": 25}
EXPECTED_OUTCOME = {True: "above-cutoff", False: "not-eligible"}


@dataclass(frozen=True)
class Work:
    """A kind of request and the processor time that design section 9 allows for it, as a ratio to the floor."""

    observations: int
    eligible: bool
    at_most: float | None

    def __str__(self) -> str:
        """How the table names it."""
        return f"{self.observations} Observations, {'' if self.eligible else 'not '}eligible"


WORKS = (Work(12, True, 1.5), Work(12, False, None), Work(500, True, 0.7), Work(500, False, 0.5))
CONNECTIONS = (1, 8)


@dataclass(frozen=True)
class Measured:
    """One server under one load."""

    processor_ms: float
    load: Load


class Benchmark:
    """The measurements of all rounds, as ratios."""

    def __init__(self, arguments: argparse.Namespace, folder: Path) -> None:
        """Write the bodies once; both servers get the same bytes."""
        self._arguments = arguments
        self._folder = folder
        self._bodies = {work: folder / f"body-{number}.json" for number, work in enumerate(WORKS)}
        self._ratios: dict[tuple[str, float | None], list[float]] = defaultdict(list)
        for work, file in self._bodies.items():
            file.write_bytes(patient_view_body(work.observations, eligible=work.eligible))

    def round(self, number: int) -> None:
        """Start both servers afresh and put each load on one right after the other, in turns the one first."""
        folder = self._folder / f"round-{number}"
        folder.mkdir()
        workers, threads = self._arguments.workers, self._arguments.threads
        with floor(folder, workers, threads) as base, service(folder, workers, threads) as own:
            self._note("start to first answer", own.start_seconds / base.start_seconds, 4)
            self._check_answers(own)
            for work in WORKS:
                for connections in CONNECTIONS:
                    self._compare(base, own, work, connections, swap=number % 2 == 1)
            self._note("resident memory of a worker", own.worker_megabytes() / base.worker_megabytes())
            self._slow_clients(own)

    def rows(self) -> Iterator[Row]:
        """The table, processor time first."""
        for (what, at_most), ratios in sorted(self._ratios.items(), key=lambda item: "processor" not in item[0][0]):
            yield Row(what, ratios, at_most)

    def _check_answers(self, own: Server) -> None:
        """A fast wrong answer is worth nothing."""
        for work, file in self._bodies.items():
            outcome = own.ask(file.read_bytes())["extension"]["org.sii-cds.assessment"]["outcome"]
            if outcome != EXPECTED_OUTCOME[work.eligible]:
                raise RuntimeError(f"{work}: the service answers {outcome}")

    def _compare(self, base: Server, own: Server, work: Work, connections: int, *, swap: bool) -> None:
        order = (own, base) if swap else (base, own)
        measured = {server.port: self._measure(server, work, connections) for server in order}
        ours, floors = measured[own.port], measured[base.port]
        name = f"{work}, {connections} connection{'s' if connections > 1 else ''}"
        self._note(f"processor time: {name}", ours.processor_ms / floors.processor_ms, work.at_most)
        self._note(f"median latency: {name}", ours.load.median_ms / floors.load.median_ms)

    def _measure(self, server: Server, work: Work, connections: int) -> Measured:
        before = server.processor_seconds()
        load = self._load(server, work, connections)
        return Measured((server.processor_seconds() - before) * 1000 / load.answered, load)

    def _load(self, server: Server, work: Work, connections: int) -> Load:
        file = str(self._bodies[work])
        load = put_load(Orders(HOST, server.port, PATH, file, connections, self._arguments.seconds))
        if load.failed or not load.answered:
            raise RuntimeError(f"{work}: {load.failed} requests failed, {load.answered} were answered")
        return load

    def _slow_clients(self, own: Server) -> None:
        """The floor answers nobody in this situation, so the service is compared with itself."""
        alone = self._load(own, WORKS[0], 1)
        with SlowClients((HOST, own.port), SLOW_CLIENTS):
            beside = self._load(own, WORKS[0], 1)
        self._note("median latency beside 50 silent and 50 slow clients / alone", beside.median_ms / alone.median_ms)

    def _note(self, what: str, ratio: float, at_most: float | None = None) -> None:
        self._ratios[what, at_most].append(ratio)


def main() -> None:
    """Measure as the arguments say."""
    arguments = _parse()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="sii-cds-bench-") as folder:
        benchmark = Benchmark(arguments, Path(folder))
        for number in range(arguments.rounds):
            benchmark.round(number)
            sys.stderr.write(f"round {number + 1} of {arguments.rounds} after {time.monotonic() - began:.0f} s\n")
        text = as_markdown(list(benchmark.rows()), _conditions(arguments))
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_text(text, encoding="utf-8")
    sys.stdout.write(text)
    sys.stderr.write(f"written to {arguments.output}\n")


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--seconds", type=float, default=2, help="length of each single measurement")
    parser.add_argument("--rounds", type=int, default=5, help="how often all of them are repeated")
    parser.add_argument("--workers", type=int, default=2, help="worker processes of both servers")
    parser.add_argument("--threads", type=int, default=16, help="threads in each worker of both servers")
    parser.add_argument("--output", type=Path, default=Path("build/benchmark.md"), help="the Markdown file")
    return parser.parse_args()


def _conditions(arguments: argparse.Namespace) -> str:
    return (
        f"{arguments.rounds} rounds, {arguments.seconds:g} s for each measurement, {arguments.workers} workers with "
        f"{arguments.threads} threads; Python {platform.python_version()} on {platform.machine()}. The floor is bare "
        "Flask with `json.loads` and a constant card under gunicorn gthread; the service runs as shipped, with its "
        "audit record and without authentication. Only ratios of one round are compared: absolute times say more "
        "about the machine than about the service."
    )


if __name__ == "__main__":
    main()
