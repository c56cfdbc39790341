"""Hooks while workers and servers are killed: `python -m tests.endurance.audit_crashes`.

Clients send hooks without pause. At random moments one of the workers is killed (SIGKILL), or stands still for a
while (SIGSTOP), or the process that was started is killed, or all of them at once, and the service is started again.
After each start the log has to be whole; at the end every hook that was answered has exactly one record, and none
that was not answered has two; and no file lacks the limits that its hooks were decided under.
"""

from __future__ import annotations

import argparse
import http.client
import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from uuid import uuid4

from cds_service.audit.reading import read_entries, verify_log
from cds_service.audit.records import ConfigurationRecord, HookRecord
from cds_service.state.chain_heads import kept_head
from tests.benchmarks.bodies import patient_view_body
from tests.support.processes import children
from tests.support.serve_command import serving

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from cds_service.audit.verification import Verification
    from tests.support.serve_command import Serving

KEY = b"key of the endurance test, 32 B.\n"
HOOK_PATH = "/cds-services/sii-recurrence-risk"
# Small files: they are begun many times while processes die.
CONFIGURATION = """\
service: {{public_url: http://127.0.0.1:8080, timezone: Europe/Zurich}}
server: {{host: 127.0.0.1, port: 0, workers: {workers}, threads: 8}}
authentication: {{required: false}}
audit: {{hmac_key_file: audit.key, rotate_bytes: 300000}}
"""


@dataclass(frozen=True)
class Orders:
    """How many hooks have to be answered, by how many workers, from how many connections, and the seed of chance."""

    hooks: int = 10_000
    workers: int = 4
    connections: int = 12
    seed: int = 20260310


@dataclass
class Result:
    """What was seen. `lost`, `doubled` and `unlimited` are hooks; all three have to stay empty.

    `unlimited` stand in a file that does not hold, before them, the limits they were decided under.
    """

    answered: int = 0
    refused: int = 0
    unanswered: int = 0
    recorded_unanswered: int = 0
    starts: int = 0
    killed_workers: int = 0
    killed_servers: int = 0
    stopped_workers: int = 0
    verifications: int = 0
    sealed: int = 0
    files: int = 0
    seconds: float = 0.0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    unlimited: list[str] = field(default_factory=list)


class Clients:
    """Connections that send one hook after the other, to wherever the service is now."""

    def __init__(self, orders: Orders) -> None:
        """Send nothing yet."""
        self.answered: list[str] = []
        self.unanswered: list[str] = []
        self.refused = 0
        self._orders = orders
        self._address: tuple[str, int] | None = None
        self._stopped = threading.Event()
        self._head, _, self._tail = patient_view_body(12, eligible=True).partition(
            b"5d2c9a3e-6b1f-4f6a-9a52-0f6d6c1f8f01"
        )
        self._threads = [threading.Thread(target=self._send_all) for _ in range(orders.connections)]

    def start(self) -> None:
        """Begin sending."""
        for thread in self._threads:
            thread.start()

    def turn_to(self, url: str | None) -> None:
        """Tell where the service is; None while it is nowhere."""
        parts = urlsplit(url or "")
        self._address = (parts.hostname, parts.port) if parts.hostname and parts.port else None

    def stop(self) -> None:
        """Finish what is being sent, and end."""
        self._stopped.set()
        for thread in self._threads:
            thread.join()

    @property
    def are_done(self) -> bool:
        """Tell whether enough hooks were answered."""
        return len(self.answered) >= self._orders.hooks

    def _send_all(self) -> None:
        while not self._stopped.is_set():
            address = self._address
            if address is None:
                time.sleep(0.01)
                continue
            connection = http.client.HTTPConnection(*address, timeout=20)
            try:
                while not self._stopped.is_set() and self._address == address:
                    self._send(connection)
            except (OSError, http.client.HTTPException):
                time.sleep(0.01)
            finally:
                connection.close()

    def _send(self, connection: http.client.HTTPConnection) -> None:
        instance = str(uuid4())
        body = self._head + instance.encode() + self._tail
        self.unanswered.append(instance)
        connection.request("POST", HOOK_PATH, body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        answer.read()
        if answer.status == http.HTTPStatus.OK:
            self.answered.append(instance)
        else:
            self.refused += 1


class Endurance:
    """One run."""

    def __init__(self, orders: Orders, folder: Path) -> None:
        """Keep the orders; all files go into `folder`."""
        self._orders = orders
        self._folder = folder
        self._chance = random.Random(orders.seed)  # noqa: S311  moments, not secrets
        self._clients = Clients(orders)
        self.result = Result()

    def run(self) -> Result:
        """Start, kill, start again until enough hooks were answered; raises AssertionError where the log is broken."""
        began = time.monotonic()
        (self._folder / "audit.key").write_bytes(KEY)
        self._clients.start()
        try:
            while not self._clients.are_done:
                with self._service() as running:
                    self._check(running)
                    self._kill_some(running)
                self._clients.turn_to(None)
        finally:
            self._clients.stop()
        with self._service() as running:
            self._check(running)
        self._count()
        self.result.seconds = round(time.monotonic() - began, 1)
        return self.result

    def _service(self) -> AbstractContextManager[Serving]:
        self.result.starts += 1
        return serving(self._folder, CONFIGURATION.format(workers=self._orders.workers))

    def _check(self, running: Serving) -> None:
        """Send hooks to the new service, and verify the log that it found and goes on writing."""
        self._clients.turn_to(running.url)
        verify(self._folder)
        self.result.verifications += 1

    def _kill_some(self, running: Serving) -> None:
        """Kill one worker after the other, and at last the whole service or the process that was started."""
        for _ in range(self._chance.randint(0, 2)):
            self._pause()
            workers = children(running.process.pid)
            if workers and self._chance.random() < 0.75:
                _signal(self._chance.choice(workers), signal.SIGKILL)
                self.result.killed_workers += 1
            elif workers:
                self._stop(self._chance.choice(workers))
        self._pause()
        self.result.killed_servers += 1
        if self._chance.random() < 0.5:
            # Its workers notice and finish what they do; what is left after a pause is killed with the block.
            _signal(running.process.pid, signal.SIGKILL)
            self._pause()

    def _stop(self, worker: int) -> None:
        """Let a worker stand still, perhaps while it holds the lock, for longer than a hook waits or not."""
        _signal(worker, signal.SIGSTOP)
        time.sleep(self._chance.uniform(0.0, 4.0))
        _signal(worker, signal.SIGCONT)
        self.result.stopped_workers += 1

    def _pause(self) -> None:
        time.sleep(self._chance.uniform(0.0, 1.0))

    def _count(self) -> None:
        clients, result = self._clients, self.result
        records: Counter[str] = Counter()
        limits: set[tuple[str, str]] = set()
        for entry in read_entries(self._folder / "audit"):
            record = entry.record
            if isinstance(record, ConfigurationRecord):
                limits.add((entry.file, record.configuration))
            elif isinstance(record, HookRecord):
                records[record.hook_instance] += 1
                if (entry.file, record.configuration) not in limits:
                    result.unlimited.append(record.hook_instance)
        answered = set(clients.answered)
        found = verify(self._folder)
        result.answered, result.refused = len(answered), clients.refused
        result.unanswered = len(clients.unanswered) - len(answered) - clients.refused
        result.recorded_unanswered = sum(instance not in answered for instance in records)
        result.lost = sorted(answered - records.keys())
        result.doubled = sorted(instance for instance, count in records.items() if count > 1)
        result.sealed, result.files = found.counts.get("sealed", 0), found.files


def verify(folder: Path) -> Verification:
    """Verify the log with its key and the kept head; raises AssertionError where it is broken."""
    head = kept_head(f"sqlite:///{folder / 'state.db'}", folder / "audit")
    found = verify_log(folder / "audit", (KEY.removesuffix(b"\n"),), head)
    if found.broken is not None:
        raise AssertionError(f"the log is broken: {found.broken}")
    return found


def _signal(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def main() -> int:
    """Run as the arguments say; return 1 where a record is missing or there twice, or without its limits."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, value in asdict(Orders()).items():
        parser.add_argument(f"--{name}", type=int, default=value)
    orders = Orders(**vars(parser.parse_args()))
    with tempfile.TemporaryDirectory(prefix="sii-cds-crashes-") as folder:
        result = Endurance(orders, Path(folder)).run()
    for name, found in asdict(result).items():
        sys.stdout.write(f"{name:20} {found}\n")
    return 1 if result.lost or result.doubled or result.unlimited else 0


if __name__ == "__main__":
    sys.exit(main())
