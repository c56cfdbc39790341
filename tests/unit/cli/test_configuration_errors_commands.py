"""The mistakes in calling commands that docs/configuration-errors.md lists: what is said stands there."""

from __future__ import annotations

import gzip
import ssl
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Final

import pytest
from click.testing import CliRunner

from cds_service.cli.main import main
from cds_service.outgoing import is_plain_answer
from tests.support.configuration_errors import Mistake, held, made, rows

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SECTION: Final = "Commands and what they are given"

BUNDLE: Final = '{"resourceType": "Bundle", "type": "searchset", "entry": []}'
NDJSON: Final = '{"resourceType": "Patient", "id": "1"}\n{"resourceType": "Patient", "id": "2"}\n'
OPEN: Final = "authentication: {required: false}\n"

# Each with the exit code.
MISTAKES: Final[dict[str, tuple[Mistake, int]]] = {
    "no configuration is named": (Mistake(command=("serve",)), 2),
    "no configuration is named, but one lies here": (Mistake({"sii-cds.yaml": OPEN}, ("monitor",)), 2),
    "the variable is empty": (Mistake(command=("audit", "verify"), environment={"SII_CDS_CONFIG": ""}), 2),
    "the file is not there": (Mistake(command=("client", "check", "-", "--config", "sii-cds.yaml")), 2),
    "the file has another ending": (Mistake({"sii-cds.yaml": OPEN}, ("serve", "--config", "sii-cds.yml")), 2),
    "the folder is named in place of the file": (Mistake(command=("config", "check", ".")), 2),
    "the home directory is written as ~": (Mistake(command=("config", "check", "--config", "~/sii-cds.yaml")), 2),
    "a Bundle for `cohort assess`": (Mistake({"b.json": BUNDLE}, ("cohort", "assess", "b.json", "--out", "out")), 1),
    "a folder with Bundles for `doctor`": (Mistake({"export/b.json": BUNDLE}, ("doctor", "export")), 2),
    "NDJSON for `explain`": (Mistake({"all.ndjson": NDJSON}, ("explain", "all.ndjson")), 1),
    "a Bundle for `explain`": (Mistake({"b.json": BUNDLE}, ("explain", "b.json")), 1),
    "a gzip file for `explain`": (Mistake({"r.json.gz": gzip.compress(b"{}")}, ("explain", "r.json.gz")), 1),
}
TRANSPORTS: Final = ("https is asked of an http port", "http is asked of an https port")


def test_every_row_of_the_commands_is_tried_and_every_trial_stands_there() -> None:
    assert held(SECTION, [*MISTAKES, *TRANSPORTS]) == set()


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistake_in_a_command_is_told_as_the_page_says(
    mistake: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    case, exit_code = MISTAKES[mistake]

    said = made(case, tmp_path)

    assert rows(SECTION)[mistake].message in " ".join(said.lines)
    assert said.exit_code == exit_code


class _Anything(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(404)
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


@contextmanager
def listening(*, alert: bool) -> Iterator[int]:
    """Listen with http, or as a port of TLS that answers http with an alert."""
    handler = _Alert if alert else _Anything
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


class _Alert(BaseHTTPRequestHandler):
    """What OpenSSL sends to a client that speaks http: alert 70, protocol version (RFC 8446, section 6)."""

    def handle(self) -> None:
        self.connection.recv(4096)
        self.connection.sendall(b"\x15\x03\x01\x00\x02\x02\x46")


@pytest.mark.parametrize(("mistake", "scheme"), list(zip(TRANSPORTS, ("https", "http"), strict=True)))
def test_wrong_scheme_is_told_as_the_page_says(mistake: str, scheme: str, tmp_path: Path) -> None:
    (tmp_path / "sii-cds.yaml").write_text(OPEN)
    with listening(alert=scheme == "http") as port:
        url = f"{scheme}://127.0.0.1:{port}"
        arguments = ["client", "test", "--config", str(tmp_path / "sii-cds.yaml"), "--url", url]
        result = CliRunner().invoke(main, arguments)

    assert rows(SECTION)[mistake].message in " ".join(result.stdout.split())
    assert result.exit_code == 1


def test_fhir_server_asked_by_https_at_an_http_port_is_told_so(tmp_path: Path) -> None:
    with listening(alert=False) as port:
        result = CliRunner().invoke(main, ["doctor", "--fhir-server", f"https://127.0.0.1:{port}"])

    assert f"https://127.0.0.1:{port} cannot be reached: SSLError: the port speaks http, not https." in result.stdout


def test_certificate_that_is_not_trusted_is_not_taken_for_http() -> None:
    assert not is_plain_answer(ssl.SSLCertVerificationError("CERTIFICATE_VERIFY_FAILED"))
