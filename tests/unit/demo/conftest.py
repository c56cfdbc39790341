"""A stand-in CDS service on loopback, and the demo's pages in front of it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from markupsafe import Markup

from cds_service.demo.pages import build_demo_blueprint
from tests.support.served import served

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask.testing import FlaskClient

# Early morning in Shanghai is still the day before in UTC.
NOW = datetime(2026, 3, 1, 6, 30, tzinfo=ZoneInfo("Asia/Shanghai"))


@dataclass
class StandIn:
    """Answers every POST with `status`, `body` and `headers`, and keeps what it received."""

    base_url: str = ""
    status: int = 200
    body: str = '{"cards": []}'
    headers: dict[str, str] = field(default_factory=dict)
    received: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def answer(self, document: object, status: int = 200) -> None:
        self.body, self.status = json.dumps(document), status


class _Server(ThreadingHTTPServer):
    stand_in: StandIn


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        stand_in = self.server.stand_in
        document = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        stand_in.received.append((self.path, document))
        payload = stand_in.body.encode()
        self.send_response(stand_in.status)
        for name, value in stand_in.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the signature of http.server
        """Keep the test output clean."""


@pytest.fixture
def service() -> Iterator[StandIn]:
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.stand_in = StandIn(base_url=f"http://127.0.0.1:{server.server_port}")
        with served(server):
            yield server.stand_in


@pytest.fixture
def browser(service: StandIn) -> FlaskClient:
    """A client of the demo's pages, which ask the stand-in service."""
    app = Flask("demo-under-test")
    app.register_blueprint(
        build_demo_blueprint(
            lambda: service.base_url,
            lambda: NOW,
            picture_of=lambda _: Markup("<svg></svg>"),
            new_uuid=lambda: "7a0c9c0e-3a5e-4a3c-9d55-3f7cf27f5d10",
        )
    )
    return app.test_client()
