"""What the CDS Hooks sandbox asks, sent by Chromium from a page of another origin: discovery, hook, card, feedback.

The forms are those of cds-hooks/sandbox as of commit 3b7e255: axios sends `Accept` and a token with each call, the
browser a preflight before it; prefetch is gathered by the sandbox; an override names its reason in `overrideReason`.
"""

from __future__ import annotations

import json
import socket
import time
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from cds_service.cli.main import main
from tests.security import forge
from tests.support.charts import Json, condition, draw, hook_request, procedure
from tests.support.serve_command import Serving, serving
from tests.support.served import served

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

ISSUER = "https://sandbox.cds-hooks.org"
JKU = f"{ISSUER}/.well-known/jwks.json"
SERVICE = "/cds-services/sii-recurrence-risk"
ASK = """async ([method, url, token, body]) => {
    const headers = {Accept: "application/json, text/plain, */*", Authorization: "Bearer " + token};
    if (body !== null) headers["Content-Type"] = "application/json";
    const answer = await fetch(url, {method, headers, body: body === null ? undefined : JSON.stringify(body)});
    const text = await answer.text();
    return [answer.status, text ? JSON.parse(text) : null];
}"""


class _Page(BaseHTTPRequestHandler):
    """An empty page: the sandbox is a program that runs in one."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing."""


@pytest.fixture(scope="module")
def origin() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Page)
    with served(server):
        yield f"http://127.0.0.1:{server.server_port}"


@pytest.fixture(scope="module")
def service(origin: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    folder = tmp_path_factory.mktemp("sandbox")
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    (folder / "keys.json").write_bytes(forge.key_set(forge.jwk(forge.ec_key(), forge.EC_KID)))
    content = {
        "service": {"public_url": f"http://127.0.0.1:{port}", "timezone": "America/Chicago"},
        "server": {"host": "127.0.0.1", "port": port, "workers": 2},
        "clients": [{"name": "sandbox", "issuer": ISSUER, "jwks_file": "keys.json", "algorithms": ["ES384"]}],
        "cors": {"origins": [origin]},
    }
    with serving(folder, json.dumps(content)) as running:
        yield running


@pytest.fixture
def page(browser: Browser, origin: str) -> Iterator[Page]:
    context = browser.new_context()
    page = context.new_page()
    page.goto(origin)
    yield page
    context.close()


def ask(page: Page, method: str, url: str, body: Json | None = None) -> tuple[int, Json]:
    """Ask as the sandbox does: a new token for each call, whose header names where its keys are."""
    now = int(time.time())
    token = forge.token(
        head=forge.header(kid=forge.EC_KID, jku=JKU), iss=ISSUER, aud=url, iat=now, exp=now + 300, tenant=forge.LEFT_OUT
    )
    status, answer = page.evaluate(ASK, [method, url, token, body])
    return status, answer or {}


def test_sandbox_discovers_shows_the_card_and_sends_an_override(page: Page, service: Serving) -> None:
    now = datetime.now(UTC)
    day = now.timestamp() - 5 * 86_400
    drawn = datetime.fromtimestamp(day, UTC).isoformat()
    treated = datetime.fromtimestamp(day - 40 * 86_400, UTC).isoformat()
    request = hook_request(
        *draw(300, "6.0", "1.2", when=drawn), conditions=None, procedures=None, members={"fhirServer": "http://fhir"}
    )
    request["prefetch"] |= {"conditions": bundle_of(condition()), "procedures": bundle_of(procedure(when=treated))}

    status, discovery = ask(page, "GET", f"{service.url}/cds-services")
    assert (status, [entry["id"] for entry in discovery["services"]]) == (200, ["sii-recurrence-risk"])

    status, answer = ask(page, "POST", f"{service.url}{SERVICE}", request)
    assert status == 200
    (card,) = answer["cards"]
    assert card["indicator"] == "warning"

    reason = card["overrideReasons"][0]
    override = {
        "card": card["uuid"],
        "outcome": "overridden",
        "outcomeTimestamp": now.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "overrideReason": {"reason": {"code": reason["code"], "system": reason["system"]}},
    }
    status, _ = ask(page, "POST", f"{service.url}{SERVICE}/feedback", {"feedback": [override]})
    assert status == 200

    command = ["audit", "search", "--config", str(service.folder / "sii-cds.yaml"), "--outcome", "overridden", "--json"]
    recorded = [json.loads(line) for line in CliRunner().invoke(main, command).stdout.splitlines()]
    assert [(record["card"], record["reason_code"]) for record in recorded] == [(card["uuid"], reason["code"])]


def bundle_of(resource: Json) -> Json:
    return {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": resource}]}


def test_sandbox_reads_a_refusal_too(page: Page, service: Serving) -> None:
    status, outcome = ask(page, "POST", f"{service.url}{SERVICE}", {"hook": "patient-view"})

    assert (status, outcome["resourceType"]) == (400, "OperationOutcome")
