"""Browser-based clients (requirement 182)."""

import pytest

from tests.conformance.conftest import DISCOVERY, FEEDBACK, ORIGIN, SERVICE, Service
from tests.support.charts import hook_request

ALLOW = "Access-Control-Allow-Origin"


@pytest.mark.parametrize(("path", "method"), [(DISCOVERY, "GET"), (SERVICE, "POST"), (FEEDBACK, "POST")])
def test_requirement_182_preflight_is_answered_without_token(service: Service, path: str, method: str) -> None:
    headers = {
        "Origin": ORIGIN,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "authorization, content-type",
    }

    response = service.http.options(path, headers=headers)

    assert 200 <= response.status_code < 300
    assert response.headers[ALLOW] == ORIGIN
    assert method in response.headers["Access-Control-Allow-Methods"]
    allowed = {name.strip().lower() for name in response.headers["Access-Control-Allow-Headers"].split(",")}
    assert allowed >= {"authorization", "content-type"}


@pytest.mark.parametrize(("origin", "allowed"), [(ORIGIN, True), ("https://evil.example", False), ("null", False)])
def test_requirement_182_answers_of_every_status_name_allowed_origins_only(
    service: Service, origin: str, allowed: bool
) -> None:
    headers = {"Origin": origin}
    answers = [
        service.http.get(DISCOVERY, headers=headers),
        service.ask(hook_request(), headers=headers),
        service.ask({}, headers=headers),
        service.ask(hook_request(without=("conditions",)), headers=headers),
        service.http.get(SERVICE, headers=headers),
        service.http.get("/unknown", headers=headers),
    ]

    assert [answer.status_code for answer in answers] == [200, 200, 400, 412, 405, 404]
    assert all((answer.headers.get(ALLOW) == origin) is allowed for answer in answers)
    assert all(allowed or ALLOW not in answer.headers for answer in answers)
    assert all("Origin" in answer.headers["Vary"] for answer in answers)
