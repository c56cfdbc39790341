"""A token counts once over real services: two that share a database, and the workers of one."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
import requests

from tests.security import forge
from tests.security.forge import ec_key, token
from tests.support.charts import hook_request
from tests.support.serve_command import serving

if TYPE_CHECKING:
    from pathlib import Path

PATH = forge.ENDPOINT.removeprefix(forge.PUBLIC_URL)
SITE = f"""\
service: {{public_url: {forge.PUBLIC_URL}, timezone: Asia/Shanghai}}
server: {{port: 0, workers: WORKERS}}
clients: [{{name: main-ehr, issuer: "{forge.ISSUER}", jwks_file: ehr.json}}]
state: {{url: "STATE"}}
"""


def site(folder: Path, state: str, workers: int) -> str:
    folder.mkdir(exist_ok=True)
    (folder / "ehr.json").write_bytes(forge.key_set(forge.jwk(ec_key(), forge.EC_KID)))
    return SITE.replace("WORKERS", str(workers)).replace("STATE", state)


def fresh_token() -> str:
    now = int(time.time())
    return token(iat=now, exp=now + 120, jti=f"{time.time_ns()}")


def ask(url: str, text: str) -> int:
    headers = {"Authorization": f"Bearer {text}"}
    return requests.post(url + PATH, json=hook_request(), headers=headers, timeout=20).status_code


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_token_used_at_one_service_is_refused_by_another_that_shares_its_database(
    database: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    state = f"sqlite:///{tmp_path}/state.db" if database == "sqlite" else request.getfixturevalue("postgresql_url")
    one, two = tmp_path / "one", tmp_path / "two"
    with serving(one, site(one, state, 1)) as first, serving(two, site(two, state, 1)) as second:
        text = fresh_token()
        statuses = [ask(first.url, text), ask(second.url, text), ask(first.url, text), ask(second.url, fresh_token())]
        raced = race([first.url, second.url])

    assert statuses == [200, 401, 401, 200]
    assert raced == [1] * len(raced)


def test_token_sent_to_all_workers_at_once_is_answered_once(tmp_path: Path) -> None:
    with serving(tmp_path, site(tmp_path, "sqlite:///state.db", 2)) as service:
        raced = race([service.url] * 4)

    assert raced == [1] * len(raced)


def race(urls: list[str]) -> list[int]:
    """Send each of some tokens to all addresses at once; give how often each was answered."""
    answered = []
    with ThreadPoolExecutor(len(urls)) as pool:
        for _ in range(8):
            text = fresh_token()
            answered.append(list(pool.map(lambda url, text=text: ask(url, text), urls)).count(200))
    return answered
