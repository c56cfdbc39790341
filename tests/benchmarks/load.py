"""A load generator in a process of its own: `python -m tests.benchmarks.load` with its orders on stdin.

Plain sockets and threads: what it costs does not matter, as only the server's processor time is counted, but the
latencies it reports include its own delays, so they are compared and never taken alone.
"""

import json
import socket
import subprocess
import sys
import threading
import time
from dataclasses import asdict, dataclass
from io import BufferedReader
from pathlib import Path


@dataclass(frozen=True)
class Orders:
    """What to send: the body of a file, over so many connections, for so long."""

    host: str
    port: int
    path: str
    body_file: str
    connections: int
    seconds: float


@dataclass(frozen=True)
class Load:
    """What came back: requests answered with 200, others, and latencies in milliseconds."""

    answered: int
    failed: int
    median_ms: float
    p99_ms: float


def put_load(orders: Orders) -> Load:
    """Run the generator and wait for it."""
    command = [sys.executable, "-m", __name__]
    result = subprocess.run(command, input=json.dumps(asdict(orders)), capture_output=True, text=True, check=True)
    return Load(**json.loads(result.stdout))


def _run(orders: Orders) -> Load:
    latencies: list[float] = []
    failures: list[str] = []
    end = time.monotonic() + orders.seconds
    arguments = (orders, end, latencies, failures)
    threads = [threading.Thread(target=_send, args=arguments) for _ in range(orders.connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    latencies.sort()
    return Load(len(latencies), len(failures), _quantile(latencies, 0.5), _quantile(latencies, 0.99))


def _quantile(latencies: list[float], share: float) -> float:
    return latencies[min(len(latencies) - 1, int(share * len(latencies)))] * 1000 if latencies else float("nan")


def _send(orders: Orders, end: float, latencies: list[float], failures: list[str]) -> None:
    body = Path(orders.body_file).read_bytes()
    header = (
        f"POST {orders.path} HTTP/1.1\r\nHost: {orders.host}:{orders.port}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    request = header.encode() + body
    while time.monotonic() < end:
        with socket.create_connection((orders.host, orders.port), timeout=10) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                _keep_sending(connection, request, end, latencies)
            except OSError as error:
                failures.append(str(error))


def _keep_sending(connection: socket.socket, request: bytes, end: float, latencies: list[float]) -> None:
    answers = connection.makefile("rb")
    while (began := time.perf_counter()) and time.monotonic() < end:
        connection.sendall(request)
        _read_answer(answers)
        latencies.append(time.perf_counter() - began)


def _read_answer(answers: BufferedReader) -> None:
    status = answers.readline()
    length = 0
    while (line := answers.readline()) not in (b"\r\n", b""):
        name, _, value = line.partition(b":")
        length = int(value) if name.lower() == b"content-length" else length
    answers.read(length)
    if b" 200 " not in status:
        raise ConnectionError(f"answered with {status!r}")


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asdict(_run(Orders(**json.load(sys.stdin))))))
