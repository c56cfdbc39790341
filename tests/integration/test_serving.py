"""The production server as a process: address, signals, lost workers, slow clients."""

import http.client
import json
import math
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.support.serving_process import MOST_REQUEST_BYTES, RunningServer, end, running_server, start
from tests.support.serving_slow_clients import SlowClients

# Generous where the machine is busy; a blocked server does not answer within it.
ANSWER_SECONDS = 5
THREADS = 4


@pytest.fixture
def server() -> Iterator[RunningServer]:
    with running_server(threads=THREADS) as running:
        yield running


def get(
    server: RunningServer, path: str = "/", method: str = "GET", body: bytes | None = None
) -> tuple[int, dict[str, Any]]:
    """Ask over a connection of its own."""
    connection = http.client.HTTPConnection(*server.address, timeout=ANSWER_SECONDS)
    try:
        connection.request(method, path, body=body)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def raw_answer(server: RunningServer, request: bytes) -> str:
    """Send these bytes; return all that comes until the server closes."""
    with socket.create_connection(server.address, timeout=ANSWER_SECONDS) as connection:
        connection.sendall(request)
        return b"".join(iter(lambda: connection.recv(65536), b"")).decode()


def wait_until(condition: Callable[[], bool], seconds: float = 10) -> bool:
    end_of_patience = time.monotonic() + seconds
    while time.monotonic() < end_of_patience:
        if condition():
            return True
        time.sleep(0.05)
    return condition()


@pytest.mark.parametrize(
    ("host", "shown", "reason"),
    [
        ("127.0.0.1", "http://127.0.0.1:", "IPv4"),
        ("::1", "http://[::1]:", "IPv6 stands in brackets"),
        ("localhost", "http://", "a name is resolved"),
    ],
)
def test_server_port_zero_prints_address_that_answers(host: str, shown: str, reason: str) -> None:
    with running_server(host=host, workers=1) as server:
        assert server.url.startswith(shown), reason
        assert server.address[1] > 0
        assert get(server)[0] == 200


def test_server_port_taken_by_another_instance_is_refused(server: RunningServer) -> None:
    second = start(port=server.address[1])

    assert second.wait(ANSWER_SECONDS) != 0
    end(second)
    assert get(server)[0] == 200


def test_server_factory_that_fails_ends_with_status_one() -> None:
    process = start("create_nothing")
    try:
        assert process.wait(10) == 1
        assert process.stdout is not None
        assert "listening on" not in process.stdout.read()
    finally:
        end(process)


@pytest.mark.parametrize(
    ("send", "reason"),
    [
        (lambda server: server.process.terminate(), "SIGTERM from a supervisor"),
        (lambda server: os.killpg(server.process.pid, signal.SIGINT), "Ctrl-C reaches the workers too"),
    ],
)
def test_server_stop_signal_finishes_running_request(
    server: RunningServer, send: Callable[[RunningServer], None], reason: str
) -> None:
    with ThreadPoolExecutor() as pool:
        running = pool.submit(get, server, "/sleep?seconds=1")
        time.sleep(0.3)
        send(server)
        assert running.result()[0] == 200, reason

    assert server.process.wait(ANSWER_SECONDS) == 0
    with pytest.raises(ConnectionRefusedError):
        get(server)


def test_server_killed_worker_is_replaced(server: RunningServer) -> None:
    before = both_workers(server)
    victim = min(before)

    os.kill(victim, signal.SIGKILL)

    assert wait_until(lambda: victim not in server.worker_pids())
    after = both_workers(server)
    assert victim not in after
    assert len(after & before) == 1


def both_workers(server: RunningServer) -> set[int]:
    """Wait until both workers have answered."""
    answered: set[int] = set()

    def have_answered() -> bool:
        answered.add(get(server)[1]["pid"])
        return len(answered) == 2

    assert wait_until(have_answered)
    return answered


def test_server_killed_itself_leaves_no_worker_behind(server: RunningServer) -> None:
    workers = both_workers(server)

    server.process.kill()

    assert wait_until(lambda: not any(_is_running(pid) for pid in workers))


def _is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_server_hang_up_under_load_reaches_workers_and_loses_no_request(server: RunningServer) -> None:
    workers = both_workers(server)
    stop = threading.Event()

    with ThreadPoolExecutor() as pool:
        clients = [pool.submit(_ask_until, server, stop) for _ in range(4)]
        for _ in range(5):
            time.sleep(0.2)
            server.process.send_signal(signal.SIGHUP)
        time.sleep(0.2)
        stop.set()
        answers = [answer for client in clients for answer in client.result()]

    assert len(answers) > 20
    assert {status for status, _ in answers} == {200}
    assert server.worker_pids() == workers
    assert wait_until(lambda: get(server)[1]["applied"] > 0)


def test_server_every_hang_up_reaches_every_worker_under_load(server: RunningServer) -> None:
    both_workers(server)
    stop = threading.Event()
    heard: dict[int, int] = {}

    def all_heard(number: int) -> bool:
        answer = get(server)[1]
        heard[answer["pid"]] = answer["applied"]
        return set(heard.values()) == {number} and len(heard) == 2

    with ThreadPoolExecutor() as pool:
        clients = [pool.submit(_ask_until, server, stop) for _ in range(4)]
        try:
            for number in range(1, 31):
                server.process.send_signal(signal.SIGHUP)
                assert wait_until(partial(all_heard, number)), f"of {number} one was lost: {heard}"
        finally:
            stop.set()
        assert all(client.result() for client in clients)


def test_server_hang_up_of_the_whole_session_stops_nothing(server: RunningServer) -> None:
    os.killpg(server.process.pid, signal.SIGHUP)
    time.sleep(0.3)

    assert server.process.poll() is None
    assert get(server)[0] == 200


def _ask_until(server: RunningServer, stop: threading.Event) -> list[tuple[int, dict[str, Any]]]:
    """One connection that is kept, as an EHR keeps it: it must not be closed either."""
    connection = http.client.HTTPConnection(*server.address, timeout=ANSWER_SECONDS)
    connection.connect()
    connection.auto_open = 0
    answers = []
    while not stop.is_set():
        connection.request("POST", "/length", body=b" " * 1000)
        answer = connection.getresponse()
        answers.append((answer.status, json.loads(answer.read())))
    connection.close()
    return answers


@pytest.mark.alone
@pytest.mark.parametrize(
    ("counts", "reason"),
    [
        ({"silent": 50, "slow header": 25, "slow body": 25}, "as a site meets them: scanners and bad lines"),
        ({"half header": 50, "slow header": 50}, "the header never ends"),
        ({"silent body": 50, "slow body": 25, "slow chunks": 25}, "more bodies than threads in the application"),
    ],
)
def test_server_slow_clients_do_not_delay_others(server: RunningServer, counts: dict[str, int], reason: str) -> None:
    with SlowClients(server.address, counts):
        # A stall of a busy machine is over at the next attempt; a server that is held up is so every time.
        attempts = (_median_and_longest_wait(server) for _ in range(3))
        assert any(median < 0.25 and longest < 2 for median, longest in attempts), reason


def _median_and_longest_wait(server: RunningServer) -> tuple[float, float]:
    """Ask for a second and a half; seconds until an answer, infinite where none came."""
    waits = []
    end_of_load = time.monotonic() + 1.5
    while (began := time.monotonic()) < end_of_load:
        try:
            assert get(server, "/length", "POST", b" " * 5000)[1]["length"] == 5000
        except TimeoutError:
            return math.inf, math.inf
        waits.append(time.monotonic() - began)
    return sorted(waits)[len(waits) // 2], max(waits)


@pytest.mark.parametrize(
    ("length", "status", "reason"),
    [
        (7_000_000, 401, "more than the sockets buffer"),
        (MOST_REQUEST_BYTES + 100_000, 401, "more than is allowed"),
    ],
)
def test_server_refusal_without_reading_reaches_client_that_sends(
    server: RunningServer, length: int, status: int, reason: str
) -> None:
    assert get(server, "/refuse", "POST", b" " * length)[0] == status, reason


@pytest.mark.parametrize(
    ("request_text", "expected", "reason"),
    [
        ("Authorization: Bearer a\r\nAuthorization: Bearer b", '"Bearer a,Bearer b"', "both reach the application"),
        ("Authorization: Bearer a", '"Bearer a"', "the usual case"),
        ("X-Other: 1", "null", "none"),
    ],
)
def test_server_authorization_headers_reach_application(
    server: RunningServer, request_text: str, expected: str, reason: str
) -> None:
    request = f"GET / HTTP/1.1\r\nHost: cds\r\nConnection: close\r\n{request_text}\r\n\r\n"

    assert f'"authorization": {expected}' in raw_answer(server, request.encode()), reason


@pytest.mark.parametrize(
    ("request_bytes", "status_line", "reason"),
    [
        (b"GET / HTTP/1.0\r\n\r\n", "HTTP/1.0 200", "old clients and health probes"),
        (b"HEAD / HTTP/1.1\r\nHost: cds\r\nConnection: close\r\n\r\n", "HTTP/1.1 200", "no body, but the length"),
        (b"\x16\x03\x01\x02\x00\r\n\r\n", "HTTP/1.1 400", "TLS spoken to a plain port"),
        (b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n", "HTTP/1.1 414", "endless path"),
        (b"GET / HTTP/1.1\r\nX: " + b"a" * 600_000 + b"\r\n\r\n", "HTTP/1.1 431", "endless header"),
        (
            b"POST /length HTTP/1.1\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{} ",
            "HTTP/1.1 400",
            "two lengths: request smuggling",
        ),
    ],
)
def test_server_unusual_request_is_answered(
    server: RunningServer, request_bytes: bytes, status_line: str, reason: str
) -> None:
    assert raw_answer(server, request_bytes).startswith(status_line), reason


def test_server_expect_continue_is_answered_before_the_body(server: RunningServer) -> None:
    with socket.create_connection(server.address, timeout=ANSWER_SECONDS) as connection:
        connection.sendall(
            b"POST /length HTTP/1.1\r\nHost: cds\r\nExpect: 100-continue\r\nContent-Length: 2\r\n"
            b"Connection: close\r\n\r\n"
        )
        assert connection.recv(1000).startswith(b"HTTP/1.1 100")
        connection.sendall(b"{}")
        assert b'"length": 2' in b"".join(iter(lambda: connection.recv(65536), b""))
