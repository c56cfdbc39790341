"""Pages of configured origins may read every answer; other pages may read none."""

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from cds_service.errors import DataUnavailableError
from tests.unit.web.fakes import FEEDBACK_PATH, GOOD_TOKEN, HOOK_PATH, ORIGIN, Edge, hook_request

FOREIGN_ORIGINS = [
    ("https://evil.example", "another host"),
    ("https://ehr.hospital.example.evil.example", "a longer name"),
    ("http://ehr.hospital.example", "another scheme"),
    ("https://ehr.hospital.example:8443", "another port"),
    ("https://EHR.hospital.example", "browsers send lower case"),
    ("null", "a sandboxed page"),
    ("*", "no origin"),
    ("", "no origin"),
]

REQUESTS = [
    ("GET", "/cds-services", 200),
    ("HEAD", "/cds-services", 200),
    ("POST", HOOK_PATH, 401),
    ("POST", FEEDBACK_PATH, 401),
    ("GET", HOOK_PATH, 405),
    ("GET", "/nowhere", 404),
    ("GET", "/livez", 200),
    ("GET", "/readyz", 200),
    ("GET", "/model-card", 200),
    ("GET", "/metrics", 200),
]


def preflight(client: FlaskClient, path: str, origin: str) -> TestResponse:
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    return client.options(path, headers=headers)


@pytest.mark.parametrize("path", ["/cds-services", HOOK_PATH, FEEDBACK_PATH, "/readyz", "/nowhere"])
def test_preflight_of_allowed_origin_is_answered_without_token(client: FlaskClient, path: str) -> None:
    response = preflight(client, path, ORIGIN)

    assert response.status_code == 204
    assert response.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert response.headers["Access-Control-Allow-Methods"] == "GET, HEAD, POST"
    assert response.headers["Access-Control-Allow-Headers"] == "authorization,content-type"
    assert "Access-Control-Allow-Credentials" not in response.headers
    assert "Origin" in response.headers["Vary"]


@pytest.mark.parametrize(
    ("asked", "allowed", "reason"),
    [
        ("authorization,content-type,traceparent", "authorization,content-type,traceparent", "tracing of a browser"),
        ("x-requested-with, baggage", "x-requested-with, baggage", "with a space"),
        (None, "Authorization, Content-Type", "none is asked for"),
        ("", "Authorization, Content-Type", "empty"),
        ("a b", "Authorization, Content-Type", "no header name"),
        ("a,,b", "Authorization, Content-Type", "nor is this a list of them"),
        (",".join(["x"] * 100), "Authorization, Content-Type", "more than any page sends"),
    ],
)
def test_preflight_of_allowed_origin_allows_the_headers_it_asks_for(
    client: FlaskClient, asked: str | None, allowed: str, reason: str
) -> None:
    headers = {"Origin": ORIGIN, "Access-Control-Request-Method": "POST"}
    if asked is not None:
        headers["Access-Control-Request-Headers"] = asked

    response = client.options(HOOK_PATH, headers=headers)

    assert response.headers["Access-Control-Allow-Headers"] == allowed, reason
    assert {"Origin", "Access-Control-Request-Headers"} <= {*response.headers["Vary"].split(", ")}


@pytest.mark.parametrize(("origin", "reason"), FOREIGN_ORIGINS)
@pytest.mark.parametrize("path", ["/cds-services", HOOK_PATH, FEEDBACK_PATH])
def test_preflight_of_other_origin_allows_nothing(client: FlaskClient, path: str, origin: str, reason: str) -> None:
    response = preflight(client, path, origin)

    assert not [name for name, _ in response.headers if name.startswith("Access-Control")], reason


@pytest.mark.parametrize(("method", "path", "status"), REQUESTS)
def test_answer_to_allowed_origin_can_be_read(client: FlaskClient, method: str, path: str, status: int) -> None:
    response = client.open(path, method=method, headers={"Origin": ORIGIN})

    assert response.status_code == status
    assert response.headers.getlist("Access-Control-Allow-Origin") == [ORIGIN]
    assert "X-Request-Id" in response.headers["Access-Control-Expose-Headers"]
    assert "Origin" in response.headers["Vary"]


@pytest.mark.parametrize(("outcome", "status"), [(KeyError("x"), 500), (DataUnavailableError(("conditions",)), 412)])
def test_failure_to_allowed_origin_can_be_read(
    edge: Edge, client: FlaskClient, outcome: Exception, status: int
) -> None:
    edge.service.outcome = outcome

    response = client.post(HOOK_PATH, json=hook_request(), headers=GOOD_TOKEN | {"Origin": ORIGIN})

    assert response.status_code == status
    assert response.headers["Access-Control-Allow-Origin"] == ORIGIN


@pytest.mark.parametrize(("origin", "reason"), FOREIGN_ORIGINS)
@pytest.mark.parametrize(("method", "path", "status"), REQUESTS)
def test_answer_to_other_origin_cannot_be_read(
    client: FlaskClient, method: str, path: str, status: int, origin: str, reason: str
) -> None:
    response = client.open(path, method=method, headers={"Origin": origin})

    assert response.status_code == status
    assert "Access-Control-Allow-Origin" not in response.headers, reason
    assert "Origin" in response.headers["Vary"], "a cache must not hand this answer to an allowed origin"


def test_answer_without_origins_configured_has_no_cors_header(edge: Edge) -> None:
    edge.origins = frozenset()
    client = edge.application().test_client()

    response = client.get("/cds-services", headers={"Origin": ORIGIN})

    assert not {"Vary", "Access-Control-Allow-Origin"} & set(response.headers.keys())
    assert "Access-Control-Allow-Methods" not in preflight(client, HOOK_PATH, ORIGIN).headers


def test_vary_of_model_card_keeps_accept(client: FlaskClient) -> None:
    assert client.get("/model-card").headers["Vary"] == "Accept, Accept-Language, Origin"
