"""The steps of an audit record by themselves, and reading a large log."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, NamedTuple
from unittest.mock import patch

import msgspec

from cds_service.audit.chain import GENESIS, ChainHead, ChainKey, bind, encode_payload
from cds_service.audit.heads import HeadReporter
from cds_service.audit.log import AuditLog
from cds_service.state.chain_heads import HeadKeeper
from tests.support.audit_logs import write_log

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from cds_service.audit.records import HookRecord

REPEATS = 7
PATIENTS = 5000
# Run in a process of its own, so that its memory is that of the reader alone.
READER = """
import re, sys, time
from pathlib import Path
from cds_service.audit.reading import read_entries, verify_log
from cds_service.audit.search import Query, search
directory = Path(sys.argv[2])
readers = {
    "verify": lambda: verify_log(directory).broken is None,
    "search --patient": lambda: sum(1 for _ in search(directory, Query(patients=frozenset({"p17"})))),
    "search --user": lambda: sum(1 for _ in search(directory, Query(user="Practitioner/17"))),
    "read every record whole": lambda: sum(1 for _ in read_entries(directory)),
}
began = time.process_time()
found = readers[sys.argv[1]]()
spent = time.process_time() - began
# What getrusage tells would include the process that started this one.
peak = re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())
print(spent, int(peak[1]) / 1024, found)
"""


class Spent(NamedTuple):
    """Microseconds of one call: of the processor, and of the clock."""

    processor: float
    clock: float


def measure_steps(folder: Path, record: HookRecord) -> Iterator[str]:
    """Yield a table of what each step takes for one record, one thread, median of some repeats."""
    payload = encode_payload(record)
    yield f"| step, for a record of {len(payload)} bytes | processor, µs | clock, µs |"
    yield "|---|---|---|"
    yield _row("encode", _spent(lambda: encode_payload(record)))
    for name, key in (("SHA-256", None), ("HMAC", bytes(32))):
        chain = ChainKey(key)
        yield _row(f"chain, {name}", _spent(lambda chain=chain: bind(payload, 17, GENESIS, chain)))  # type: ignore[misc]
    log = AuditLog(folder / "steps", key=bytes(32), rotate_bytes=2**40)
    log.start()
    with patch.object(os, "fdatasync", lambda _: None):
        yield _row("append without sync (encode, chain, lock, write)", _spent(lambda: log.append(record)))
    yield _row("append", _spent(lambda: log.append(record), 300))
    yield _row("write and sync alone", _spent(_bare_append(folder / "bare", payload), 300))
    reporter = HeadReporter(lambda _: None, 60)
    yield _row("note the head", _spent(lambda: reporter.note(log.head())))
    keeper, head = HeadKeeper(f"sqlite:///{folder / 'heads.db'}", folder / "steps"), ChainHead("a", 1, GENESIS)
    yield _row("keep the head (once a second, on its own thread)", _spent(lambda: keeper.keep(head), 200))
    for threads in (8, 32):
        yield _row(f"append, {threads} threads", _together(log, record, threads))


def _row(what: str, spent: Spent) -> str:
    return f"| {what} | {spent.processor:.1f} | {spent.clock:.1f} |"


def _spent(call: Callable[[], object], calls: int = 2000) -> Spent:
    found = []
    for _ in range(REPEATS):
        processor, clock = time.process_time(), time.perf_counter()
        for _ in range(calls):
            call()
        found.append(
            Spent((time.process_time() - processor) * 1e6 / calls, (time.perf_counter() - clock) * 1e6 / calls)
        )
    return Spent(*(statistics.median(column) for column in zip(*found, strict=True)))


def _together(log: AuditLog, record: HookRecord, threads: int) -> Spent:
    """Append from threads at a time; the clock is that of one append."""

    def append_some() -> None:
        for _ in range(100):
            log.append(record)

    def run() -> None:
        running = [threading.Thread(target=append_some) for _ in range(threads)]
        for thread in running:
            thread.start()
        for thread in running:
            thread.join()

    spent = _spent(run, 1)
    return Spent(spent.processor / threads / 100, spent.clock / 100)


def _bare_append(path: Path, payload: bytes) -> Callable[[], None]:
    descriptor, offset = os.open(path, os.O_WRONLY | os.O_CREAT), [0]

    def append() -> None:
        offset[0] += os.pwrite(descriptor, payload, offset[0])
        os.fdatasync(descriptor)

    return append


def measure_reading(folder: Path, record: HookRecord, records: int) -> Iterator[str]:
    """Yield a table of how fast a log is read; a tenth of the hooks made a card, a tenth of the cards has feedback."""

    def make(number: int) -> HookRecord:
        card = f"card-{number}" if number % 10 == 0 else None
        patient, user = f"p{number % PATIENTS}", f"Practitioner/{number % 50}"
        return msgspec.structs.replace(record, patient=patient, user=user, card=card)

    sizes = (records // 10, records)
    yield f"| reading {sizes[0]} and {sizes[1]} records | records a second | | peak memory, MB | |"
    yield "|---|---|---|---|---|"
    for size in sizes:
        write_log(folder / f"log-{size}", size, make)
    for reader in ("verify", "search --patient", "search --user", "read every record whole"):
        cells = [_read(reader, folder / f"log-{size}", size) for size in sizes]
        yield f"| {reader} | {cells[0][0]:.0f} | {cells[1][0]:.0f} | {cells[0][1]:.0f} | {cells[1][1]:.0f} |"


def _read(reader: str, directory: Path, records: int) -> tuple[float, float]:
    command = [sys.executable, "-c", READER, reader, str(directory)]
    seconds, megabytes, _ = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return records / float(seconds), float(megabytes)
