"""Interleaved rounds: every server is started afresh, and each load is put on one right after the other."""

import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.benchmarks.bodies import patient_view_body
from tests.benchmarks.load import Load, Orders, put_load
from tests.benchmarks.servers import HEALTHCHAIN, HOST, Server, floor, healthchain, service
from tests.benchmarks.token_pool import ALGORITHMS, TokenPool, bare_check_ms, key_set
from tests.support.serving_slow_clients import SlowClients

FLOOR, OWN, HEALTHCHAIN_NAME = "bare Flask", "service", "HealthChain"
# Equal work: the service never answers without a record on the disk.
FLOOR_RECORDED, HEALTHCHAIN_RECORDED = (f"{name}, record" for name in (FLOOR, HEALTHCHAIN_NAME))
SLOW_CLIENTS = {"silent": 50, "slow header": 25, "slow body": 25}
EXPECTED_OUTCOME = {True: "above-cutoff", False: "not-eligible"}
TOKENS_A_ROUND = 16_000
# After so many hooks the memory of a worker is told, three in four of them of patients who are not eligible.
HOOKS = 10_000
HOOKS_MIX = ((12, True), (500, False), (500, False), (500, False))


@dataclass(frozen=True)
class Work:
    """A kind of request, and over how many connections it comes."""

    observations: int
    eligible: bool
    connections: int


@dataclass(frozen=True)
class Measured:
    """One server under one load in one round."""

    processor_ms: float
    per_second: float
    load: Load


@dataclass(frozen=True)
class Plan:
    """What is measured, how often, and for how long each."""

    observations: Sequence[int]
    connections: Sequence[int]
    rounds: int
    seconds: float
    workers: int
    threads: int

    def works(self) -> Iterator[Work]:
        """Every load of a round, and beside them the patient who is not eligible."""
        for connections in self.connections:
            for observations in self.observations:
                yield Work(observations, eligible=True, connections=connections)
            yield Work(500, eligible=False, connections=connections)


@dataclass
class Findings:
    """All rounds; lists hold one value each round, so that values of the same place belong together."""

    loads: dict[tuple[str, Work], list[Measured]] = field(default_factory=lambda: defaultdict(list))
    start_seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    worker_megabytes: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    loaded_megabytes: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    hooked_megabytes: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    megabytes: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    bare_check_ms: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    slow_clients: list[float] = field(default_factory=list)

    def servers(self) -> list[str]:
        """Name the servers, the floor first."""
        return list(dict.fromkeys(server for server, _ in self.loads))


def measure(plan: Plan) -> Findings:
    """Run all rounds."""
    findings = Findings()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="sii-cds-bench-") as folder:
        for number in range(plan.rounds):
            _Round(plan, findings, Path(folder) / f"round-{number}").run(forward=number % 2 == 0)
            sys.stderr.write(f"round {number + 1} of {plan.rounds} after {time.monotonic() - began:.0f} s\n")
        _look_at_memory(plan, findings, Path(folder))
    return findings


def _look_at_memory(plan: Plan, findings: Findings, folder: Path) -> None:
    """Send floor and service, started afresh, the hooks of a morning, and look how large a worker is then."""
    files = []
    for number, (observations, eligible) in enumerate(HOOKS_MIX):
        file = folder / f"hook-{number}.json"
        file.write_bytes(patient_view_body(observations, eligible=eligible))
        files.append(str(file))
    for name, start in ((FLOOR, floor), (OWN, service)):
        own = folder / f"memory-{name}"
        own.mkdir()
        with start(own, plan.workers, plan.threads) as server:
            answered = 0
            while answered < HOOKS:
                load = put_load(Orders(HOST, server.port, server.path, files, 8, 2.0))
                if load.failed or not load.answered:
                    raise RuntimeError(f"{name}: {load.failed} requests failed, {load.answered} were answered")
                answered += load.answered
            findings.hooked_megabytes[name].append(server.worker_megabytes())


class _Round:
    """One start of all servers, with bodies of today and tokens that are good until it is over."""

    def __init__(self, plan: Plan, findings: Findings, folder: Path) -> None:
        self._plan, self._findings, self._folder = plan, findings, folder
        folder.mkdir()
        self._bodies = {}
        for observations, eligible in {(work.observations, work.eligible) for work in plan.works()}:
            file = self._bodies[observations, eligible] = folder / f"{observations}-{eligible}.json"
            file.write_bytes(patient_view_body(observations, eligible=eligible))
        self._pools = {name: TokenPool(folder / name, name, TOKENS_A_ROUND) for name in ALGORITHMS}

    def run(self, *, forward: bool) -> None:
        """Put every load on every server, in turns the first and the last one first."""
        for algorithm in ALGORITHMS:
            self._findings.bare_check_ms[algorithm].append(bare_check_ms(algorithm))
        with ExitStack() as running:
            servers = {name: running.enter_context(starter) for name, starter in self._starters().items()}
            order = list(servers) if forward else list(reversed(servers))
            tokens = {f"{OWN}, {algorithm}": algorithm for algorithm in ALGORITHMS}
            for name, server in servers.items():
                self._findings.start_seconds[name].append(server.start_seconds)
                self._findings.worker_megabytes[name].append(server.worker_megabytes())
            self._check_answers(servers)
            for work in self._plan.works():
                for name in order:
                    self._findings.loads[name, work].append(self._put(servers[name], work, tokens.get(name)))
            for name, server in servers.items():
                self._findings.loaded_megabytes[name].append(server.worker_megabytes())
                self._findings.megabytes[name].append(server.megabytes())
            self._slow_clients(servers[OWN])

    def _starters(self) -> dict[str, AbstractContextManager[Server]]:
        workers, threads = self._plan.workers, self._plan.threads
        starters: dict[str, AbstractContextManager[Server]] = {
            FLOOR: floor(self._own_folder("floor"), workers, threads),
            FLOOR_RECORDED: floor(self._own_folder("floor-recorded"), workers, threads, records=True),
            OWN: service(self._own_folder("service"), workers, threads),
        }
        for algorithm in ALGORITHMS:
            folder = self._own_folder(algorithm.lower())
            starters[f"{OWN}, {algorithm}"] = service(folder, workers, threads, key_set=key_set())
        if HEALTHCHAIN.exists():
            starters[HEALTHCHAIN_NAME] = healthchain(self._own_folder("healthchain"))
            starters[HEALTHCHAIN_RECORDED] = healthchain(self._own_folder("healthchain-recorded"), records=True)
        return starters

    def _own_folder(self, name: str) -> Path:
        folder = self._folder / f"run-{name}"
        folder.mkdir()
        return folder

    def _check_answers(self, servers: dict[str, Server]) -> None:
        """A fast wrong answer is worth nothing."""
        for (observations, eligible), file in self._bodies.items():
            for name in (OWN, *(f"{OWN}, {algorithm}" for algorithm in ALGORITHMS)):
                pool = self._pools.get(name.removeprefix(f"{OWN}, "))
                answer = servers[name].ask(file.read_bytes(), pool.take() if pool else None)
                outcome = answer["extension"]["org.sii-cds.assessment"]["outcome"]
                if outcome != EXPECTED_OUTCOME[eligible]:
                    raise RuntimeError(f"{name}: {observations} Observations are answered with {outcome}")

    def _put(self, server: Server, work: Work, algorithm: str | None = None) -> Measured:
        pool = self._pools[algorithm] if algorithm else None
        file = str(self._bodies[work.observations, work.eligible])
        seconds = self._plan.seconds
        orders = Orders(HOST, server.port, server.path, (file,), work.connections, seconds)
        if pool is not None:
            orders = replace(orders, token_file=str(pool.file), first_token=pool.used)
        before, began = server.processor_seconds(), time.monotonic()
        load = put_load(orders)
        spent = server.processor_seconds() - before
        if load.failed or not load.answered:
            raise RuntimeError(f"{work}: {load.failed} requests failed, {load.answered} were answered")
        if pool is not None:
            # One that was sent when the time was up may be used and not counted.
            pool.used += load.answered + work.connections
        return Measured(spent * 1000 / load.answered, load.answered / min(seconds, time.monotonic() - began), load)

    def _slow_clients(self, own: Server) -> None:
        """The floor answers nobody in this situation, so the service is compared with itself."""
        work = Work(self._plan.observations[0], eligible=True, connections=1)
        alone = self._put(own, work)
        with SlowClients((HOST, own.port), SLOW_CLIENTS):
            beside = self._put(own, work)
        self._findings.slow_clients.append(beside.load.median_ms / alone.load.median_ms)
