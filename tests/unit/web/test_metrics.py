"""Metrics: what is counted, in one process and in several."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from cds_service.errors import DataUnavailableError, ForbiddenError
from cds_service.hooks.response import Answer, CDSResponse
from cds_service.web.metrics import Metrics
from tests.unit.web.fakes import GOOD_TOKEN, HOOK_PATH, Edge, hook_request


def exposed(client: FlaskClient) -> dict[str, float]:
    """Return sample name with labels -> value."""
    text = client.get("/metrics").text
    samples = (line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, value in samples}


@pytest.mark.parametrize("outcome", ["above-cutoff", "not-above-cutoff", "indeterminate", "not-eligible"])
def test_hooks_are_counted_by_outcome(edge: Edge, client: FlaskClient, outcome: str) -> None:
    edge.service.outcome = Answer(CDSResponse(cards=()), outcome)

    for _ in range(3):
        client.post(HOOK_PATH, json=hook_request(), headers=GOOD_TOKEN)

    samples = exposed(client)
    assert samples[f'sii_cds_hooks_total{{outcome="{outcome}"}}'] == 3
    assert samples["sii_cds_hook_duration_seconds_count"] == 3
    assert samples['sii_cds_hook_duration_seconds_bucket{le="+Inf"}'] == 3
    assert not [name for name in samples if name.startswith("sii_cds_refusals_total")]


def test_refusals_are_counted_by_route_and_status(edge: Edge, client: FlaskClient) -> None:
    edge.service.outcome = DataUnavailableError(("conditions",))

    client.post(HOOK_PATH, json=hook_request(), headers=GOOD_TOKEN)
    client.post(HOOK_PATH, json=hook_request())
    client.get("/nowhere")
    client.get("/elsewhere")

    samples = exposed(client)
    assert samples[f'sii_cds_refusals_total{{route="{HOOK_PATH}",status="412"}}'] == 1
    assert samples[f'sii_cds_refusals_total{{route="{HOOK_PATH}",status="401"}}'] == 1
    assert samples['sii_cds_refusals_total{route="unmatched",status="404"}'] == 2
    assert samples["sii_cds_hook_duration_seconds_count"] == 2
    assert not [name for name in samples if name.startswith("sii_cds_hooks_total")]


def test_distrust_is_counted_by_reason_and_claimed_client(edge: Edge, client: FlaskClient) -> None:
    client.post(HOOK_PATH, json=hook_request())
    for _ in range(2):
        edge.service.outcome = ForbiddenError(reason="tenant-not-allowed", client="main-ehr")
        client.post(HOOK_PATH, json=hook_request(), headers=GOOD_TOKEN)

    samples = exposed(client)
    assert samples['sii_cds_trust_refusals_total{client="",reason="other"}'] == 1
    assert samples['sii_cds_trust_refusals_total{client="main-ehr",reason="tenant-not-allowed"}'] == 2


def test_key_sets_and_limited_addresses_are_counted_by_client() -> None:
    metrics = Metrics()
    metrics.trust.count_key_set("main-ehr", usable=True)
    metrics.trust.count_key_set("main-ehr", usable=False)
    metrics.trust.count_limited_address(None)
    metrics.trust.count_limited_address("main-ehr")

    lines = metrics.exposition().decode().splitlines()
    assert {
        'sii_cds_key_set_reads_total{client="main-ehr",result="usable"} 1.0',
        'sii_cds_key_set_reads_total{client="main-ehr",result="failed"} 1.0',
        'sii_cds_limited_addresses_total{client=""} 1.0',
        'sii_cds_limited_addresses_total{client="main-ehr"} 1.0',
    } <= set(lines)
    (read_at,) = (line for line in lines if line.startswith("sii_cds_key_set_read_timestamp_seconds{"))
    assert float(read_at.rpartition(" ")[2]) > 1_700_000_000


def test_other_routes_are_not_counted_as_hooks(client: FlaskClient) -> None:
    client.get("/cds-services")
    client.get("/livez")

    assert exposed(client)["sii_cds_hook_duration_seconds_count"] == 0


def test_applications_of_one_process_count_apart() -> None:
    first, second = Edge().application().test_client(), Edge().application().test_client()

    first.post(HOOK_PATH, json=hook_request(), headers=GOOD_TOKEN)

    assert exposed(first)["sii_cds_hook_duration_seconds_count"] == 1
    assert exposed(second)["sii_cds_hook_duration_seconds_count"] == 0


WORKER = """
import sys
from tests.unit.web.fakes import GOOD_TOKEN, HOOK_PATH, Edge, hook_request
client = Edge().application().test_client()
for _ in range(int(sys.argv[1])):
    client.post(HOOK_PATH, json=hook_request(), headers=GOOD_TOKEN)
client.post(HOOK_PATH, json=hook_request())
print(client.get("/metrics").text)
"""


def test_several_processes_are_counted_together(tmp_path: Path) -> None:
    environ = os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}

    def work(hooks: int) -> str:
        command = [sys.executable, "-c", WORKER, str(hooks)]
        return subprocess.run(command, env=environ, capture_output=True, text=True, check=True, timeout=60).stdout

    work(2)
    text = work(3)

    assert 'sii_cds_hooks_total{outcome="not-eligible"} 5.0' in text
    assert f'sii_cds_refusals_total{{route={json.dumps(HOOK_PATH)},status="401"}} 2.0' in text
    assert "sii_cds_hook_duration_seconds_count 7.0" in text
