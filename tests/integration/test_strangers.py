"""Callers without a token, bodies that nobody wants, and health in the middle of it."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from tests.security.forge import EC_KID, ec_key, jwk, key_set, token
from tests.support.charts import hook_request
from tests.support.openapi import HOOK
from tests.support.processes import children
from tests.support.serve_command import Serving, serving, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.alone

PUBLIC_URL = "http://127.0.0.1:8080"
CONFIGURATION = """\
service: {public_url: "http://127.0.0.1:8080", timezone: Europe/Zurich}
server: {host: 127.0.0.1, port: 0, workers: 2}
clients: [{name: main-ehr, issuer: "https://ehr.hospital.example", jwks_file: ehr-jwks.json}]
"""
UNFINISHED = (
    f"POST {HOOK} HTTP/1.1\r\nHost: cds\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n{{".encode()
)
ANSWER_SECONDS = 2.0


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    folder = tmp_path_factory.mktemp("strangers")
    (folder / "ehr-jwks.json").write_bytes(key_set(jwk(ec_key(), EC_KID)))
    with serving(folder, CONFIGURATION) as running:
        yield running


def address(service: Serving) -> tuple[str, int]:
    parts = urlsplit(service.url)
    return parts.hostname or "", parts.port or 0


def bearer() -> dict[str, str]:
    now = int(time.time())
    times: dict[str, Any] = {"iat": now, "exp": now + 300, "aud": PUBLIC_URL + HOOK, "jti": str(uuid4())}
    return {"Authorization": f"Bearer {token('ES384', **times)}", "Content-Type": "application/json"}


def ask(service: Serving) -> float:
    """Ask as the EHR does, over a connection of its own; return how long it took."""
    began = time.monotonic()
    connection = http.client.HTTPConnection(*address(service), timeout=10)
    connection.request("POST", HOOK, json.dumps(hook_request()), bearer())
    answer = connection.getresponse()
    assert answer.status == 200, answer.read()
    answer.read()
    connection.close()
    return time.monotonic() - began


@contextmanager
def strangers(service: Serving, number: int) -> Iterator[list[socket.socket]]:
    """Open so many connections that announce a body, send one byte of it, and wait."""
    with ExitStack() as stack:
        opened = []
        for _ in range(number):
            connection = stack.enter_context(socket.create_connection(address(service), timeout=10))
            connection.sendall(UNFINISHED)
            opened.append(connection)
        yield opened


def files(service: Serving) -> list[int]:
    return [len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in children(service.process.pid)]


@pytest.mark.parametrize("number", [400, 600])
def test_unfinished_bodies_without_a_token_do_not_delay_the_clients(service: Serving, number: int) -> None:
    before = max(files(service))
    with strangers(service, number) as opened:
        assert max(ask(service) for _ in range(20)) < ANSWER_SECONDS
        for connection in opened:
            assert connection.recv(100).startswith(b"HTTP/1.1 401")

        # Whoever does not close is closed: unread bodies are discarded for two seconds at most.
        wait_until(lambda: max(files(service)) < before + 20, "their connections are gone", 15)
    assert ask(service) < ANSWER_SECONDS


def test_unfinished_bodies_without_a_token_again_and_again_do_not_delay_the_clients(service: Serving) -> None:
    stop = threading.Event()

    def come_again() -> None:
        while not stop.is_set():
            with strangers(service, 60):
                stop.wait(0.3)

    with ThreadPoolExecutor(2) as pool:
        crowds = [pool.submit(come_again) for _ in range(2)]
        waits = []
        end = time.monotonic() + 6
        try:
            while time.monotonic() < end:
                waits.append(ask(service))
        finally:
            stop.set()
        for crowd in crowds:
            crowd.result()
    assert max(waits) < ANSWER_SECONDS


def half_duplex(service: Serving, size: int, headers: dict[str, str], *, chunked: bool) -> bytes:
    """Send the whole body before reading a byte, as Java's HttpClient and Apache's do; return the whole answer."""
    fields = {"Host": "cds", **headers, "Transfer-Encoding": "chunked"} if chunked else {"Host": "cds", **headers}
    if not chunked:
        fields["Content-Length"] = str(size)
    head = f"POST {HOOK} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields.items()) + "\r\n"
    piece = b" " * 65536
    with socket.create_connection(address(service), timeout=10) as connection:
        connection.sendall(head.encode())
        left = size
        while left > 0:
            part = piece[: min(left, len(piece))]
            connection.sendall(b"%x\r\n%s\r\n" % (len(part), part) if chunked else part)
            left -= len(part)
        if chunked:
            connection.sendall(b"0\r\n\r\n")
        return b"".join(iter(lambda: connection.recv(65536), b""))


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("megabytes", [11, 15, 25, 40])
def test_client_that_writes_a_large_body_before_it_reads_learns_that_it_is_too_large(
    service: Serving, megabytes: int, chunked: bool
) -> None:
    with ThreadPoolExecutor(4) as pool:
        answers = list(
            pool.map(lambda _: half_duplex(service, megabytes * 1_000_000, bearer(), chunked=chunked), range(8))
        )

    assert {answer.split(b"\r\n", 1)[0] for answer in answers} == {b"HTTP/1.1 413 Payload Too Large"}
    assert all(b"too-long" in answer for answer in answers)
    assert ask(service) < ANSWER_SECONDS


@pytest.mark.parametrize("megabytes", [1, 15])
def test_stranger_that_writes_a_body_before_it_reads_learns_of_the_refusal(service: Serving, megabytes: int) -> None:
    headers = {"Content-Type": "application/json"}
    answers = [half_duplex(service, megabytes * 1_000_000, headers, chunked=False) for _ in range(4)]

    assert {answer.split(b"\r\n", 1)[0] for answer in answers} == {b"HTTP/1.1 401 Unauthorized"}


def test_body_without_end_is_taken_in_for_a_while_only(service: Serving) -> None:
    began = time.monotonic()
    with pytest.raises(OSError, match=r"reset|Broken pipe"):
        half_duplex(service, 4_000_000_000, {"Content-Type": "application/json"}, chunked=False)
    assert time.monotonic() - began < 8
    assert ask(service) < ANSWER_SECONDS


def test_health_beside_strangers_is_answered_at_once(service: Serving) -> None:
    with strangers(service, 100):
        began = time.monotonic()
        connection = http.client.HTTPConnection(*address(service), timeout=10)
        connection.request("GET", "/livez")
        assert connection.getresponse().status == 200
        connection.close()
        assert time.monotonic() - began < ANSWER_SECONDS
