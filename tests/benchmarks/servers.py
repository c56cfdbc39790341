"""The two servers that are compared: the floor under gunicorn, and the service as it is shipped."""

import http.client
import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PATH = "/cds-services/sii-recurrence-risk"
HOST = "127.0.0.1"
START_SECONDS = 30
TICKS = os.sysconf("SC_CLK_TCK")
SERVICE_CONFIGURATION = """\
service: {{public_url: "http://127.0.0.1"}}
server: {{host: 127.0.0.1, port: 0, workers: {workers}, threads: {threads}}}
authentication: {{required: false}}
eligibility: {{mode: required}}
audit: {{directory: audit}}
state: {{url: "sqlite:///state.db"}}
"""


@dataclass(frozen=True)
class Server:
    """A running server: where it answers, its processes, and how long it took to its first answer."""

    port: int
    process: subprocess.Popen[bytes]
    start_seconds: float

    def pids(self) -> list[int]:
        """The started process and all below it."""
        found = [self.process.pid]
        for pid in found:
            for children in Path(f"/proc/{pid}/task").glob("*/children"):
                found += [int(child) for child in children.read_text().split()]
        return found

    def processor_seconds(self) -> float:
        """Time that all its processes have spent on a processor, in user and system mode."""
        times = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13] for pid in self.pids()]
        return sum(int(user) + int(system) for user, system in times) / TICKS

    def worker_megabytes(self) -> float:
        """Resident memory of its largest worker."""
        status = [Path(f"/proc/{pid}/status").read_text() for pid in self.pids()[1:]]
        found = [re.search(r"^VmRSS:\s+(\d+) kB", text, re.MULTILINE) for text in status]
        return max(int(match[1]) for match in found if match) / 1024

    def ask(self, body: bytes) -> dict[str, Any]:
        """Send one request; raises RuntimeError unless it is answered with 200."""
        connection = http.client.HTTPConnection(HOST, self.port, timeout=10)
        try:
            connection.request("POST", PATH, body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            text = response.read()
        finally:
            connection.close()
        if response.status != http.HTTPStatus.OK:
            raise RuntimeError(f"answered with {response.status}: {text[:500]!r}")
        answer: dict[str, Any] = json.loads(text)
        return answer


@contextmanager
def floor(folder: Path, workers: int, threads: int) -> Iterator[Server]:
    """Bare Flask with json.loads and a constant card, under gunicorn with threads."""
    port = _free_port()
    options = ["--worker-class=gthread", f"--workers={workers}", f"--threads={threads}", f"--bind={HOST}:{port}"]
    target = "tests.benchmarks.floor:create_application()"
    command = [sys.executable, "-m", "gunicorn", *options, "--no-control-socket", "--log-level=error", target]
    with _started(command, folder / "floor.log") as (process, began):
        _wait_for_answer(process, port)
        yield Server(port, process, time.monotonic() - began)


@contextmanager
def service(
    folder: Path, workers: int, threads: int, program: Sequence[str] = (str(Path(sys.executable).parent / "sii-cds"),)
) -> Iterator[Server]:
    """`sii-cds serve` with the audit record on and no authentication; `program` stands in for `sii-cds`."""
    configuration = folder / "sii-cds.yaml"
    configuration.write_text(SERVICE_CONFIGURATION.format(workers=workers, threads=threads))
    log = folder / "service.log"
    command = [*program, "serve", "--config", str(configuration)]
    with _started(command, log) as (process, began):
        port = _printed_port(process, log)
        _wait_for_answer(process, port)
        yield Server(port, process, time.monotonic() - began)


@contextmanager
def _started(command: list[str], log: Path) -> Iterator[tuple[subprocess.Popen[bytes], float]]:
    began = time.monotonic()
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT)
    try:
        yield process, began
    finally:
        process.terminate()
        process.wait(START_SECONDS)


def _wait_for_answer(process: subprocess.Popen[bytes], port: int) -> None:
    def answers() -> bool:
        connection = http.client.HTTPConnection(HOST, port, timeout=5)
        try:
            connection.request("GET", "/")
            connection.getresponse().read()
        except OSError:
            return False
        finally:
            connection.close()
        return True

    _wait(process, answers)


def _printed_port(process: subprocess.Popen[bytes], log: Path) -> int:
    printed = re.compile(r"listening on http://[^\s/]+:(\d+)")
    _wait(process, lambda: printed.search(log.read_text()) is not None)
    match = printed.search(log.read_text())
    assert match is not None
    return int(match[1])


def _wait(process: subprocess.Popen[bytes], condition: Any) -> None:
    end = time.monotonic() + START_SECONDS
    while not condition():
        if process.poll() is not None or time.monotonic() > end:
            raise RuntimeError(f"{process.args!r} does not answer")
        time.sleep(0.02)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
