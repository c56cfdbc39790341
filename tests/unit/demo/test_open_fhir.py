"""The demo's open FHIR server: what a page of another origin, such as the CDS Hooks sandbox, can read there."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from fhir.resources.R4B.bundle import Bundle
from fhir.resources.R4B.capabilitystatement import CapabilityStatement
from flask import Flask

from cds_service.acquisition.queries import site_queries
from cds_service.demo.open_fhir import OPEN_FHIR_PATH, open_fhir
from cds_service.demo.patients import build_stories
from fhir_mappings import load_mappings

if TYPE_CHECKING:
    from flask.testing import FlaskClient

STORIES = build_stories(date(2026, 3, 1))
STORY = STORIES[0]


@pytest.fixture
def client() -> FlaskClient:
    app = Flask(__name__)
    app.register_blueprint(open_fhir(lambda: STORIES))
    return app.test_client()


def resources(bundle: dict[str, Any]) -> list[Any]:
    return [entry["resource"] for entry in bundle["entry"]]


def test_metadata_is_a_capability_statement_of_r4(client: FlaskClient) -> None:
    answer = client.get(f"{OPEN_FHIR_PATH}/metadata")

    CapabilityStatement.model_validate(answer.json)
    assert answer.json is not None
    assert answer.json["fhirVersion"] == "4.0.1"


def test_patients_are_listed_and_read(client: FlaskClient) -> None:
    listed = client.get(f"{OPEN_FHIR_PATH}/Patient").json
    assert listed is not None
    Bundle.model_validate(listed)

    assert resources(listed) == [story.patient for story in STORIES]
    assert client.get(f"{OPEN_FHIR_PATH}/Patient/{STORY.id}").json == STORY.patient
    found = client.get(f"{OPEN_FHIR_PATH}/Patient", query_string={"_id": STORY.id}).json
    assert found is not None
    assert resources(found) == [STORY.patient]


@pytest.mark.parametrize("by_form", [True, False], ids=["posted form", "query"])
def test_every_prefetch_template_of_discovery_is_answered(client: FlaskClient, by_form: bool) -> None:
    expected = {
        "bloodCounts": STORY.blood_counts,
        "albumin": STORY.albumin,
        "conditions": STORY.conditions,
        "procedures": STORY.procedures,
    }
    for key, query in site_queries(load_mappings()).items():
        if key not in expected:
            continue
        kind, _, search = query.template().replace("{{context.patientId}}", STORY.id).partition("?")
        fields = dict(part.split("=", 1) for part in search.split("&"))
        path = f"{OPEN_FHIR_PATH}/{kind}"

        answer = client.post(f"{path}/_search", data=fields) if by_form else client.get(path, query_string=fields)

        assert answer.json is not None, key
        assert resources(answer.json) == list(expected[key]), key


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("/Patient/nobody", "no such patient"),
        ("/Condition?patient=nobody", "no such patient"),
        (f"/MedicationRequest?patient={STORY.id}", "no chart holds it"),
        ("/Condition", "nobody is named"),
    ],
)
def test_what_is_not_there_is_404(client: FlaskClient, path: str, why: str) -> None:
    assert client.get(OPEN_FHIR_PATH + path).status_code == 404, why


@pytest.mark.parametrize("method", ["GET", "OPTIONS"])
def test_any_page_may_read(client: FlaskClient, method: str) -> None:
    headers = {"Origin": "https://sandbox.example", "Access-Control-Request-Method": "GET"}
    answer = client.open(f"{OPEN_FHIR_PATH}/Patient", method=method, headers=headers)

    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "Content-Type" in answer.headers["Access-Control-Allow-Headers"]


def test_nothing_can_be_written(client: FlaskClient) -> None:
    assert client.post(f"{OPEN_FHIR_PATH}/Patient", json=STORY.patient).status_code == 405
