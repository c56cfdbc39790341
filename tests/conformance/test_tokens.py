"""Tokens at the HTTP interface (requirements 25, 145, 160, 161). `tests/security` forges them in every other way."""

import json
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from cds_service.app import create_app
from cds_service.settings import settings_from_dict
from tests.conformance.conftest import DISCOVERY, FEEDBACK, SERVICE
from tests.conformance.outcomes import refused
from tests.security import forge
from tests.support.charts import hook_request

FEEDBACK_BODY = {
    "feedback": [{"card": "1", "outcome": "overridden", "outcomeTimestamp": "2026-03-14T01:00:00Z"}],
}
BODIES: dict[str, Any] = {SERVICE: hook_request(), FEEDBACK: FEEDBACK_BODY}


@pytest.fixture
def http(tmp_path: Path) -> FlaskClient:
    """A service that requires authentication, at the time for which tokens are made."""
    keys = {"keys": [forge.jwk(forge.ec_key(), forge.EC_KID), forge.jwk(forge.rsa_key(), forge.RSA_KID)]}
    (tmp_path / "keys.json").write_text(json.dumps(keys))
    client = {"name": "main-ehr", "issuer": forge.ISSUER, "jwks_file": "keys.json"}
    settings = settings_from_dict({"service": {"public_url": forge.PUBLIC_URL}, "clients": [client]}, tmp_path)
    return create_app(settings, now=lambda: forge.NOW).test_client()


def bearer(path: str, scheme: str = "Bearer") -> dict[str, str]:
    """The header of a new token made for a path of the service."""
    return {"Authorization": f"{scheme} {forge.token(aud=forge.PUBLIC_URL + path)}"}


def test_requirement_025_discovery_without_token_is_answered(http: FlaskClient) -> None:
    assert http.get(DISCOVERY).status_code == 200


def test_requirement_025_discovery_with_its_own_token_is_answered(http: FlaskClient) -> None:
    assert http.get(DISCOVERY, headers=bearer(DISCOVERY)).status_code == 200


@pytest.mark.parametrize("path", [SERVICE, FEEDBACK, "", "/cds-services/"])
def test_requirement_025_discovery_with_token_for_another_address_is_refused(http: FlaskClient, path: str) -> None:
    refused(http.get(DISCOVERY, headers=bearer(path)), 401)


@pytest.mark.parametrize("path", [SERVICE, FEEDBACK])
def test_requirement_145_token_for_the_endpoint_is_accepted_once(http: FlaskClient, path: str) -> None:
    headers = bearer(path)

    assert http.post(path, json=BODIES[path], headers=headers).status_code == 200
    refused(http.post(path, json=BODIES[path], headers=headers), 401)


@pytest.mark.parametrize(("path", "made_for"), [(SERVICE, FEEDBACK), (FEEDBACK, SERVICE), (SERVICE, DISCOVERY)])
def test_requirement_145_token_for_another_endpoint_is_refused(http: FlaskClient, path: str, made_for: str) -> None:
    refused(http.post(path, json=BODIES[path], headers=bearer(made_for)), 401)


@pytest.mark.parametrize("path", [SERVICE, FEEDBACK])
def test_requirement_160_call_without_token_is_refused(http: FlaskClient, path: str) -> None:
    response = http.post(path, json=BODIES[path])

    refused(response, 401)
    assert response.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_requirement_161_scheme_is_read_without_case(http: FlaskClient, scheme: str) -> None:
    assert http.post(SERVICE, json=hook_request(), headers=bearer(SERVICE, scheme)).status_code == 200


@pytest.mark.parametrize("value", ["", "Bearer", "Bearer ", "Basic eDp5", "Bearer x.y.z", "Bearer a b"])
def test_requirement_161_header_of_other_form_is_refused_alike(http: FlaskClient, value: str) -> None:
    response = http.post(SERVICE, json=hook_request(), headers={"Authorization": value})

    refused(response, 401)
    assert response.data == http.post(SERVICE, json=hook_request()).data


def test_requirement_161_two_headers_are_refused(http: FlaskClient) -> None:
    headers = [*bearer(SERVICE).items(), *bearer(SERVICE).items()]

    refused(http.post(SERVICE, json=hook_request(), headers=headers), 401)
