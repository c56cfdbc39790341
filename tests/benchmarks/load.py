"""A load generator in a process of its own: `python -m tests.benchmarks.load` with its orders on stdin.

Plain sockets and threads: what it costs does not matter, as only the server's processor time is counted, but the
latencies it reports include its own delays, so they are compared and never taken alone.
"""

import itertools
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from io import BufferedReader
from pathlib import Path

# Threads take turns at the generator of requests, which cannot be entered twice.
_TAKING = threading.Lock()


@dataclass(frozen=True)
class Orders:
    """What to send: the bodies of these files in turns, over so many connections, for so long.

    With a file of tokens, one a line, each request takes one of its own, from the line `first_token` on; the load
    ends when they are used up.
    """

    host: str
    port: int
    path: str
    body_files: Sequence[str]
    connections: int
    seconds: float
    token_file: str | None = None
    first_token: int = 0


@dataclass(frozen=True)
class Load:
    """What came back: requests answered with 200, others, and latencies in milliseconds."""

    answered: int
    failed: int
    median_ms: float
    p95_ms: float
    p99_ms: float


def put_load(orders: Orders) -> Load:
    """Run the generator and wait for it."""
    command = [sys.executable, "-m", __name__]
    result = subprocess.run(command, input=json.dumps(asdict(orders)), capture_output=True, text=True, check=True)
    return Load(**json.loads(result.stdout))


def _run(orders: Orders) -> Load:
    latencies: list[float] = []
    failures: list[str] = []
    requests = _requests(orders)
    arguments = (orders, time.monotonic() + orders.seconds, requests, latencies, failures)
    threads = [threading.Thread(target=_send, args=arguments) for _ in range(orders.connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    latencies.sort()
    median, p95, p99 = (_quantile(latencies, share) for share in (0.5, 0.95, 0.99))
    return Load(len(latencies), len(failures), median, p95, p99)


def _quantile(latencies: list[float], share: float) -> float:
    return latencies[min(len(latencies) - 1, int(share * len(latencies)))] * 1000 if latencies else float("nan")


def _requests(orders: Orders) -> Iterator[bytes]:
    """Yield whole requests, each with a token of its own where there are any."""
    bodies = itertools.cycle([_head_and_body(orders, Path(file).read_bytes()) for file in orders.body_files])
    if orders.token_file is None:
        return (head + b"\r\n" + body for head, body in bodies)
    tokens = Path(orders.token_file).read_bytes().split()[orders.first_token :]
    return (
        head + b"Authorization: Bearer " + token + b"\r\n\r\n" + body
        for token, (head, body) in zip(tokens, bodies, strict=False)
    )


def _head_and_body(orders: Orders, body: bytes) -> tuple[bytes, bytes]:
    head = (
        f"POST {orders.path} HTTP/1.1\r\nHost: {orders.host}:{orders.port}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    )
    return head.encode(), body


def _send(orders: Orders, end: float, requests: Iterator[bytes], latencies: list[float], failures: list[str]) -> None:
    with socket.create_connection((orders.host, orders.port), timeout=10) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        answers = connection.makefile("rb")
        try:
            while time.monotonic() < end and (request := _next(requests)) is not None:
                began = time.perf_counter()
                connection.sendall(request)
                _read_answer(answers)
                latencies.append(time.perf_counter() - began)
        except OSError as error:
            failures.append(str(error))


def _next(requests: Iterator[bytes]) -> bytes | None:
    with _TAKING:
        return next(requests, None)


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
