"""How cost grows: with the Observations of a chart, with patients, with workers, and with the records of the log."""

import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from math import log
from pathlib import Path
from statistics import median

import msgspec

from cds_service.audit.bookkeeping import FORMAT, OpenedRecord
from cds_service.audit.chain import GENESIS, ChainKey, bind, encode_payload
from cds_service.audit.files import file_name
from cds_service.audit.reading import verify_log
from cds_service.audit.records import HookRecord
from cds_service.audit.search import Query, search
from tests.benchmarks.bodies import patient_view_body
from tests.benchmarks.load import Orders, put_load
from tests.benchmarks.servers import HOST, Server, floor, service

# The last one takes nine of the ten megabytes that a request may have.
OBSERVATIONS = (4, 12, 40, 100, 400, 1000, 4000, 8000)
PATIENTS = (1, 10, 100, 1000)
WORKERS = (1, 2, 4)
USUAL = 12
# Of a patient who is not eligible, as most are.
RECORDS = (1000, 10_000, 100_000)


@dataclass(frozen=True)
class Curve:
    """Something measured at several sizes; `floor` holds the same of bare Flask, where it can do it."""

    name: str
    size: str
    value: str
    sizes: Sequence[int]
    own: Sequence[float]
    floor: Sequence[float] = ()

    def slope(self, values: Sequence[float]) -> float:
        """Exponent of growth over the upper half: 1 where twice the size costs twice as much, 0 where no more."""
        first, last = len(self.sizes) // 2, len(self.sizes) - 1
        return log(values[last] / values[first]) / log(self.sizes[last] / self.sizes[first])


@dataclass(frozen=True)
class Effort:
    """How much is measured for each point."""

    rounds: int
    seconds: float
    threads: int


def measure_growth(effort: Effort, records: Sequence[int] = RECORDS) -> tuple[Curve, ...]:
    """Measure every curve."""
    with tempfile.TemporaryDirectory(prefix="sii-cds-growth-") as name:
        folder = Path(name)
        curves: list[Curve] = []
        for measure in (_observations, _patients, _workers):
            curves.append(measure(folder, effort))
            sys.stderr.write(f"{curves[-1].name} measured\n")
        curves += _log(folder, records)
    return tuple(curves)


def _observations(folder: Path, effort: Effort) -> Curve:
    bodies = {number: [_write(folder / f"observations-{number}.json", number)] for number in OBSERVATIONS}
    own, base = _both(folder / "observations", bodies, effort)
    return Curve("Observations in one chart", "Observations", "CPU ms", OBSERVATIONS, own, base)


def _patients(folder: Path, effort: Effort) -> Curve:
    files = [_write(folder / f"patient-{number}.json", USUAL, f"patient-{number}") for number in range(max(PATIENTS))]
    bodies = {number: files[:number] for number in PATIENTS}
    own, base = _both(folder / "patients", bodies, effort)
    return Curve("Different patients in turns", "patients", "CPU ms", PATIENTS, own, base)


def _both(folder: Path, bodies: Mapping[int, Sequence[str]], effort: Effort) -> tuple[Sequence[float], Sequence[float]]:
    """Processor time of each size on service and floor: medians of interleaved rounds."""
    folder.mkdir()
    found: dict[tuple[str, int], list[float]] = {}
    with floor(folder, 2, effort.threads) as base, service(folder, 2, effort.threads) as own:
        for _ in range(effort.rounds):
            for size, files in bodies.items():
                for name, server in (("own", own), ("floor", base)):
                    found.setdefault((name, size), []).append(_processor_ms(server, files, effort.seconds))
    own_ms, floor_ms = ([median(found[name, size]) for size in bodies] for name in ("own", "floor"))
    return own_ms, floor_ms


def _processor_ms(server: Server, files: Sequence[str], seconds: float, connections: int = 1) -> float:
    before = server.processor_seconds()
    load = put_load(Orders(HOST, server.port, server.path, files, connections, seconds))
    if load.failed or not load.answered:
        raise RuntimeError(f"{files[0]}: {load.failed} requests failed, {load.answered} were answered")
    return (server.processor_seconds() - before) * 1000 / load.answered


def _workers(folder: Path, effort: Effort) -> Curve:
    """Requests a second by number of workers, over eight connections."""
    file = _write(folder / "workers.json", USUAL)
    rates: dict[tuple[str, int], list[float]] = {}
    with ExitStack() as running:
        servers = {}
        for number in WORKERS:
            own = folder / f"workers-{number}"
            own.mkdir()
            servers["own", number] = running.enter_context(service(own, number, effort.threads))
            servers["floor", number] = running.enter_context(floor(own, number, effort.threads))
        for _ in range(effort.rounds):
            for key, server in servers.items():
                load = put_load(Orders(HOST, server.port, server.path, (file,), 8, effort.seconds))
                rates.setdefault(key, []).append(load.answered / effort.seconds)
    own_rates = [median(rates["own", number]) for number in WORKERS]
    floor_rates = [median(rates["floor", number]) for number in WORKERS]
    return Curve("Workers, over 8 connections", "workers", "requests/s", WORKERS, own_rates, floor_rates)


def _write(file: Path, observations: int, patient: str = "bench-1") -> str:
    file.write_bytes(patient_view_body(observations, eligible=True, patient=patient))
    return str(file)


def _log(folder: Path, sizes: Sequence[int]) -> Iterator[Curve]:
    """Time to verify the log and to search it for one patient, in seconds of processor time."""
    verified, searched = [], []
    for number in sizes:
        directory = folder / f"log-{number}"
        generate_log(directory, number)
        began = time.process_time()
        if verify_log(directory).broken is not None:
            raise RuntimeError("the generated log is not whole")
        verified.append(time.process_time() - began)
        began = time.process_time()
        found = sum(1 for _ in search(directory, Query(patients=frozenset({"patient-7"}))))
        searched.append(time.process_time() - began)
        sys.stderr.write(f"log of {number} records, {found} of one patient\n")
    yield Curve("Verifying the audit log", "records", "CPU s", sizes, verified)
    yield Curve("Searching the audit log for a patient", "records", "CPU s", sizes, searched)


def generate_log(directory: Path, number: int) -> None:
    """Write a log of so many hook records, chained as the service chains them, in one file."""
    directory.mkdir()
    now = datetime.now(UTC)
    key = ChainKey(None)
    opened = OpenedRecord(time=now, format=FORMAT, algorithm=key.named, key_id=None)
    line, link = bind(encode_payload(opened), 1, GENESIS, key)
    with (directory / file_name(1, now)).open("wb") as stream:
        stream.write(line)
        for sequence in range(2, number + 1):
            line, link = bind(encode_payload(_record(sequence, now)), sequence, link, key)
            stream.write(line)


def _record(sequence: int, now: datetime) -> HookRecord:
    return msgspec.structs.replace(
        _RECORD, time=now, request_id=f"{sequence:032x}", patient=f"patient-{sequence % 1000}"
    )


_RECORD = HookRecord(
    time=datetime.now(UTC),
    request_id="",
    hook_instance="5d2c9a3e-6b1f-4f6a-9a52-0f6d6c1f8f01",
    client="main-ehr",
    user="Practitioner/bench",
    patient="",
    outcome="not-eligible",
    cutoff="405.08",
    reasons=("no-primary-liver-cancer",),
    mode="active",
    rule_version="1",
    mapping_version="0" * 16,
    configuration="0" * 16,
    timings_ms={"decide": 0.25},
)
