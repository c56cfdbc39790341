"""The running server without prefetch: many hooks at once, and a FHIR server that hangs in between."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
import requests

from cds_service.acquisition.fhir.breaker import FAILURES_TO_OPEN, SECONDS_OPEN
from tests.support import fhir_stub_faults as faults
from tests.support.charts import ALBUMIN, bundle, days_ago, draw, hook_request, observation, procedure
from tests.support.fhir_stub import TOKEN, FHIRStub, moved_to, running_stub
from tests.support.fhir_stub_site import HOOK_PATH
from tests.support.serve_command import Serving, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.charts import Json

KEYS = ("patient", "conditions", "procedures", "bloodCounts", "albumin")
HOOKS = 32
DEADLINE = 2.0
SHORT_DEADLINE = 0.5
PATIENT_DEADLINE = 30.0
HOOKS_THAT_WAIT = FAILURES_TO_OPEN // 2 + 1
CONFIGURATION = """\
service: {{public_url: http://127.0.0.1:8080, timezone: Europe/Zurich}}
server: {{host: 127.0.0.1, port: 0, workers: 2, hook_deadline_seconds: {deadline}}}
authentication: {{required: false}}
clients:
  - name: main-ehr
    issuer: https://ehr.hospital.example
    jwks_url: https://ehr.hospital.example/jwks.json
    fhir_servers: ["{fhir}"]
"""


@pytest.fixture(scope="module")
def running() -> Iterator[FHIRStub]:
    with running_stub() as stub:
        yield stub


@pytest.fixture
def stub(running: FHIRStub) -> FHIRStub:
    running.reset()
    return running


@pytest.fixture(scope="module", params=[DEADLINE])
def server(
    request: pytest.FixtureRequest, running: FHIRStub, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Serving]:
    text = CONFIGURATION.format(fhir=running.url, deadline=request.param)
    with serving(tmp_path_factory.mktemp("server"), text) as process:
        yield process


def request_without_prefetch(stub: FHIRStub) -> Json:
    """An eligible patient by the clock of today, which the server goes by."""
    today = datetime.now(UTC)
    request = hook_request(
        *draw(when=days_ago(40, now=today)),
        albumin=bundle(observation(ALBUMIN, 38, "g/L", when=days_ago(40, now=today))),
        procedures=bundle(procedure(when=days_ago(90, now=today)[:10])),
    )
    return moved_to(stub, request, *KEYS)


def ask(server: Serving, request: Json) -> tuple[int, str, float]:
    begun = time.monotonic()
    answer = requests.post(server.url + HOOK_PATH, json=request, timeout=30)
    return answer.status_code, answer.text, time.monotonic() - begun


def ask_together(server: Serving, request: Json) -> list[tuple[int, str, float]]:
    with ThreadPoolExecutor(HOOKS) as clinicians:
        return list(clinicians.map(lambda _: ask(server, request), range(HOOKS)))


# Whether they are answered is the question here; a busy machine may take its time.
@pytest.mark.parametrize("server", [PATIENT_DEADLINE], indirect=True)
def test_hooks_at_once_are_all_answered(server: Serving, stub: FHIRStub) -> None:
    request = request_without_prefetch(stub)
    stub.latency = 0.05

    answers = ask_together(server, request)

    assert {status for status, _, _ in answers} == {200}
    assert all('"outcome":"above-cutoff"' in text for _, text, _ in answers)
    assert len(stub.received) == len(KEYS) * HOOKS


def test_server_goes_on_after_its_fhir_server_hung(server: Serving, stub: FHIRStub) -> None:
    request = request_without_prefetch(stub)
    stub.faults = dict.fromkeys(KEYS, faults.SLOW_HEADER)
    answers = ask_together(server, request)

    # A busy machine may find the deadline past before it can name what is missing: that is no answer either.
    assert {412} <= {status for status, _, _ in answers} <= {412, 503}
    # What waits for a place in the application waits for one deadline more; the rest is for a busy machine.
    assert max(seconds for _, _, seconds in answers) < 4 * DEADLINE
    assert requests.get(f"{server.url}/readyz", timeout=10).status_code == 200
    stub.faults = {}
    # Every worker leaves the server alone for a while, and finds out by itself that it is back.
    recovered = time.monotonic() + 12 * SECONDS_OPEN
    while {ask(server, request)[0] for _ in range(HOOKS)} != {200}:
        assert time.monotonic() < recovered


@pytest.mark.alone
@pytest.mark.parametrize("server", [SHORT_DEADLINE], indirect=True)
def test_server_that_hangs_is_left_alone_after_a_few_hooks(server: Serving, stub: FHIRStub) -> None:
    """The hook gives up at the same deadline as the request, and mostly first: that must count as no answer."""
    request = request_without_prefetch(stub)
    stub.faults = dict.fromkeys(KEYS, faults.SLOW_HEADER)
    answers = [ask(server, request) for _ in range(16)]

    assert {status for status, _, _ in answers} == {412}
    # Two or three in each of two workers; the others are answered at once.
    assert sum(seconds > SHORT_DEADLINE / 2 for _, _, seconds in answers) <= 2 * HOOKS_THAT_WAIT


# A server of its own, too: another test's may still leave the FHIR server alone that hung.
@pytest.mark.parametrize("server", [PATIENT_DEADLINE], indirect=True)
def test_log_names_what_failed_and_for_which_hook_without_token_or_patient(server: Serving, stub: FHIRStub) -> None:
    request = request_without_prefetch(stub)
    stub.faults = {"conditions": faults.status(403)}

    assert ask(server, request)[0] == 412
    log = (server.folder / "stdout.log").read_text()
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    failures = [line for line in lines if line.get("event") == "FHIR request conditions: status 403"]
    refusals = [line for line in lines if line.get("detail") == "unavailable: conditions"]
    assert len(failures) == 1
    assert failures[0]["request_id"] == refusals[-1]["request_id"]
    assert TOKEN not in log
    assert "patient=p1" not in log
