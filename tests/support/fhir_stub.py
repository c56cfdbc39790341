"""A FHIR server of one patient on loopback that notes every request, and misbehaves on demand.

It answers each prefetch key's query from `content`, as a prefetch would hold it. A key in `faults` is answered by that
fault instead (fhir_stub_faults.py), and `latency` delays every answer.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from tests.support.charts import ALBUMIN, bundle
from tests.support.served import served

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator

    from tests.support.charts import Json

TOKEN = "canary-access-token-4711"
BASE_PATH = "/fhir"
_KEYS = {"Patient": "patient", "Condition": "conditions", "Procedure": "procedures"}


@dataclass(frozen=True)
class Received:
    """One request as it came in."""

    target: str
    headers: dict[str, str]
    connection: int
    time: float = field(default_factory=time.monotonic)

    @property
    def authorization(self) -> str | None:
        """The Authorization header."""
        return self.headers.get("authorization")

    @property
    def key(self) -> str:
        """The prefetch key that the request stands for."""
        parts = urlsplit(self.target)
        kind = parts.path.removeprefix(f"{BASE_PATH}/").partition("/")[0]
        return _KEYS.get(kind) or ("albumin" if ALBUMIN in self.parameters.get("code", "") else "bloodCounts")

    @property
    def parameters(self) -> dict[str, str]:
        """The search parameters; one that is repeated counts by its last value."""
        return dict(parse_qsl(urlsplit(self.target).query))


class FHIRStub(ThreadingHTTPServer):
    """The server. `received` grows with every request, before it is answered."""

    handler: type[StubHandler]
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, tls: ssl.SSLContext | None = None, latency: float = 0.0) -> None:
        """Listen on a free port; there is nothing to find yet."""
        super().__init__(("127.0.0.1", 0), self.handler)
        self.scheme = "http" if tls is None else "https"
        if tls is not None:
            self.socket = tls.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self.content: dict[str, Any] = {}
        self.faults: dict[str, Fault] = {}
        self.latency = latency
        self.received: list[Received] = []
        self.stopping = threading.Event()

    @property
    def url(self) -> str:
        """The base address."""
        return f"{self.scheme}://127.0.0.1:{self.server_port}{BASE_PATH}"

    def reset(self) -> None:
        """Begin anew: nothing to find, nothing wrong, nothing received."""
        self.content, self.faults, self.received, self.latency = {}, {}, [], 0.0

    def keys_asked(self, token: str | None = None) -> list[str]:
        """The prefetch keys behind the requests (those with one token), sorted, each as often as it was asked for."""
        wanted = None if token is None else f"Bearer {token}"
        return sorted(request.key for request in list(self.received) if wanted in {None, request.authorization})

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Keep quiet: a client that has enough of a fault goes away."""


class StubHandler(BaseHTTPRequestHandler):
    """Answers one connection."""

    server: FHIRStub
    protocol_version = "HTTP/1.1"
    # Otherwise the end of an answer waits for the acknowledgement of its beginning.
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        received = Received(self.path, headers, self.client_address[1])
        self.server.received.append(received)
        if self.server.latency:
            time.sleep(self.server.latency)
        fault = self.server.faults.get(received.key)
        if fault is None:
            self.answer(json.dumps(self.server.content.get(received.key) or bundle()).encode())
        else:
            fault(Wire(self, received))

    def answer(self, body: bytes, status: int = 200, headers: Json | None = None) -> None:
        self.send_response(status)
        for name, value in ({"Content-Type": "application/fhir+json"} | (headers or {})).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the name is the library's
        """Keep quiet."""


FHIRStub.handler = StubHandler


class Wire:
    """What a fault may do with the connection it answers on."""

    def __init__(self, handler: StubHandler, received: Received) -> None:
        """Take over a request that was read."""
        self._handler = handler
        self.received = received

    @property
    def server(self) -> FHIRStub:
        """The server that received the request."""
        return self._handler.server

    def answer(self, body: bytes, status: int = 200, headers: Json | None = None) -> None:
        """Send a whole answer."""
        self._handler.answer(body, status, headers)

    def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        self._handler.wfile.write(data)

    def pause(self, seconds: float) -> bool:
        """Wait; tell whether there is reason to go on."""
        return not self.server.stopping.wait(seconds)

    def close(self) -> None:
        """End the connection behind what was sent."""
        self._handler.close_connection = True


Fault = Callable[[Wire], None]


@contextmanager
def running_stub(tls: ssl.SSLContext | None = None, latency: float = 0.0) -> Iterator[FHIRStub]:
    """Serve until the block ends."""
    stub = FHIRStub(tls, latency)
    with served(stub):
        try:
            yield stub
        finally:
            stub.stopping.set()


def access(url: str, token: str = TOKEN, **changes: Any) -> Json:
    """Build the request members that give access to a FHIR server."""
    authorization = {
        "access_token": token,
        "token_type": "Bearer",
        "expires_in": 300,
        "scope": "patient/Observation.rs",
        "subject": "sii-cds",
    }
    return {"fhirServer": url, "fhirAuthorization": authorization | changes}


def moved_to(stub: FHIRStub, request: Json, *keys: str, token: str = TOKEN) -> Json:
    """Give the server everything that a request holds, take `keys` out of the prefetch, and give access."""
    stub.content = dict(request["prefetch"])
    rest = {key: value for key, value in request["prefetch"].items() if key not in keys}
    return request | {"prefetch": rest} | access(stub.url, token)
