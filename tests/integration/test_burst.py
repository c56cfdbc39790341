"""A burst of the costliest hooks, whose senders have gone before they are answered."""

from __future__ import annotations

import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
import requests

from tests.support.charts import draw, hook_request
from tests.support.openapi import HOOK
from tests.support.serve_command import Serving, serving

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.alone

# More than workers x threads of the shipped configuration.
SENDERS = 64
ANSWER_SECONDS = 2.0


def costly_body() -> bytes:
    """Half a megabyte of results of one moment, each issued at another."""
    results = []
    for number in range(400):
        for result in draw():
            result["id"] = f"{result['id']}-{number}"
            result["issued"] = f"2026-03-{1 + number % 28:02d}T10:{number % 60:02d}:00Z"
            results.append(result)
    return json.dumps(hook_request(*results)).encode()


def send_and_go(service: Serving, body: bytes) -> None:
    parts = urlsplit(service.url)
    head = f"POST {HOOK} HTTP/1.1\r\nHost: cds\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    with suppress(OSError), socket.create_connection((parts.hostname, parts.port or 0), timeout=30) as connection:
        connection.sendall(head.encode() + body)


def test_burst_of_costly_hooks_whose_senders_have_gone_delays_nobody(tmp_path: Path) -> None:
    body = costly_body()
    assert len(body) > 500_000
    with serving(tmp_path) as service:
        began = time.monotonic()
        assert requests.post(service.url + HOOK, data=body, headers={"Content-Type": "application/json"}, timeout=30).ok
        alone = time.monotonic() - began
        with ThreadPoolExecutor(SENDERS) as pool:
            list(pool.map(lambda _: send_and_go(service, body), range(SENDERS)))

        began = time.monotonic()
        assert requests.get(f"{service.url}/livez", timeout=30).status_code == 200
        live = time.monotonic() - began
        began = time.monotonic()
        assert requests.post(service.url + HOOK, json=hook_request(), timeout=30).status_code == 200
        good = time.monotonic() - began

    assert live < ANSWER_SECONDS, f"one alone takes {alone:.2f} s"
    assert good < ANSWER_SECONDS, f"one alone takes {alone:.2f} s"
