"""The service as a hospital runs it, with what a client of it needs."""

from __future__ import annotations

import http.client
import json
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tests.security import forge
from tests.support.serve_command import Serving, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# A machine that is busy with other things takes its time; a blocked server does not answer within it.
ANSWER_SECONDS = 120


def configuration(*, show_not_above: bool = False) -> str:
    """Return the configuration, in one of two forms that a reload goes between."""
    client = {"name": "ehr", "issuer": forge.ISSUER, "jwks_file": "keys.json", "fhir_servers": [forge.FHIR_SERVER]}
    content: dict[str, Any] = {
        "service": {"public_url": forge.PUBLIC_URL, "timezone": "Europe/Zurich"},
        "server": {"host": "127.0.0.1", "port": 0, "workers": 2},
        "clients": [client],
        "cards": {"show_not_above_cutoff": show_not_above},
    }
    return json.dumps(content)


@dataclass
class Site:
    """A running service. `answered` counts answers by status."""

    serving: Serving
    bodies: dict[str, bytes] = field(default_factory=dict)

    @property
    def address(self) -> tuple[str, int]:
        """Host and port as the socket module takes them."""
        parts = urlsplit(self.serving.url)
        return parts.hostname or "", parts.port or 0

    def token(self, path: str) -> str:
        """Make a token that was not used before."""
        now = int(time.time())
        return forge.token(aud=forge.PUBLIC_URL + path, iat=now, exp=now + 300)

    def ask(self, method: str, path: str, body: bytes | None = None, token: str | None = None) -> tuple[int, bytes]:
        """Ask over a connection of its own; return status and body."""
        headers = {"Content-Type": "application/json"} if body is not None else {}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        connection = http.client.HTTPConnection(*self.address, timeout=ANSWER_SECONDS)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def raw(self, path: str, body: bytes, length: int | None = None) -> bytes:
        """Return the bytes of a request with a token."""
        head = (
            f"POST {path} HTTP/1.1\r\nHost: cds\r\nContent-Type: application/json\r\n"
            f"Authorization: Bearer {self.token(path)}\r\nContent-Length: {len(body) if length is None else length}\r\n"
        )
        return head.encode() + b"\r\n" + body

    def reload(self, *, show_not_above: bool) -> None:
        """Change the configuration file; every worker takes it up."""
        # Written beside and put in its place, as tools do; what half a file does is no question of endurance.
        written = self.serving.folder / "sii-cds.new"
        written.write_text(configuration(show_not_above=show_not_above))
        written.replace(self.serving.folder / "sii-cds.yaml")


@contextmanager
def running_site(folder: Path) -> Iterator[Site]:
    """Start the service."""
    (folder / "keys.json").write_text(json.dumps({"keys": [forge.jwk(forge.ec_key(), forge.EC_KID)]}))
    with serving(folder, configuration()) as service:
        yield Site(service)
