"""Where a request begins and ends: what is not clear is refused, and nothing is recorded of it."""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from tests.support.charts import hook_request
from tests.support.openapi import HOOK
from tests.support.serve_command import Serving, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BODY = json.dumps(hook_request()).encode()
JSON = b"Content-Type: application/json\r\n"
ONE_HOST = b"Host: cds\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
LAST_CHUNK = b"0\r\n\r\n"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    with serving(tmp_path_factory.mktemp("framing")) as running:
        yield running


def post(*fields: bytes) -> bytes:
    return b"POST " + HOOK.encode() + b" HTTP/1.1\r\n" + JSON + b"".join(fields) + b"\r\n"


def in_chunks(*parts: bytes) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts)


def answer(service: Serving, request: bytes, *, end: bool = True) -> str:
    """Send these bytes, and end the sending or not; return all that comes within some seconds."""
    parts = urlsplit(service.url)
    with socket.create_connection((parts.hostname, parts.port or 0), timeout=5) as connection:
        connection.sendall(request)
        if end:
            connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b"")).decode()


def recorded(folder: Path) -> int:
    lines = [line for file in (folder / "audit").glob("*.jsonl") for line in file.read_text().splitlines()]
    return sum('"kind":"hook"' in line for line in lines)


HALF = len(BODY) // 2
CLOSE = b"Connection: close\r\n"


@pytest.mark.parametrize(
    ("request_bytes", "status", "reason"),
    [
        (post(CLOSE, b"Content-Length: %d\r\n" % len(BODY)) + BODY, 400, "no host"),
        (post(CLOSE, ONE_HOST, ONE_HOST, b"Content-Length: %d\r\n" % len(BODY)) + BODY, 400, "twice the same host"),
        (post(CLOSE, ONE_HOST, b"Host: other\r\n", b"Content-Length: %d\r\n" % len(BODY)) + BODY, 400, "two hosts"),
        (b"GET /livez HTTP/1.1\r\nConnection: close\r\n\r\n", 400, "no host, no body"),
        (b"GET /livez HTTP/1.0\r\n\r\n", 200, "an old request needs none"),
        (
            post(CLOSE, ONE_HOST, b"Transfer-Encoding: gzip, chunked\r\n") + in_chunks(BODY) + LAST_CHUNK,
            501,
            "a coding that is not understood",
        ),
    ],
)
def test_head_that_is_not_clear_is_refused(service: Serving, request_bytes: bytes, status: int, reason: str) -> None:
    before = recorded(service.folder)

    assert f" {status} " in answer(service, request_bytes, end=False).splitlines()[0], reason
    assert recorded(service.folder) == before


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (in_chunks(BODY), "after complete JSON, without the last chunk"),
        (in_chunks(BODY[:HALF], BODY[HALF:]), "in two chunks"),
        (in_chunks(BODY) + b"0\r\n", "within the last chunk"),
        (b"%x\r\n" % (len(BODY) + 5) + BODY, "within a chunk that holds complete JSON"),
        (in_chunks(BODY[:HALF]), "within the JSON"),
    ],
)
def test_body_in_chunks_that_is_cut_off_is_refused_and_not_recorded(service: Serving, body: bytes, reason: str) -> None:
    before = recorded(service.folder)

    assert " 400 " in answer(service, post(ONE_HOST, CHUNKED) + body).splitlines()[0], reason
    assert recorded(service.folder) == before, reason


def test_body_in_chunks_that_is_whole_is_answered_and_recorded_beside_one_that_is_not_yet(service: Serving) -> None:
    before = recorded(service.folder)
    parts = urlsplit(service.url)
    with socket.create_connection((parts.hostname, parts.port or 0), timeout=5) as unfinished:
        unfinished.sendall(post(ONE_HOST, CHUNKED) + in_chunks(BODY[:HALF]))
        whole = post(CLOSE, ONE_HOST, CHUNKED) + in_chunks(BODY[:HALF], BODY[HALF:]) + LAST_CHUNK
        assert " 200 " in answer(service, whole, end=False).splitlines()[0]

    assert recorded(service.folder) == before + 1
