"""A FHIR server of one patient on loopback, which notes what it was asked and with which token."""

from __future__ import annotations

import json
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from tests.support.charts import ALBUMIN, bundle
from tests.support.served import served

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.charts import Json


class FHIRServer(ThreadingHTTPServer):
    """Answers every read and search from what a prefetch would hold."""

    def __init__(self) -> None:
        """Listen on a free port; there is nothing to find yet."""
        super().__init__(("127.0.0.1", 0), _Handler)
        self.content: dict[str, Any] = {}
        self.statuses: dict[str, int] = {}
        self.asked: list[str] = []
        self.authorizations: list[str | None] = []

    @property
    def url(self) -> str:
        """The base address."""
        return f"http://127.0.0.1:{self.server_port}/fhir"

    def keys_asked(self) -> set[str]:
        """The prefetch keys behind the requests that came."""
        return {key_of(target) for target in self.asked}


class _Handler(BaseHTTPRequestHandler):
    server: FHIRServer

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        self.server.authorizations.append(self.headers.get("Authorization"))
        key = key_of(self.path)
        body = json.dumps(self.server.content.get(key) or bundle()).encode()
        self.send_response(self.server.statuses.get(key, 200))
        self.send_header("Content-Type", "application/fhir+json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the name is the library's
        """Keep quiet."""


def key_of(target: str) -> str:
    """Return the prefetch key that a request stands for."""
    parts = urlsplit(target)
    kind = parts.path.split("/")[2]
    if kind != "Observation":
        return {"Patient": "patient", "Condition": "conditions", "Procedure": "procedures"}[kind]
    page = parse_qs(parts.query)
    return "albumin" if ALBUMIN in page.get("code", [""])[0] else "bloodCounts"


@contextmanager
def running_fhir_server() -> Iterator[FHIRServer]:
    """Serve until the block ends."""
    server = FHIRServer()
    with served(server):
        yield server


def listed(server: FHIRServer) -> Json:
    """A client that lists the server. Without authentication its keys are not looked at."""
    return {
        "name": "main-ehr",
        "issuer": "https://ehr.hospital.example",
        "jwks_url": "https://ehr.hospital.example/jwks.json",
        "fhir_servers": [server.url],
    }
