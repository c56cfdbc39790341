"""Two hosts, each with a configuration and an audit directory of its own, on one PostgreSQL."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
import requests

from tests.security.forge import EC_KID, ec_key, jwk, key_set, token
from tests.support.charts import bundle, days_ago, draw, hook_request, procedure
from tests.support.exposed_metrics import total
from tests.support.serve_command import COMMAND, CONFIGURATION_NAME, Serving, serving, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.postgresql import PostgreSQL

PATH = "/cds-services/sii-recurrence-risk"
PUBLIC_URL = "http://127.0.0.1:8080"
CONFIGURATION = """\
service: {{public_url: "http://127.0.0.1:8080", timezone: Europe/Zurich}}
server: {{host: 127.0.0.1, port: 0, workers: 2}}
clients: [{{name: main-ehr, issuer: "https://ehr.hospital.example", jwks_file: ehr-jwks.json}}]
audit: {{directory: audit, hmac_key_file: audit-key}}
state: {{url: "{url}"}}
"""
# A hook waits at most a second or so for a database that is gone.
PATIENCE = 5.0


@pytest.fixture
def hosts(postgresql: PostgreSQL, tmp_path: Path) -> Iterator[tuple[Serving, Serving]]:
    url = postgresql.new_database()
    folders = [tmp_path / name for name in ("first", "second")]
    with ExitStack() as stack:
        for number, folder in enumerate(folders):
            folder.mkdir()
            (folder / "ehr-jwks.json").write_bytes(key_set(jwk(ec_key(), EC_KID)))
            (folder / "audit-key").write_text(f"{number}" * 64, encoding="utf-8")
        first, second = (stack.enter_context(serving(folder, CONFIGURATION.format(url=url))) for folder in folders)
        for host in (first, second):
            wait_until(lambda host=host: total(host.url, "sii_cds_workers") == 2, "both workers run")  # type: ignore[misc]
        yield first, second


def new_token() -> str:
    now = int(time.time())
    times: dict[str, Any] = {"iat": now, "exp": now + 300, "aud": PUBLIC_URL + PATH, "jti": str(uuid4())}
    return token("ES384", **times)


def ask(host: Serving, signed: str | None = None) -> requests.Response:
    today = datetime.now(UTC)
    ablation = procedure(when=days_ago(90, now=today)[:10])
    body = hook_request(*draw(when=days_ago(40, now=today)), procedures=bundle(ablation))
    headers = {"Authorization": f"Bearer {signed or new_token()}"}
    return requests.post(host.url + PATH, json=body, headers=headers, timeout=10)


def status(host: Serving, path: str) -> int:
    return requests.get(host.url + path, timeout=10).status_code


def hooks_recorded(folder: Path) -> int:
    """Verify the chain of a host as its auditor does, and count the decisions in it."""
    configuration = str(folder / CONFIGURATION_NAME)
    verified = subprocess.run(
        [COMMAND, "audit", "verify", "--config", configuration], capture_output=True, text=True, check=False
    )
    assert verified.returncode == 0, verified.stdout + verified.stderr
    lines = [line for file in sorted((folder / "audit").glob("*.jsonl")) for line in file.read_text().splitlines()]
    return sum(json.loads(line)["kind"] == "hook" for line in lines)


def test_token_used_at_one_host_is_refused_at_the_other(hosts: tuple[Serving, Serving]) -> None:
    first, second = hosts
    used = new_token()

    assert [ask(first, used).status_code, ask(second, used).status_code] == [200, 401]
    assert total(second.url, "sii_cds_trust_refusals_total", reason="replayed", client="main-ehr") == 1


def test_token_sent_to_both_hosts_at_once_is_answered_once(hosts: tuple[Serving, Serving]) -> None:
    with ThreadPoolExecutor(2) as pool:
        for _ in range(15):
            signed = new_token()
            answers = pool.map(lambda host, signed=signed: ask(host, signed).status_code, hosts)
            assert sorted(answers) == [200, 401]
    assert [hooks_recorded(host.folder) for host in hosts] == [total(host.url, "sii_cds_hooks_total") for host in hosts]


def test_host_that_is_killed_leaves_the_other_serving_and_both_chains_whole(hosts: tuple[Serving, Serving]) -> None:
    first, second = hosts
    used = new_token()
    assert ask(first, used).status_code == 200
    os.killpg(first.process.pid, signal.SIGKILL)
    first.process.wait()

    assert [ask(second).status_code for _ in range(10)] == [200] * 10
    assert ask(second, used).status_code == 401, "what the dead host knew is not lost"
    with serving(first.folder, None) as again:
        assert ask(again).status_code == 200
        assert ask(again, used).status_code == 401
    assert (hooks_recorded(first.folder), hooks_recorded(second.folder)) == (2, 10)


def test_database_that_goes_and_comes_back_is_survived_with_right_answers(
    hosts: tuple[Serving, Serving], postgresql: PostgreSQL
) -> None:
    used = new_token()
    assert ask(hosts[0], used).status_code == 200
    postgresql.stop()
    try:
        for host in hosts:
            begun = time.monotonic()
            refused = ask(host)
            assert refused.status_code == 503, "nobody can tell whether the token was used"
            assert refused.json()["resourceType"] == "OperationOutcome"
            assert time.monotonic() - begun < PATIENCE
            assert (status(host, "/livez"), status(host, "/readyz")) == (200, 503)
            assert total(host.url, "sii_cds_ready", check="state") == 0
            assert total(host.url, "sii_cds_ready", check="audit") == 1
    finally:
        postgresql.start()
    for host in hosts:
        wait_until(lambda host=host: status(host, "/readyz") == 200, "the host is ready again")  # type: ignore[misc]
        assert [ask(host).status_code for _ in range(5)] == [200] * 5
        assert ask(host, used).status_code == 401, "what was used before the outage stays used"
    assert [hooks_recorded(host.folder) for host in hosts] == [6, 5]
