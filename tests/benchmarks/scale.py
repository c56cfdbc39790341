"""What a country of hospitals would cost: `python -m tests.benchmarks.scale` prints the tables of docs/scaling.md.

Unit costs first: bytes of a record, used tokens a second, processor time of a hook. Then what breaks first is let break
here: the search for one patient through a log that grows, as one log and as one log for each group of hospitals.
"""

from __future__ import annotations

import argparse
import gzip
import os
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from werkzeug.test import create_environ, run_wsgi_app

from cds_service.app import create_app
from cds_service.audit.search import Query, search
from cds_service.authorization.token import TokenUse
from cds_service.settings.load import settings_from_dict
from cds_service.state.used_tokens import UsedTokens
from tests.benchmarks.bodies import patient_view_body
from tests.benchmarks.curves import generate_log
from tests.benchmarks.report import table
from tests.benchmarks.servers import PATH
from tests.support.postgresql import programs, running_postgresql

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

HOOKS = 200
PROCESSES = (1, 2, 4, 8)
BODIES = {
    "not eligible, 12 Observations": (12, False),
    "eligible, 12 Observations": (12, True),
    "eligible, 100 Observations": (100, True),
    "eligible, 500 Observations": (500, True),
}
FAR_AHEAD = 2**33


class Rate(NamedTuple):
    """Uses a second of some processes together, and the slowest of a hundred uses in milliseconds."""

    a_second: float
    p99_ms: float


def records(folder: Path) -> Iterator[tuple[str, ...]]:
    """Yield processor time (of the quickest tenth) and bytes of a hook by kind, one after the other in one process."""
    for place, (name, (observations, eligible)) in enumerate(BODIES.items()):
        own = folder / f"site-{place}"
        own.mkdir()
        content = {
            "service": {"public_url": "https://cds.hospital.example"},
            "authentication": {"required": False},
        }
        app = create_app(settings_from_dict(content, own))
        body = patient_view_body(observations, eligible=eligible)
        spent = []
        for _ in range(HOOKS):
            environ = create_environ(PATH, method="POST", data=body, content_type="application/json")
            began = time.process_time()
            _, status, _ = run_wsgi_app(app, environ)
            spent.append(time.process_time() - began)
            if not status.startswith("200"):
                raise RuntimeError(f"{name}: {status}")
        (log,) = (own / "audit").glob("*.jsonl")
        text = log.read_bytes()
        packed = len(gzip.compress(text)) / len(text)
        yield name, f"{sorted(spent)[HOOKS // 10] * 1e3:.2f} ms", f"{len(text) / HOOKS / 1e3:.2f} kB", f"{packed:.0%}"


def token_rate(url: str, processes: int, seconds: float) -> Rate:
    """Use tokens from so many processes at the same time, each as fast as it can."""
    with ProcessPoolExecutor(processes) as pool:
        # A first round opens the connections and makes the table.
        list(pool.map(_use_tokens, [url] * processes, [0.2] * processes))
        found = list(pool.map(_use_tokens, [url] * processes, [seconds] * processes))
    every = sorted(each for waits in found for each in waits)
    return Rate(sum(len(waits) for waits in found) / seconds, every[int(len(every) * 0.99)] * 1e3)


def _use_tokens(url: str, seconds: float) -> list[float]:
    used = UsedTokens(url)
    issuer = f"{os.getpid()}-{time.monotonic_ns()}"
    waits: list[float] = []
    end = time.monotonic() + seconds
    while (began := time.monotonic()) < end:
        used.is_first_use(TokenUse(issuer, str(len(waits)), FAR_AHEAD), time.time())
        waits.append(time.monotonic() - began)
    used.close()
    return waits


def tokens(folder: Path, seconds: float) -> Iterator[tuple[str, ...]]:
    """Yield used tokens a second by store and number of processes."""
    for processes in PROCESSES:
        yield _token_row("SQLite, one host", f"sqlite:///{folder}/state.db", processes, seconds)
    found = programs()
    if found is None:
        sys.stderr.write("no PostgreSQL here: its rows are left out\n")
        return
    for synced in ("off", "on"):
        with running_postgresql(found, {"fsync": synced}) as server:
            url = server.new_database()
            for processes in PROCESSES:
                yield _token_row(f"PostgreSQL, fsync {synced}", url, processes, seconds)


def _token_row(name: str, url: str, processes: int, seconds: float) -> tuple[str, ...]:
    rate = token_rate(url, processes, seconds)
    return name, str(processes), f"{rate.a_second:,.0f}", f"{rate.p99_ms:.2f} ms"


def searches(folder: Path, sizes: Sequence[int], groups: int) -> Iterator[tuple[str, ...]]:
    """Yield seconds until a patient is found in one log, and in as many records spread over logs of their own."""
    for number in sizes:
        whole = folder / f"log-{number}"
        generate_log(whole, number)
        parts = [folder / f"log-{number}-{place}" for place in range(groups)]
        for part in parts:
            generate_log(part, number // groups)
        one, _ = _timed([whole])
        of_its_hospital, _ = _timed(parts[:1])
        every, workers = _timed(parts)
        size = sum(file.stat().st_size for file in whole.iterdir()) / 1e9
        cells = (f"{one:.1f} s", f"{of_its_hospital:.1f} s", f"{every:.1f} s in {workers} processes")
        yield f"{number:,}", f"{size:.2f} GB", *cells


def _timed(directories: Sequence[Path]) -> tuple[float, int]:
    workers = min(len(directories), os.cpu_count() or 1)
    began = time.monotonic()
    with ProcessPoolExecutor(workers) as pool:
        found = sum(pool.map(_search_one, directories))
    if not found:
        raise RuntimeError("the patient stands in no log")
    return time.monotonic() - began, workers


def _search_one(directory: Path) -> int:
    return sum(1 for _ in search(directory, Query(patients=frozenset({"patient-7"}))))


def main() -> None:
    """Measure and print Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=3.0, help="length of each load of tokens")
    parser.add_argument("--records", type=int, nargs="+", default=[250_000, 500_000, 1_000_000, 2_000_000])
    parser.add_argument("--groups", type=int, default=10, help="logs that the same records are spread over")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="sii-cds-scale-") as name:
        folder = Path(name)
        _print(("hook", "processor time", "record", "of it with gzip"), records(folder))
        _print(("store", "processes", "used tokens a second", "p99"), tokens(folder, arguments.seconds))
        head = ("records", "size", "one log", f"the log of its group, one of {arguments.groups}", "all of these logs")
        _print(head, searches(folder, arguments.records, arguments.groups))


def _print(head: Sequence[str], rows: Iterator[tuple[str, ...]]) -> None:
    sys.stdout.write(table(head, rows) + "\n\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
