"""The trend app on two hosts with two workers each and one PostgreSQL: a launch begins here and ends there."""

from __future__ import annotations

import base64
import json
from contextlib import ExitStack
from datetime import UTC, datetime
from statistics import median
from typing import TYPE_CHECKING

import pytest
import requests
from joserfc.jwk import ECKey

from tests.support.charts import PATIENT_ID, bundle, days_ago, draw, prefetch, procedure
from tests.support.serve_command import Serving, serving, wait_until
from tests.support.smart_server import SmartServer, running_smart_server
from tests.support.smart_site import CALLBACK, CLIENT, LAUNCH, smart_settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.postgresql import PostgreSQL

# The contract: own time of the callback with an instant FHIR server.
MEDIAN_MS = 100.0


def chart() -> dict[str, object]:
    now = datetime.now(UTC)
    ablation = procedure(when=days_ago(90, now=now)[:10])
    return prefetch(*draw(when=days_ago(40, now=now)), procedures=bundle(ablation))


@pytest.fixture
def ehr() -> Iterator[SmartServer]:
    with running_smart_server(**{PATIENT_ID: chart()}) as server:
        yield server


def configuration(ehr: SmartServer, state: str) -> str:
    settings = smart_settings(ehr, server={"host": "127.0.0.1", "port": 0, "workers": 2}, state={"url": state})
    return json.dumps(settings)


def launched(host: Serving, ehr: SmartServer) -> tuple[str, dict[str, str]]:
    """Begin a launch on a host; return the query of its callback, and its cookie as a browser sends it back."""
    query = {"iss": ehr.url, "launch": "launch-1"}
    answer = requests.get(host.url + LAUNCH, params=query, allow_redirects=False, timeout=10)
    assert answer.status_code == 303, answer.text
    cookie = answer.headers["Set-Cookie"].partition(";")[0]
    return ehr.authorize(answer.headers["Location"]), {"Cookie": cookie}


def came_back(host: Serving, callback: tuple[str, dict[str, str]]) -> requests.Response:
    query, headers = callback
    return requests.get(f"{host.url}{CALLBACK}?{query}", headers=headers, timeout=10)


def test_launch_on_one_host_has_its_page_on_the_other_and_on_none_again(
    postgresql: PostgreSQL, ehr: SmartServer, tmp_path: Path
) -> None:
    text = configuration(ehr, postgresql.new_database())
    with ExitStack() as stack:
        hosts = []
        for name in ("first", "second"):
            (tmp_path / name).mkdir()
            hosts.append(stack.enter_context(serving(tmp_path / name, text)))
        first, second = hosts
        for here, there in ((first, second), (second, first)):
            callback = launched(here, ehr)

            assert came_back(there, callback).status_code == 200
            assert came_back(here, callback).status_code == 410
            assert came_back(there, callback).status_code == 410


@pytest.mark.alone
def test_callback_takes_little_time_of_its_own_whichever_worker_it_reaches(ehr: SmartServer, tmp_path: Path) -> None:
    with serving(tmp_path, configuration(ehr, "sqlite:///state.db")) as service:
        for _ in range(24):
            assert came_back(service, launched(service, ehr)).status_code == 200
        lines = [event for event in service.events("request") if event["route"] == "/smart/<client>/callback"]

    taken = [float(line["duration_ms"]) for line in lines]
    assert len(taken) == 24
    # The first pages of each worker import and compile.
    assert median(sorted(taken)[:20]) <= MEDIAN_MS, taken


def key(kid: str) -> ECKey:
    return ECKey.generate_key("P-384", {"kid": kid, "use": "sig"})


def test_key_is_replaced_with_both_published_and_no_restart(ehr: SmartServer, tmp_path: Path) -> None:
    old, new = key("old"), key("new")
    ehr.app_keys = {"keys": [k.as_dict(private=False) | {"kid": k.kid} for k in (old, new)]}

    def put(*keys: ECKey) -> None:
        content = json.dumps({"keys": [k.as_dict(private=True) | {"kid": k.kid} for k in keys]})
        (tmp_path / "app-keys.json").write_text(content)

    def published(service: Serving) -> list[str]:
        answer = requests.get(f"{service.url}/smart/{CLIENT}/jwks.json", timeout=10)
        return [member["kid"] for member in answer.json()["keys"]]

    def signer() -> str:
        fields, _ = ehr.posted[-1]
        head = fields["client_assertion"].partition(".")[0]
        return str(json.loads(base64.urlsafe_b64decode(head + "=="))["kid"])

    put(old)
    app = {"authentication": "private_key_jwt", "private_key_file": "app-keys.json"}
    settings = smart_settings(ehr, app, server={"host": "127.0.0.1", "port": 0, "workers": 1})
    with serving(tmp_path, json.dumps(settings)) as service:
        assert published(service) == ["old"]
        put(old, new)
        wait_until(lambda: published(service) == ["old", "new"], "both keys are published")
        assert came_back(service, launched(service, ehr)).status_code == 200
        assert signer() == "old"
        put(new, old)
        wait_until(lambda: published(service) == ["new", "old"], "the new key stands first")
        assert came_back(service, launched(service, ehr)).status_code == 200
        assert signer() == "new"
