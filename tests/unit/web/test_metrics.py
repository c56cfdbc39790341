"""Metrics: what is counted, in one process and in several."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from prometheus_client import generate_latest

from cds_service.errors import AuditUnavailableError, DataUnavailableError, ForbiddenError
from cds_service.hooks.response import Answer, CDSResponse, Verdict
from cds_service.web.metrics import Metrics
from tests.unit.web.fakes import FEEDBACK_PATH, GOOD_TOKEN, HOOK_PATH, Edge, feedback_item, hook_request

HOOK_LABELS = 'client="main-ehr",mode="active",outcome="{}",service="example"'


def exposed(client: FlaskClient) -> dict[str, float]:
    """Return sample name with labels -> value."""
    text = client.get("/metrics").text
    samples = (line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, value in samples}


def test_hooks_are_counted_by_service_client_mode_and_outcome(edge: Edge, client: FlaskClient) -> None:
    for outcome in ("above-cutoff", "not-above-cutoff", "not-above-cutoff"):
        edge.service.outcome = Answer(CDSResponse(cards=()), Verdict(outcome))
        client.post(HOOK_PATH, json=hook_request(), headers=GOOD_TOKEN)

    samples = exposed(client)
    assert samples[f"sii_cds_hooks_total{{{HOOK_LABELS.format('above-cutoff')}}}"] == 1
    assert samples[f"sii_cds_hooks_total{{{HOOK_LABELS.format('not-above-cutoff')}}}"] == 2
    assert samples['sii_cds_hook_duration_seconds_count{service="example"}'] == 3
    assert not [name for name in samples if name.startswith("sii_cds_refusals_total")]


def test_reasons_and_exclusions_are_counted_one_by_one(edge: Edge, client: FlaskClient) -> None:
    verdict = Verdict("indeterminate", ("missing-platelets", "unit-unknown"), (("unit-unknown", 3), ("comparator", 1)))
    edge.service.outcome = Answer(CDSResponse(cards=()), verdict)

    for _ in range(2):
        client.post(HOOK_PATH, json=hook_request(), headers=GOOD_TOKEN)

    samples = exposed(client)
    reasons = 'client="main-ehr",outcome="indeterminate",reason="{}",service="example"'
    excluded = 'client="main-ehr",reason="{}",service="example"'
    assert samples[f"sii_cds_hook_reasons_total{{{reasons.format('missing-platelets')}}}"] == 2
    assert samples[f"sii_cds_hook_reasons_total{{{reasons.format('unit-unknown')}}}"] == 2
    assert samples[f"sii_cds_observations_excluded_total{{{excluded.format('unit-unknown')}}}"] == 6
    assert samples[f"sii_cds_observations_excluded_total{{{excluded.format('comparator')}}}"] == 2


@pytest.mark.parametrize(
    ("error", "status", "reason"),
    [
        (DataUnavailableError(("conditions",)), 412, "data-unavailable"),
        (AuditUnavailableError(), 503, "audit-unavailable"),
        (ForbiddenError(log_detail="of p1", reason="fhir-server-not-listed"), 403, "fhir-server-not-listed"),
        (KeyError("p1"), 500, "defect"),
    ],
)
def test_refused_hooks_are_counted_by_reason(
    edge: Edge, client: FlaskClient, error: Exception, status: int, reason: str
) -> None:
    edge.service.outcome = error

    client.post(HOOK_PATH, json=hook_request(), headers=GOOD_TOKEN)

    samples = exposed(client)
    labels = f'reason="{reason}",route="{HOOK_PATH}",status="{status}"'
    assert samples[f"sii_cds_refusals_total{{{labels}}}"] == 1
    assert samples['sii_cds_hook_duration_seconds_count{service="example"}'] == 1
    assert not [name for name in samples if name.startswith("sii_cds_hooks_total")]


def test_distrust_is_counted_by_reason_and_claimed_client(edge: Edge, client: FlaskClient) -> None:
    client.post(HOOK_PATH, json=hook_request())
    for _ in range(2):
        edge.service.outcome = ForbiddenError(reason="tenant-not-allowed", client="main-ehr")
        client.post(HOOK_PATH, json=hook_request(), headers=GOOD_TOKEN)

    samples = exposed(client)
    assert samples['sii_cds_trust_refusals_total{client="",reason="unauthenticated"}'] == 1
    assert samples['sii_cds_trust_refusals_total{client="main-ehr",reason="tenant-not-allowed"}'] == 2


def test_key_sets_and_limited_addresses_are_counted_by_client() -> None:
    metrics = Metrics()
    metrics.trust.count_key_set("main-ehr", usable=True)
    metrics.trust.count_key_set("main-ehr", usable=False)
    metrics.trust.count_limited_address(None)
    metrics.trust.count_limited_address("main-ehr")

    lines = generate_latest(metrics.registry).decode().splitlines()
    assert {
        'sii_cds_key_set_reads_total{client="main-ehr",result="usable"} 1.0',
        'sii_cds_key_set_reads_total{client="main-ehr",result="failed"} 1.0',
        'sii_cds_limited_addresses_total{client=""} 1.0',
        'sii_cds_limited_addresses_total{client="main-ehr"} 1.0',
    } <= set(lines)
    (read_at,) = (line for line in lines if line.startswith("sii_cds_key_set_read_timestamp_seconds{"))
    assert float(read_at.rpartition(" ")[2]) > 1_700_000_000


@pytest.mark.parametrize(
    ("method", "path", "route", "status", "reason"),
    [
        ("POST", HOOK_PATH, HOOK_PATH, 401, "unauthenticated"),
        ("GET", HOOK_PATH, "unmatched", 405, "method-not-allowed"),
        ("GET", "/patients/p1", "unmatched", 404, "unknown-path"),
    ],
)
def test_refusals_before_the_service_are_counted(
    client: FlaskClient, method: str, path: str, route: str, status: int, reason: str
) -> None:
    for _ in range(2):
        client.open(path, method=method, json={})

    labels = f'reason="{reason}",route="{route}",status="{status}"'
    assert exposed(client)[f"sii_cds_refusals_total{{{labels}}}"] == 2


def test_feedback_is_counted_by_outcome(client: FlaskClient) -> None:
    items = [feedback_item(outcome=outcome) for outcome in ("accepted", "overridden", "overridden", "ignored")]

    client.post(FEEDBACK_PATH, json={"feedback": items}, headers=GOOD_TOKEN)

    samples = exposed(client)
    assert samples['sii_cds_feedback_total{client="main-ehr",outcome="accepted",service="example"}'] == 1
    assert samples['sii_cds_feedback_total{client="main-ehr",outcome="overridden",service="example"}'] == 2
    assert len([name for name in samples if name.startswith("sii_cds_feedback_total")]) == 2


def test_readiness_is_asked_when_the_metrics_are(edge: Edge, client: FlaskClient) -> None:
    def fail() -> None:
        raise AuditUnavailableError

    edge.readiness |= {"audit": fail, "state": lambda: None}
    assert (exposed(client)['sii_cds_ready{check="audit"}'], exposed(client)['sii_cds_ready{check="state"}']) == (0, 1)
    edge.readiness["audit"] = lambda: None
    assert exposed(client)['sii_cds_ready{check="audit"}'] == 1


def test_other_routes_are_not_counted_as_hooks(client: FlaskClient) -> None:
    client.get("/cds-services")
    client.get("/livez")

    assert not [name for name in exposed(client) if name.startswith("sii_cds_hook_duration_seconds")]


def test_applications_of_one_process_count_apart() -> None:
    first, second = Edge().application().test_client(), Edge().application().test_client()

    first.post(HOOK_PATH, json=hook_request(), headers=GOOD_TOKEN)

    assert exposed(first)['sii_cds_hook_duration_seconds_count{service="example"}'] == 1
    assert 'sii_cds_hook_duration_seconds_count{service="example"}' not in exposed(second)


WORKER = """
import sys
from cds_service.web.exposition import join_workers
from tests.unit.web.fakes import GOOD_TOKEN, HOOK_PATH, Edge, hook_request
join_workers()
client = Edge().application().test_client()
for _ in range(int(sys.argv[1])):
    client.post(HOOK_PATH, json=hook_request(), headers=GOOD_TOKEN)
client.post(HOOK_PATH, json=hook_request())
print(client.get("/metrics").text)
sys.stdout.flush()
sys.stdin.read()
"""


def worker(directory: Path, hooks: int) -> "subprocess.Popen[str]":
    """Start a process that counts and then lives until its standard input ends."""
    environ = os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(directory)}
    command = [sys.executable, "-c", WORKER, str(hooks)]
    return subprocess.Popen(command, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def told(process: "subprocess.Popen[str]") -> dict[str, float]:
    """Read the metrics that a worker prints."""
    assert process.stdout is not None
    lines = iter(process.stdout.readline, "\n")
    return {name: float(value) for name, value in (ln.rsplit(" ", 1) for ln in lines if not ln.startswith("#"))}


def test_workers_alive_and_dead_are_counted_together_in_as_many_files_as_live_at_once(tmp_path: Path) -> None:
    first = worker(tmp_path, 2)
    told(first)
    second = worker(tmp_path, 3)
    told(second)
    files = {path.name for path in tmp_path.iterdir()}
    for _ in range(3):
        second.kill()
        second.communicate()
        second = worker(tmp_path, 1)
        samples = told(second)
    for process in (first, second):
        process.communicate()

    assert samples[f"sii_cds_hooks_total{{{HOOK_LABELS.format('not-eligible')}}}"] == 2 + 3 + 3 * 1
    unauthenticated = f'reason="unauthenticated",route={json.dumps(HOOK_PATH)},status="401"'
    assert samples[f"sii_cds_refusals_total{{{unauthenticated}}}"] == 5
    assert samples['sii_cds_hook_duration_seconds_count{service="example"}'] == 13
    assert {path.name for path in tmp_path.iterdir()} == files
