"""Who may ask which route, and for which address a token must have been made."""

from dataclasses import replace

import pytest
from flask.testing import FlaskClient

from cds_service import errors
from cds_service.web.application import build_application
from cds_service.web.authentication import ClientView, LaunchView, OpenView, PublicView
from tests.unit.web.fakes import FEEDBACK_PATH, GOOD_TOKEN, HOOK_PATH, NOW, PUBLIC_URL, Edge, FakeService, hook_request
from tests.unit.web.outcomes import refused_with

ACCESS = {
    "/cds-services": OpenView,
    HOOK_PATH: ClientView,
    FEEDBACK_PATH: ClientView,
    "/livez": PublicView,
    "/readyz": PublicView,
    "/metrics": PublicView,
    "/model-card": PublicView,
    "/openapi.json": PublicView,
    "/smart/<client>/launch": LaunchView,
    "/smart/<client>/callback": LaunchView,
    "/smart/<client>/jwks.json": LaunchView,
}


def test_routes_every_one_declares_who_may_ask(edge: Edge) -> None:
    app = edge.application()

    declared = {rule.rule: type(app.view_functions[rule.endpoint]) for rule in app.url_map.iter_rules()}

    assert declared == ACCESS


@pytest.mark.parametrize("path", [path for path, view in ACCESS.items() if view in (PublicView, OpenView)])
def test_public_route_without_token_is_answered(client: FlaskClient, path: str) -> None:
    assert client.get(path).status_code == 200
    assert client.head(path).status_code == 200


@pytest.mark.parametrize("path", [HOOK_PATH, FEEDBACK_PATH])
def test_client_route_without_token_is_refused(edge: Edge, client: FlaskClient, path: str) -> None:
    response = client.post(path, json=hook_request())

    refused_with(response, 401)
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert edge.service.calls == []


@pytest.mark.parametrize("path", [HOOK_PATH, FEEDBACK_PATH])
def test_token_is_checked_for_the_public_address(edge: Edge, client: FlaskClient, path: str) -> None:
    headers = GOOD_TOKEN | {"Host": "evil.example", "X-Forwarded-Host": "evil.example"}

    client.post(path, json=hook_request(), headers=headers)

    assert edge.authenticator.endpoint_urls == [PUBLIC_URL + path]
    assert edge.authenticator.times == [NOW]


def test_discovery_with_bad_token_is_refused(client: FlaskClient) -> None:
    refused_with(client.get("/cds-services", headers={"Authorization": "Bearer bad"}), 401)


def test_unauthorized_bodies_are_identical(client: FlaskClient) -> None:
    answers = [
        client.post(path, json=hook_request(), headers=headers)
        for path in (HOOK_PATH, FEEDBACK_PATH)
        for headers in ({}, {"Authorization": "Bearer bad"}, {"Authorization": "Basic eDp5"}, {"Authorization": ""})
    ]
    answers.append(client.get("/cds-services", headers={"Authorization": "Bearer bad"}))

    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.data for answer in answers}) == 1


def test_two_authorization_headers_are_not_taken_for_one(client: FlaskClient) -> None:
    headers = [("Authorization", "Bearer good"), ("Authorization", "Bearer good")]

    refused_with(client.post(HOOK_PATH, json=hook_request(), headers=headers), 401)


def test_method_and_path_come_before_authentication(edge: Edge, client: FlaskClient) -> None:
    refused_with(client.get(HOOK_PATH), 405)
    refused_with(client.post("/cds-services/unknown", json={}), 404)

    assert edge.authenticator.endpoint_urls == []


def test_service_gets_client_clock_and_request_id(edge: Edge, client: FlaskClient) -> None:
    response = client.post(HOOK_PATH, json=hook_request(), headers=GOOD_TOKEN)

    (call,) = edge.service.calls
    assert call["client"].name == "main-ehr"
    assert call["now"] == NOW
    assert call["request_id"] == response.headers["X-Request-Id"]
    assert call["new_uuid"] == edge.next_id
    assert response.get_json() == {"cards": []}
    assert response.headers["Content-Type"] == "application/json"


def test_reload_takes_effect_at_the_next_request(edge: Edge) -> None:
    running = edge.running()
    client = build_application(running).test_client()
    other = FakeService(outcome=errors.AuditUnavailableError())
    running.parts = replace(running.parts, services={"example": other})

    refused_with(client.post(HOOK_PATH, json=hook_request(), headers=GOOD_TOKEN), 503)
    assert edge.service.calls == []
    assert len(other.calls) == 1


@pytest.mark.parametrize(
    ("method", "path", "status", "reason"),
    [
        ("GET", "/cds-services/", 200, "a slash at the end of what was typed in"),
        ("GET", "//cds-services", 200, "a base address with a slash at its end"),
        ("GET", "///cds-services//", 200, "both"),
        ("POST", f"/{HOOK_PATH}", 401, "the same for a hook"),
        ("POST", HOOK_PATH.replace("/example", "//example"), 401, "at the other joint"),
        ("POST", f"{HOOK_PATH}/", 404, "an EHR registers the address of a service to the letter"),
        ("POST", f"{HOOK_PATH}//feedback", 401, "before feedback"),
        ("GET", "//metrics", 404, "a proxy that keeps /metrics inside need not know this spelling"),
        ("GET", "/metrics/", 404, "nor this one"),
        ("GET", "//livez", 404, "every page but those of CDS Hooks has one spelling"),
        ("GET", "/model-card/", 404, "the same"),
        ("GET", "/cds-services/../metrics", 404, "dots are no way either"),
        ("GET", "//", 404, "nothing is there"),
    ],
)
def test_slashes_too_many_are_answered_alike(
    client: FlaskClient, method: str, path: str, status: int, reason: str
) -> None:
    # Past the client library, which takes what follows "//" for a host.
    assert client.open("/", method=method, json={}, environ_overrides={"PATH_INFO": path}).status_code == status, reason


def test_discovery_with_a_slash_is_the_same_page(client: FlaskClient) -> None:
    assert client.get("/cds-services/").data == client.get("/cds-services").data
