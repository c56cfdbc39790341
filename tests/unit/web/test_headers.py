"""Headers and form of all answers."""

from dataclasses import replace

import pytest
from flask import Response
from flask.testing import FlaskClient

from cds_service.web.application import build_application
from tests.unit.web.fakes import FEEDBACK_PATH, GOOD_TOKEN, HOOK_PATH, Edge, hook_request


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/cds-services"),
        ("POST", HOOK_PATH),
        ("POST", FEEDBACK_PATH),
        ("GET", "/livez"),
        ("GET", "/readyz"),
        ("GET", "/metrics"),
        ("GET", "/model-card"),
        ("GET", "/nowhere"),
        ("PUT", "/livez"),
    ],
)
def test_security_headers_stand_on_every_answer(client: FlaskClient, method: str, path: str) -> None:
    headers = client.open(path, method=method, headers=GOOD_TOKEN, json={}).headers

    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers.getlist("Content-Security-Policy")[0].startswith("default-src 'none'; ")
    assert "Set-Cookie" not in headers
    assert "Location" not in headers


def test_security_headers_stand_on_a_defect(edge: Edge, client: FlaskClient) -> None:
    edge.service.outcome = KeyError("x")

    headers = client.post(HOOK_PATH, json=hook_request(), headers=GOOD_TOKEN).headers

    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"


def test_discovery_head_has_the_headers_of_get_and_no_body(client: FlaskClient) -> None:
    get, head = client.get("/cds-services"), client.head("/cds-services")

    assert head.status_code == 200
    assert head.data == b""
    assert head.headers["Content-Length"] == get.headers["Content-Length"] == str(len(get.data))


def test_discovery_without_services_is_an_empty_array(edge: Edge) -> None:
    running = edge.running()
    running.parts = replace(running.parts, services={})

    response = build_application(running).test_client().get("/cds-services")

    assert (response.status_code, response.get_json()) == (200, {"services": []})


@pytest.mark.parametrize(
    ("accept", "content_type", "reason"),
    [
        (None, "text/html; charset=utf-8", "no preference"),
        ("*/*", "text/html; charset=utf-8", "no preference"),
        ("text/html,application/xhtml+xml,*/*;q=0.8", "text/html; charset=utf-8", "a browser"),
        ("application/json", "application/json", "a program"),
        ("application/json;q=0.9, text/html;q=0.1", "application/json", "prefers JSON"),
        ("image/png", "text/html; charset=utf-8", "neither: a page tells more than a refusal"),
    ],
)
def test_model_card_follows_accept(client: FlaskClient, accept: str | None, content_type: str, reason: str) -> None:
    response = client.get("/model-card", headers={"Accept": accept} if accept else {})

    assert response.headers["Content-Type"] == content_type, reason
    assert "Accept" in response.headers["Vary"]
    assert "card" in response.text


def test_page_keeps_headers_of_its_own(edge: Edge) -> None:
    app = edge.application()
    own = {"Content-Security-Policy": "default-src 'self'", "Cache-Control": "max-age=60"}
    app.add_url_rule("/page", "page", lambda: Response("x", headers=own))

    headers = app.test_client().get("/page").headers

    assert headers.getlist("Content-Security-Policy") == ["default-src 'self'"]
    assert headers.getlist("Cache-Control") == ["max-age=60"]
    assert headers.getlist("X-Content-Type-Options") == ["nosniff"]


def test_answered_hook_keeps_the_connection(client: FlaskClient) -> None:
    assert "Connection" not in client.post(HOOK_PATH, json=hook_request(), headers=GOOD_TOKEN).headers


def test_refused_request_without_body_keeps_the_connection(client: FlaskClient) -> None:
    assert "Connection" not in client.get("/nowhere").headers
