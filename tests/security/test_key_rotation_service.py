"""Keys at an address, in a real service with two workers: fetched before anybody asks, rotated without a restart."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import requests

from tests.security import forge
from tests.security.forge import EC_KID, ec_key, token
from tests.security.key_server import NEW_KEYS, OLD_KEYS, running_key_server, until
from tests.support.charts import hook_request
from tests.support.serve_command import Serving, serving

if TYPE_CHECKING:
    from pathlib import Path

PATH = forge.ENDPOINT.removeprefix(forge.PUBLIC_URL)
SITE = """\
service: {{public_url: {public_url}, timezone: Asia/Shanghai}}
server: {{port: 0, workers: 2}}
clients: [{{name: main-ehr, issuer: "{issuer}", jwks_url: "{url}"}}]
"""


def ask(service: Serving, owner: str, kid: str) -> int:
    now = int(time.time())
    text = token(key=ec_key(owner), head={"kid": kid}, iat=now, exp=now + 120, jti=f"{time.time_ns()}")
    # A connection of its own, so that both workers are asked.
    headers = {"Authorization": f"Bearer {text}", "Connection": "close"}
    return requests.post(service.url + PATH, json=hook_request(), headers=headers, timeout=20).status_code


def counted(service: Serving, sample: str) -> float:
    lines = requests.get(f"{service.url}/metrics", timeout=10).text.splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(sample))


def test_rotation_in_a_running_service_is_taken_up_by_every_worker(tmp_path: Path) -> None:
    with running_key_server(OLD_KEYS) as keys:
        site = SITE.format(public_url=forge.PUBLIC_URL, issuer=forge.ISSUER, url=keys.url)
        with serving(tmp_path, site) as service:
            assert until(lambda: len(keys.requests) == 2), "each worker fetches by itself, before anybody asks"
            old = [ask(service, "ehr", EC_KID) for _ in range(8)]
            keys.body = NEW_KEYS
            new = [ask(service, "new", "ec-2027") for _ in range(16)]
            guesses = [ask(service, "new", f"guess-{number}") for number in range(10)]
            # The server is gone: what is held serves on.
            keys.status = 503
            during_outage = [ask(service, "new", "ec-2027") for _ in range(8)]
            read = counted(service, 'sii_cds_key_set_reads_total{client="main-ehr",result="usable"}')

    assert set(old) == {200}
    assert set(new) == {200}
    assert set(guesses) == {401}
    assert set(during_outage) == {200}
    assert read == len(keys.requests) <= 4, "two at start, and one of each worker that met the new key"
