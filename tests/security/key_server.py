"""A key server on loopback that can be told to answer well, badly, late or not at all."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from tests.security import forge
from tests.support.served import served

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

OLD_KEYS = forge.key_set(forge.jwk(forge.ec_key(), forge.EC_KID))
NEW_KEYS = forge.key_set(forge.jwk(forge.ec_key("new"), "ec-2027"))


@dataclass
class KeyServer:
    """What it answers next, and what it was asked."""

    url: str
    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    requests: list[dict[str, str]] = field(default_factory=list)
    # Between the bytes of a body; none for all at once.
    pause_seconds: float = 0.0
    # Cleared: an answer waits until it is set again.
    may_answer: threading.Event = field(default_factory=threading.Event)


class _Handler(BaseHTTPRequestHandler):
    server_state: KeyServer

    def do_GET(self) -> None:
        state = self.server_state
        state.requests.append(dict(self.headers))
        state.may_answer.wait(10)
        self.send_response(state.status)
        for name, value in {"Content-Length": str(len(state.body)), **state.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if not state.pause_seconds:
            self.wfile.write(state.body)
            return
        for byte in state.body:
            self.wfile.write(bytes([byte]))
            time.sleep(state.pause_seconds)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Keep the test output clean."""


@dataclass
class Clock:
    """A monotonic clock that a test moves."""

    seconds: float = 1000.0

    def __call__(self) -> float:
        return self.seconds


def until(condition: Callable[[], bool]) -> bool:
    """Wait for what happens in the background."""
    deadline = time.monotonic() + 5
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.005)
    return True


@contextmanager
def running_key_server(body: bytes = b"") -> Iterator[KeyServer]:
    state = KeyServer("", body)
    state.may_answer.set()
    handler = type("Handler", (_Handler,), {"server_state": state})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.handle_error = lambda *_: None  # type: ignore[method-assign]  # clients that hang up are part of the tests
        state.url = f"http://127.0.0.1:{server.server_port}/jwks.json"
        with served(server):
            try:
                yield state
            finally:
                state.may_answer.set()
