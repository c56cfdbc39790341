"""The servers that are compared: the floor under gunicorn, HealthChain, and the service as it is shipped."""

import http.client
import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from tests.benchmarks.recording import FOLDER as RECORDS
from tests.security import forge

ROOT = Path(__file__).resolve().parents[2]
PATH = "/cds-services/sii-recurrence-risk"
HOST = "127.0.0.1"
START_SECONDS = 30
TICKS = os.sysconf("SC_CLK_TCK")
HEALTHCHAIN = ROOT / "build/healthchain-venv/bin/python"
SERVICE_CONFIGURATION = """\
service: {{public_url: "{public_url}"}}
server: {{host: 127.0.0.1, port: 0, workers: {workers}, threads: {threads}}}
authentication: {{required: {required}}}
eligibility: {{mode: required}}
audit: {{directory: audit}}
state: {{url: "sqlite:///state.db"}}
"""
CLIENT = """\
clients:
  - {{name: bench, issuer: "{issuer}", jwks_file: jwks.json, algorithms: [RS384, ES384]}}
"""


@dataclass(frozen=True)
class Server:
    """A running server: where it answers, its processes, and how long it took to its first answer."""

    port: int
    process: subprocess.Popen[bytes]
    start_seconds: float
    path: str = PATH

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
        """Resident memory of its largest worker, pages it shares with others included."""
        return max(self._megabytes(pid, "Rss") for pid in self.pids()[1:] or [self.process.pid])

    def megabytes(self) -> float:
        """Memory of all its processes together, each shared page counted once (PSS)."""
        return sum(self._megabytes(pid, "Pss") for pid in self.pids())

    @staticmethod
    def _megabytes(pid: int, kind: str) -> float:
        found = re.search(rf"^{kind}:\s+(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
        return int(found[1]) / 1024 if found else 0

    def ask(self, body: bytes, token: str | None = None) -> dict[str, Any]:
        """Send one request; raises RuntimeError unless it is answered with 200."""
        connection = http.client.HTTPConnection(HOST, self.port, timeout=10)
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        try:
            connection.request("POST", self.path, body, headers)
            response = connection.getresponse()
            text = response.read()
        finally:
            connection.close()
        if response.status != http.HTTPStatus.OK:
            raise RuntimeError(f"answered with {response.status}: {text[:500]!r}")
        answer: dict[str, Any] = json.loads(text)
        return answer


@contextmanager
def floor(folder: Path, workers: int, threads: int, *, records: bool = False) -> Iterator[Server]:
    """Bare Flask with json.loads and a constant card, under gunicorn with threads; on demand with a synced record."""
    port = _free_port()
    options = ["--worker-class=gthread", f"--workers={workers}", f"--threads={threads}", f"--bind={HOST}:{port}"]
    target = "tests.benchmarks.floor:create_application()"
    command = [sys.executable, "-m", "gunicorn", *options, "--no-control-socket", "--log-level=error", target]
    with _started(command, folder / "floor.log", _recording(folder, records)) as (process, began):
        _wait_for_answer(process, port)
        yield Server(port, process, time.monotonic() - began)


@contextmanager
def service(
    folder: Path,
    workers: int,
    threads: int,
    program: Sequence[str] = (str(Path(sys.executable).parent / "sii-cds"),),
    key_set: bytes | None = None,
) -> Iterator[Server]:
    """`sii-cds serve` with the audit record on; it asks for tokens where a key set is given.

    `program` stands in for `sii-cds`.
    """
    configuration = folder / "sii-cds.yaml"
    text = SERVICE_CONFIGURATION.format(
        workers=workers, threads=threads, required="false" if key_set is None else "true", public_url=forge.PUBLIC_URL
    )
    if key_set is not None:
        (folder / "jwks.json").write_bytes(key_set)
        text += CLIENT.format(issuer=forge.ISSUER)
    configuration.write_text(text)
    log = folder / "service.log"
    command = [*program, "serve", "--config", str(configuration)]
    with _started(command, log) as (process, began):
        port = _printed_port(process, log)
        _wait_for_answer(process, port)
        yield Server(port, process, time.monotonic() - began)


@contextmanager
def healthchain(folder: Path, *, records: bool = False) -> Iterator[Server]:
    """HealthChain as its documentation starts it, one process of uvicorn; on demand with a synced record."""
    port = _free_port()
    options = ["--host", HOST, "--port", str(port), "--log-level", "warning"]
    command = [str(HEALTHCHAIN), "-m", "uvicorn", "tests.benchmarks.healthchain_app:app", *options]
    with _started(command, folder / "healthchain.log", _recording(folder, records)) as (process, began):
        _wait_for_answer(process, port)
        yield Server(port, process, time.monotonic() - began, f"/cds{PATH}")


def _recording(folder: Path, records: bool) -> dict[str, str]:
    return {RECORDS: str(folder)} if records else {}


@contextmanager
def _started(
    command: list[str], log: Path, variables: Mapping[str, str] = MappingProxyType({})
) -> Iterator[tuple[subprocess.Popen[bytes], float]]:
    began = time.monotonic()
    environment = {**os.environ, **variables}
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT)
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
