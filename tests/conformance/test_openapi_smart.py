"""Every status that the paths of the trend app describe can be met, and its answer keeps to its description."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support import fhir_stub_faults as faults
from tests.support import openapi
from tests.support.charts import PATIENT_ID, prefetch
from tests.support.smart_server import running_smart_server
from tests.support.smart_site import CALLBACK, CLIENT, LAUNCH, SmartSite, smart_site, with_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from werkzeug.test import TestResponse

    from tests.support.fhir_stub import Fault, Wire

    Ask = Callable[[SmartSite], TestResponse]

KEYS = f"/smart/{CLIENT}/jwks.json"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SmartSite]:
    monkeypatch.setattr("cds_service.smart.trend_app._WAITING_SECONDS", 1.5)
    with running_smart_server(**{PATIENT_ID: prefetch()}) as server:
        yield smart_site(tmp_path, server, with_key(tmp_path, server), server={"threads": 4})


def faulty(place: str, fault: Fault, ask: Ask) -> Ask:
    def asked(site: SmartSite) -> TestResponse:
        site.server.faults = {place: fault}
        return ask(site)

    return asked


def taken(ask: Ask) -> Ask:
    """Ask while all places of launches are taken: one, of four threads."""

    def asked(site: SmartSite) -> TestResponse:
        inner: list[TestResponse] = []

        def meanwhile(wire: Wire) -> None:
            inner.append(ask(site))
            wire.answer(b"{}")

        site.server.faults = {"discovery": meanwhile}
        site.launch()
        return inner[0]

    return asked


def twice(site: SmartSite) -> TestResponse:
    callback = site.callback_of(site.launch())
    site.get(callback)
    return site.get(callback)


CASES: list[tuple[str, int, Ask]] = [
    ("launch", 303, lambda site: site.launch()),
    ("launch", 400, lambda site: site.get(LAUNCH)),
    ("launch", 403, lambda site: site.get(LAUNCH, iss="https://x.example", launch="x")),
    ("launch", 404, lambda site: site.launch(client="nobody")),
    ("launch", 405, lambda site: site.app.test_client().post(LAUNCH)),
    ("launch", 502, faulty("discovery", faults.status(500), lambda site: site.launch())),
    ("launch", 503, taken(lambda site: site.launch())),
    ("launch", 504, faulty("discovery", faults.silence, lambda site: site.launch())),
    ("callback", 200, lambda site: site.open()),
    ("callback", 400, lambda site: site.get(CALLBACK)),
    ("callback", 403, lambda site: site.get(CALLBACK, state="x", code="y")),
    ("callback", 404, lambda site: site.get("/smart/nobody/callback", state="x", code="y")),
    ("callback", 405, lambda site: site.app.test_client().put(CALLBACK)),
    ("callback", 410, twice),
    ("callback", 502, faulty("token", faults.status(400), lambda site: site.open())),
    ("callback", 503, taken(lambda site: site.get(CALLBACK, state="x", code="y"))),
    ("callback", 504, faulty("token", faults.silence, lambda site: site.open())),
    ("jwks.json", 200, lambda site: site.get(KEYS)),
    ("jwks.json", 404, lambda site: site.get("/smart/nobody/jwks.json")),
    ("jwks.json", 405, lambda site: site.app.test_client().post(KEYS)),
    ("jwks.json", 503, taken(lambda site: site.get(KEYS))),
]
DEFECT = 500


@pytest.mark.parametrize(("page", "status", "ask"), CASES)
def test_status_is_met_and_keeps_to_the_description(site: SmartSite, page: str, status: int, ask: Ask) -> None:
    answer = ask(site)

    assert answer.status_code == status, answer.text
    path = f"/smart/{{client}}/{page}"
    assert openapi.problems(path, "GET", status, answer.headers, answer.data) == []


def test_statuses_all_but_the_defect_have_a_case() -> None:
    described = {
        (path.removeprefix("/smart/{client}/"), status)
        for path, method, _ in openapi.operations()
        if path.startswith("/smart/")
        for status in openapi.described_statuses(path, method)
    }

    assert {(page, status) for page, status, _ in CASES} == {case for case in described if case[1] != DEFECT}
