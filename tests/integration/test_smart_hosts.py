"""The trend app on two hosts with two workers each and one PostgreSQL: a launch begins here and ends there."""

from __future__ import annotations

import json
from contextlib import ExitStack
from datetime import UTC, datetime
from statistics import median
from typing import TYPE_CHECKING

import pytest
import requests

from tests.support.charts import PATIENT_ID, bundle, days_ago, draw, prefetch, procedure
from tests.support.serve_command import Serving, serving
from tests.support.smart_server import SmartServer, running_smart_server
from tests.support.smart_site import CALLBACK, LAUNCH, smart_settings

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


def test_callback_takes_little_time_of_its_own_whichever_worker_it_reaches(ehr: SmartServer, tmp_path: Path) -> None:
    with serving(tmp_path, configuration(ehr, "sqlite:///state.db")) as service:
        for _ in range(24):
            assert came_back(service, launched(service, ehr)).status_code == 200
        lines = [event for event in service.events("request") if event["route"] == "/smart/<client>/callback"]

    taken = [float(line["duration_ms"]) for line in lines]
    assert len(taken) == 24
    # The first pages of each worker import and compile.
    assert median(sorted(taken)[:20]) <= MEDIAN_MS, taken
