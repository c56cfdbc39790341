"""Silent mode: the same decision, the same record and the same numbers as in active mode, and nothing to be seen."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from cds_service.app import create_app
from cds_service.settings import settings_from_dict
from tests.security.forge import ENDPOINT, NOW, PUBLIC_URL, jwk, key_for, key_set, token
from tests.support.charts import PLATELETS, days_ago, draw, hook_request, procedure

if TYPE_CHECKING:
    from pathlib import Path

    from flask.testing import FlaskClient

    from tests.support.charts import Json

PATH = ENDPOINT.removeprefix(PUBLIC_URL)
EHRS = ("first", "second")


def above() -> Json:
    return _on_the_clock(*draw(when=days_ago(40, now=NOW)))


def incomplete() -> Json:
    counts = [count for count in draw(when=days_ago(40, now=NOW)) if count["code"]["coding"][0]["code"] != PLATELETS]
    return _on_the_clock(*counts)


def _on_the_clock(*counts: Json) -> Json:
    return hook_request(*counts, procedures={**_bundle(procedure(when=days_ago(90, now=NOW)[:10]))})


def _bundle(resource: Json) -> Json:
    return {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": resource}]}


def site(folder: Path, service_mode: str, client_modes: tuple[str | None, str | None]) -> FlaskClient:
    """Build a service with two EHRs, each with a mode of its own or none."""
    clients = []
    for name, mode in zip(EHRS, client_modes, strict=True):
        keys = folder / f"{name}.json"
        keys.write_bytes(key_set(jwk(key_for("ES384", name), name)))
        clients.append({"name": name, "issuer": f"https://{name}.example", "jwks_file": keys.name, "mode": mode})
    sections = {"service": {"public_url": PUBLIC_URL, "mode": service_mode}, "clients": clients}
    return create_app(settings_from_dict(sections, folder), now=lambda: NOW).test_client()


def ask(service: FlaskClient, ehr: str, request: Json) -> Any:
    signed = token("ES384", key_for("ES384", ehr), {"kid": ehr}, iss=f"https://{ehr}.example")
    return service.post(PATH, json=request, headers={"Authorization": f"Bearer {signed}"})


def records(folder: Path) -> list[Json]:
    lines = [line for file in sorted((folder / "audit").glob("*.jsonl")) for line in file.read_text().splitlines()]
    return [record for record in map(json.loads, lines) if record["kind"] == "hook"]


CASES = [
    ("active", (None, "silent"), ("active", "silent"), "one EHR of two runs on trial"),
    ("silent", (None, "active"), ("silent", "active"), "the service is on trial but for one EHR"),
    ("silent", (None, None), ("silent", "silent"), "the whole service is on trial"),
]


@pytest.mark.parametrize(("service_mode", "client_modes", "expected", "reason"), CASES)
@pytest.mark.parametrize(("chart", "outcome"), [(above, "above-cutoff"), (incomplete, "indeterminate")])
def test_silent_client_sees_an_empty_answer_and_everything_else_is_as_in_active_mode(
    tmp_path: Path,
    service_mode: str,
    client_modes: tuple[str | None, str | None],
    expected: tuple[str, str],
    reason: str,
    chart: Any,
    outcome: str,
) -> None:
    service = site(tmp_path, service_mode, client_modes)
    answers = dict(zip(EHRS, (ask(service, ehr, chart()) for ehr in EHRS), strict=True))

    for ehr, mode, record in zip(EHRS, expected, records(tmp_path), strict=True):
        answer = answers[ehr]
        assert answer.status_code == 200, answer.text
        if mode == "silent":
            assert answer.data == b'{"cards":[]}', reason
        else:
            assert len(answer.get_json()["cards"]) == 1, reason
            assert answer.get_json()["extension"]["org.sii-cds.assessment"]["outcome"] == outcome
        assert record["client"] == ehr
        assert record["mode"] == mode
        assert record.get("shown", False) is (mode == "active")
        labels = f'client="{ehr}",mode="{mode}",outcome="{outcome}",service="sii-recurrence-risk"'
        assert f"sii_cds_hooks_total{{{labels}}} 1.0" in service.get("/metrics").text


VARIES = (
    "link",
    "sequence",
    "request_id",
    "hook_instance",
    "client",
    "card",
    "shown",
    "presentation",
    "mode",
    "timings_ms",
    "time",
)


def test_records_of_silent_and_active_differ_in_nothing_but_what_was_shown(tmp_path: Path) -> None:
    service = site(tmp_path, "active", (None, "silent"))
    for ehr in EHRS:
        ask(service, ehr, above())

    active, silent = records(tmp_path)
    assert {key for key in active | silent if active.get(key) != silent.get(key)} <= set(VARIES)
    assert active["card"]
    assert silent["card"]
    assert (active["presentation"], silent["presentation"]) == ("shown", "silent")
    assert silent["sii"] == active["sii"]
