"""Configuration, overlay and keys swapped together, as in a Kubernetes ConfigMap, while an EHR goes on asking."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
import requests

from tests.security.forge import EC_KID, ec_key, jwk, key_set, token
from tests.support.charts import draw, hook_request
from tests.support.config_map import ConfigMap
from tests.support.exposed_metrics import label_values, total
from tests.support.serve_command import Serving, serving, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PATH = "/cds-services/sii-recurrence-risk"
PUBLIC_URL = "http://127.0.0.1:8080"
CONFIGURATION = """\
service: {{public_url: "http://127.0.0.1:8080", timezone: Europe/Zurich}}
server: {{host: 127.0.0.1, port: 0, workers: 2}}
clients: [{{name: main-ehr, issuer: "https://ehr.hospital.example", jwks_file: ehr-jwks.json}}]
mappings: {{overlays: [site-codes.yaml]}}
rule: {{cutoff: {cutoff}, cutoff_source: our own cohort}}
"""
LABORATORY = "https://laboratory.hospital.example/tests"
OVERLAY = """\
about: {what: Local codes, approved_by: "Dr. A. Example"}
systems: [{uri: "https://laboratory.hospital.example/tests"}]
laboratory_codes:
"""
PLATELETS = f'  - {{system: "{LABORATORY}", code: PLT, analyte: platelets, basis: count}}\n'
OTHER = f'  - {{system: "{LABORATORY}", code: OTHER, analyte: platelets, basis: count}}\n'
OLD_KEY, NEW_KEY = jwk(ec_key("ehr"), EC_KID), jwk(ec_key("ehr next"), "next")
REFUSED = "configuration refused, the old one serves on"


def version(cutoff: str = "330", codes: str = PLATELETS, keys: bytes = b"") -> dict[str, bytes]:
    return {
        "sii-cds.yaml": CONFIGURATION.format(cutoff=cutoff).encode(),
        "site-codes.yaml": (OVERLAY + codes).encode(),
        "ehr-jwks.json": keys or key_set(OLD_KEY, NEW_KEY),
    }


@pytest.fixture
def config_map(tmp_path: Path) -> ConfigMap:
    return ConfigMap(tmp_path, version("900", OTHER, key_set(OLD_KEY)))


@pytest.fixture
def service(config_map: ConfigMap, tmp_path: Path) -> Iterator[Serving]:
    with serving(tmp_path, None) as running:
        wait_until(lambda: total(running.url, "sii_cds_workers") == 2, "both workers run")
        yield running


def ask(service: Serving, *, next_key: bool = False) -> requests.Response:
    """Ask about a patient whose platelets have a local code, with a token of the old or the next key."""
    platelets, *others = draw()
    platelets["code"]["coding"] = [{"system": LABORATORY, "code": "PLT"}]
    now = int(time.time())
    times: dict[str, Any] = {"iat": now, "exp": now + 300, "aud": PUBLIC_URL + PATH}
    signed = token("ES384", ec_key("ehr next"), {"kid": "next"}, **times) if next_key else token(**times)
    body = hook_request(platelets, *others)
    return requests.post(service.url + PATH, json=body, headers={"Authorization": f"Bearer {signed}"}, timeout=10)


def assessment(answer: requests.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()["extension"]["org.sii-cds.assessment"]
    return found


def applied(service: Serving, cutoff: str) -> bool:
    return {assessment(ask(service))["cutoff"] for _ in range(8)} == {cutoff}


def test_swap_brings_configuration_overlay_and_keys_into_effect_without_a_failed_request(
    service: Serving, config_map: ConfigMap
) -> None:
    assert assessment(ask(service))["outcome"] == "indeterminate"
    assert ask(service, next_key=True).status_code == 401
    before = label_values(service.url, "sii_cds_workers", "configuration")
    stop = threading.Event()

    def ask_on() -> list[int]:
        return [ask(service).status_code for _ in iter(stop.is_set, True)]

    with ThreadPoolExecutor(4) as clinicians:
        clients = [clinicians.submit(ask_on) for _ in range(3)]
        for number in range(4):
            cutoff = str(330 + number)
            config_map.update(version(cutoff))
            wait_until(partial(applied, service, cutoff), "the swap took effect")
        stop.set()
        statuses = [status for client in clients for status in client.result()]

    assert len(statuses) > 50
    assert set(statuses) == {200}
    assert assessment(ask(service, next_key=True))["outcome"] == "above-cutoff"
    after = label_values(service.url, "sii_cds_workers", "configuration")
    assert (set(before.values()), set(after.values())) == ({2}, {2})
    assert set(before) != set(after)


@pytest.mark.parametrize(
    ("broken", "problem"),
    [
        ({"sii-cds.yaml": b"rule: {cutof: 330}"}, "sii-cds.yaml:1:8: rule.cutof: unknown key"),
        ({"sii-cds.yaml": b""}, "authentication"),
        ({"site-codes.yaml": b"about: 1"}, "site-codes.yaml:1:1: about"),
        ({"ehr-jwks.json": b"{}"}, "ehr-jwks.json"),
    ],
    ids=["unknown key", "empty file", "broken overlay", "broken keys"],
)
def test_broken_file_changes_nothing_and_is_told_until_it_is_mended(
    service: Serving, config_map: ConfigMap, broken: dict[str, bytes], problem: str
) -> None:
    def workers() -> dict[str, float]:
        return label_values(service.url, "sii_cds_workers", "configuration")

    before, asked = workers(), assessment(ask(service))
    config_map.update(version() | broken)
    wait_until(lambda: total(service.url, "sii_cds_reloads_total", result="refused") == 2, "both workers refused it")

    assert total(service.url, "sii_cds_configuration_last_reload_successful") == 0
    (event,) = service.events(REFUSED)
    assert problem in str(event["problems"])
    assert event["configuration"] in workers()
    assert (workers(), assessment(ask(service))) == (before, asked)

    config_map.update(version())
    wait_until(lambda: total(service.url, "sii_cds_configuration_last_reload_successful") == 1, "it is mended")
    assert workers() != before
    assert total(service.url, "sii_cds_reloads_total", result="applied") == 2
