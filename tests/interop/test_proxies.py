"""The service behind the proxies of `docker/proxy`: what an EHR sees, and what nobody outside may see."""

from __future__ import annotations

import json
import signal
import threading
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from tests.security import forge
from tests.support.charts import hook_request
from tests.support.proxies import KINDS, RunningProxy, running_proxy
from tests.support.serve_command import Serving, serving, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PUBLIC_URL = f"{forge.PUBLIC_URL}/sii"
SERVICE = "/sii/cds-services/sii-recurrence-risk"
MEGABYTE = 1_000_000
RELOADS = 3
STATUS = ("--output", "/dev/null", "--write-out", "%{http_code}")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    folder = tmp_path_factory.mktemp("service")
    (folder / "keys.json").write_text(json.dumps({"keys": [forge.jwk(forge.ec_key(), forge.EC_KID)]}))
    content = {
        "service": {"public_url": PUBLIC_URL, "timezone": "Europe/Zurich"},
        "server": {"host": "127.0.0.1", "port": 0, "workers": 2, "trusted_proxies": ["127.0.0.1"]},
        "clients": [{"name": "ehr", "issuer": forge.ISSUER, "jwks_file": "keys.json"}],
    }
    with serving(folder, json.dumps(content)) as running:
        yield running


@pytest.fixture(scope="module", params=list(KINDS))
def proxy(
    request: pytest.FixtureRequest, service: Serving, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningProxy]:
    port = urlsplit(service.url).port
    assert port is not None
    with running_proxy(request.param, port, tmp_path_factory.mktemp(request.param)) as running:
        yield running


def authorization() -> tuple[str, str]:
    now = int(time.time())
    token = forge.token(aud=PUBLIC_URL + SERVICE.removeprefix("/sii"), iat=now, exp=now + 300)
    return "--header", f"Authorization: Bearer {token}"


def posting(body: Path) -> tuple[str, ...]:
    return "--header", "Content-Type: application/json", "--data-binary", f"@{body}"


@pytest.fixture
def hook(tmp_path: Path) -> Path:
    path = tmp_path / "hook.json"
    path.write_text(json.dumps(hook_request()))
    return path


@pytest.mark.parametrize(("option", "version"), [("--http2", "2"), ("--http1.1", "1.1")])
@pytest.mark.parametrize("path", ["/sii/cds-services", "/sii/cds-services/", "/sii/model-card", "/sii/openapi.json"])
def test_proxy_passes_on_what_ehrs_ask_for_below_the_prefix(
    proxy: RunningProxy, path: str, option: str, version: str
) -> None:
    answer = proxy.curl(path, option, "--write-out", "\n%{http_code} %{http_version}")

    assert answer.stdout.splitlines()[-1] == f"200 {version}", answer


@pytest.mark.parametrize(
    "path",
    [
        "/metrics",
        "/sii/metrics",
        "//metrics",
        "/sii//metrics",
        "//sii/metrics",
        "/sii/%6detrics",
        "/%6Detrics",
        "/sii/metrics/",
        "/sii/./metrics",
        "/sii/cds-services/../metrics",
        "/sii/cds-services/%2e%2e/metrics",
        "/sii/cds-services/..%2fmetrics",
        "/sii/cds-services/x/../../metrics",
        "/sii/smart/../metrics",
        "/sii/model-card/../metrics",
        "/sii/METRICS",
        "/livez",
        "/sii/readyz",
    ],
)
def test_proxy_keeps_inside_what_is_nobodys_business_in_every_spelling(proxy: RunningProxy, path: str) -> None:
    answer = proxy.curl(path, "--write-out", "\n%{http_code}")

    assert answer.stdout.splitlines()[-1] in {"400", "403", "404"}, answer
    assert "sii_cds_" not in answer.stdout


def test_proxy_hook_without_token_is_401_with_the_challenge(proxy: RunningProxy, hook: Path) -> None:
    answer = proxy.curl(SERVICE, *posting(hook), "--include")

    assert answer.stdout.split()[1] == "401"
    assert "www-authenticate: bearer" in answer.stdout.lower()
    assert "OperationOutcome" in answer.stdout
    assert "strict-transport-security: max-age=31536000" in answer.stdout.lower()


def test_proxy_hook_with_token_is_answered_and_the_connection_kept(proxy: RunningProxy, hook: Path) -> None:
    once = ("--write-out", "\n%{http_code} %{num_connects}\n")
    url = f"https://{forge.PUBLIC_URL.removeprefix('https://')}:{proxy.port}{SERVICE}"
    again = ("--next", "--silent", "--cacert", str(proxy.authority), *posting(hook), *authorization(), *once, url)
    answer = proxy.curl(SERVICE, *posting(hook), *authorization(), *once)
    both = proxy.curl(SERVICE, *posting(hook), *authorization(), *once, url, *again)

    assert "org.sii-cds.assessment" in answer.stdout, answer
    assert [line for line in both.stdout.splitlines() if line.startswith("200 ")][-1] == "200 0", both


@pytest.mark.parametrize("megabytes", [11, 25, 40])
@pytest.mark.parametrize("option", ["--http2", "--http1.1"])
def test_proxy_body_above_the_limit_is_413_whatever_its_size(
    proxy: RunningProxy, megabytes: int, option: str, tmp_path: Path
) -> None:
    body = tmp_path / "large.json"
    body.write_bytes(b" " * (megabytes * MEGABYTE))

    answers = [
        proxy.curl(SERVICE, option, *posting(body), *authorization(), "--header", "Expect:", *STATUS).stdout
        for _ in range(3)
    ]

    assert answers == ["413"] * 3


def test_proxy_address_of_the_caller_is_the_one_that_the_proxy_saw(
    proxy: RunningProxy, service: Serving, hook: Path
) -> None:
    made_up = ("--header", "X-Forwarded-For: 203.0.113.7", "--header", "X_Forwarded_For: 203.0.113.8")
    before = len(service.events("request"))
    proxy.curl(SERVICE, *posting(hook), *made_up, source="127.0.0.9")
    wait_until(lambda: len(service.events("request")) > before, "the refusal is in the log")

    assert [event["address"] for event in service.events("request")[before:]] == ["127.0.0.9"]


def test_proxy_reload_of_service_and_proxy_costs_no_answer(proxy: RunningProxy, service: Serving, hook: Path) -> None:
    statuses: list[str] = []
    unread: list[str] = []
    stop = threading.Event()

    def ask() -> None:
        while not stop.is_set():
            answer = proxy.curl(SERVICE, *posting(hook), *authorization(), *STATUS)
            if answer.returncode:
                # Caddy and Apache may close a connection in the moment of their own reload, before they read a request.
                unread.append(answer.stderr)
                answer = proxy.curl(SERVICE, *posting(hook), *authorization(), *STATUS)
            statuses.append(answer.stdout + answer.stderr)

    asking = [threading.Thread(target=ask) for _ in range(3)]
    for thread in asking:
        thread.start()
    for _ in range(RELOADS):
        service.process.send_signal(signal.SIGHUP)
        time.sleep(0.3)
        proxy.reload()
        time.sleep(0.7)
    stop.set()
    for thread in asking:
        thread.join()

    assert len(statuses) > 9
    assert set(statuses) == {"200"}
    assert len(unread) <= RELOADS, unread
