"""A closed session asks the address it is given and nobody else: no redirect, nothing from the environment."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING

import pytest

from cds_service.outgoing import closed_session

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Received = list[tuple[str, dict[str, str]]]


@pytest.fixture
def received() -> Received:
    return []


@pytest.fixture
def address(received: Received) -> Iterator[str]:
    """A server that redirects every GET and POST, and keeps what it was sent."""

    class Redirecting(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            received.append((self.path, dict(self.headers)))
            self.send_response(307)
            self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_POST = do_GET  # noqa: N815  as above

        def log_message(self, *_: object) -> None:
            """Say nothing in the output of the tests."""

    server = HTTPServer(("127.0.0.1", 0), Redirecting)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_closed_session_redirect_is_an_answer_and_is_not_followed(
    method: str, address: str, received: Received
) -> None:
    with closed_session() as session:
        answer = session.request(method, f"{address}/asked", timeout=5)

    assert answer.status_code == 307
    assert [path for path, _ in received] == ["/asked"]


def test_closed_session_reads_no_proxy_no_netrc_and_no_bundle_from_the_environment(
    address: str, received: Received, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login reader password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "none.pem"))

    with closed_session() as session:
        session.get(f"{address}/asked", timeout=5)

    ((_, headers),) = received
    assert "Authorization" not in headers
    assert headers["User-Agent"] == "sii-cds"


def test_closed_session_keeps_the_authorities_and_the_proxy_it_is_given(tmp_path: Path) -> None:
    with closed_session(tmp_path / "own.pem", "http://proxy.example:3128") as session:
        assert session.verify == str(tmp_path / "own.pem")
        assert session.proxies == {"https": "http://proxy.example:3128"}
