"""What dashboard and alerts ask for is what the running service exposes, label by label."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
import requests

from tests.security.forge import EC_KID, ec_key, jwk, key_set, token
from tests.support import fhir_stub_faults as faults
from tests.support.charts import PLATELETS, draw, hook_request, observation
from tests.support.exposed_metrics import scraped
from tests.support.fhir_stub import FHIRStub, moved_to, running_stub
from tests.support.promtool import DASHBOARD, alerts, dashboard_expressions, used_metrics
from tests.support.serve_command import Serving, serving, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.charts import Json

PATH = "/cds-services/sii-recurrence-risk"
PUBLIC_URL = "http://127.0.0.1:8080"
CONFIGURATION = """\
service: {{public_url: "http://127.0.0.1:8080", timezone: Europe/Zurich}}
server: {{host: 127.0.0.1, port: 0, workers: 2}}
clients:
  - name: main-ehr
    issuer: https://ehr.hospital.example
    jwks_file: ehr-jwks.json
    fhir_servers: ["{fhir}"]
acquisition: {{max_response_bytes: {most}}}
"""
MOST_BYTES = 65_536
# Prometheus adds them to every series.
ADDED = {"instance", "job"}
# More than an address may fail before it is limited.
MANY = 100


@pytest.fixture(scope="module")
def exposed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, set[str]]]:
    """The metrics of a service that went through a bad day, each with its labels."""
    folder = tmp_path_factory.mktemp("service")
    (folder / "ehr-jwks.json").write_bytes(key_set(jwk(ec_key(), EC_KID)))
    with running_stub() as stub, serving(folder, CONFIGURATION.format(fhir=stub.url, most=MOST_BYTES)) as service:
        bad_day(service, stub)
        found: dict[str, set[str]] = {}
        for sample in scraped(service.url):
            found.setdefault(sample.name, set()).update(sample.labels)
        yield found


def bad_day(service: Serving, stub: FHIRStub) -> None:
    """Let everything happen once that has a metric of its own."""
    unknown_unit = observation(PLATELETS, 210, "Tsd./unknown")
    for request in (hook_request(), hook_request(unknown_unit, *draw(platelets=None))):
        assert post(service, PATH, request) == 200
    moved = moved_to(stub, hook_request(), "conditions", "procedures", "bloodCounts")
    assert post(service, PATH, moved) == 200
    for fault in (faults.status(403), faults.body(b" " * (2 * MOST_BYTES))):
        stub.faults = {"conditions": fault}
        assert post(service, PATH, moved) == 412
    feedback = {"card": "c", "outcome": "accepted", "outcomeTimestamp": "2026-03-09T05:30:00Z"}
    assert post(service, f"{PATH}/feedback", {"feedback": [feedback]}) == 200
    for _ in range(MANY):
        requests.post(service.url + PATH, json={}, headers={"Authorization": "Bearer none"}, timeout=10)
    configuration = service.folder / "sii-cds.yaml"
    configuration.write_text(configuration.read_text() + "rule: {}\n")
    wait_until(lambda: len(service.events("configuration applied")) == 2, "both workers reloaded")


def post(service: Serving, path: str, body: Json) -> int:
    now = int(time.time())
    times: dict[str, Any] = {"iat": now, "exp": now + 300, "aud": PUBLIC_URL + path, "jti": str(uuid4())}
    headers = {"Authorization": f"Bearer {token('ES384', **times)}"}
    return requests.post(service.url + path, json=body, headers=headers, timeout=10).status_code


def unknown(expression: str, exposed: dict[str, set[str]]) -> list[str]:
    """Name the metrics of an expression that nobody exposes, and the labels that they do not have."""
    problems = []
    for name, labels in used_metrics(expression).items():
        if name not in exposed:
            problems.append(name)
        problems += [f"{name}.{label}" for label in sorted(labels - exposed.get(name, set()) - ADDED)]
    return problems


def family(name: str) -> str:
    """Return what the parts of a histogram have in common."""
    return name.removesuffix("_bucket").removesuffix("_count").removesuffix("_sum")


def test_alerts_ask_for_what_is_exposed(exposed: dict[str, set[str]]) -> None:
    wrong = {name: unknown(rule["expr"], exposed) for name, rule in alerts().items()}

    assert {name: problems for name, problems in wrong.items() if problems} == {}


def test_dashboard_asks_for_what_is_exposed(exposed: dict[str, set[str]]) -> None:
    expressions = dashboard_expressions()

    assert len(expressions) > 20
    assert [problem for expression in expressions for problem in unknown(expression, exposed)] == []


def test_every_own_metric_is_on_the_dashboard(exposed: dict[str, set[str]]) -> None:
    shown = {family(name) for expression in dashboard_expressions() for name in used_metrics(expression)}
    own = {family(name) for name in exposed if name.startswith("sii_cds_")}

    assert own - shown <= {"sii_cds_configuration_applied_timestamp_seconds", "sii_cds_key_set_reads_total"}


def test_every_own_metric_stands_in_the_table(exposed: dict[str, set[str]]) -> None:
    table = (DASHBOARD.parents[1] / "README.md").read_text(encoding="utf-8")

    assert [name for name in exposed if name.startswith("sii_cds_") and f"`{family(name)}`" not in table] == []


@pytest.mark.parametrize(
    ("expression", "problems"),
    [
        ("sii_cds_nothing > 0", ["sii_cds_nothing"]),
        ('rate(sii_cds_hooks_total{client="a",outcom="b"}[5m])', ["sii_cds_hooks_total.outcom"]),
        ("sum by (server) (sii_cds_hooks_total)", ["sii_cds_hooks_total.server"]),
        ("sum by (instance, client) (sii_cds_hooks_total)", []),
        ("label_values(sii_cds_workers, mapping)", ["sii_cds_workers.mapping"]),
    ],
)
def test_wrong_expression_is_named(exposed: dict[str, set[str]], expression: str, problems: list[str]) -> None:
    assert unknown(expression, exposed) == problems


def test_dashboard_is_whole() -> None:
    dashboard = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    panels = [panel for panel in dashboard["panels"] if panel["type"] != "row"]
    ids = [panel["id"] for panel in dashboard["panels"]]

    assert len(ids) == len(set(ids))
    assert all(panel["title"] and panel["description"] for panel in panels), "who reads it at night needs a sentence"
    assert {panel["datasource"]["uid"] for panel in panels} == {"${datasource}"}
    cells = [
        (x, y)
        for panel in dashboard["panels"]
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    assert len(cells) == len(set(cells)), "panels overlap"
    assert max(x for x, _ in cells) < 24
