"""Every answer names its request."""

import pytest
from flask.testing import FlaskClient

from cds_service.web.ports import new_uuid
from tests.unit.web.fakes import GOOD_TOKEN, HOOK_PATH, ORIGIN, hook_request

HEADER = "X-Request-Id"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/cds-services", 200),
        ("POST", HOOK_PATH, 401),
        ("GET", "/nowhere", 404),
        ("PUT", "/livez", 405),
        ("OPTIONS", "/livez", 204),
    ],
)
def test_request_id_stands_on_every_answer(client: FlaskClient, method: str, path: str, status: int) -> None:
    response = client.open(path, method=method, headers={"Origin": ORIGIN, "Access-Control-Request-Method": "GET"})

    assert response.status_code == status
    assert response.headers[HEADER] == "00000000-0000-4000-8000-000000000000"


def test_request_ids_differ(client: FlaskClient) -> None:
    answers = [client.post(HOOK_PATH, json=hook_request(), headers=GOOD_TOKEN) for _ in range(3)]

    assert len({answer.headers[HEADER] for answer in answers}) == 3


def test_request_id_of_caller_is_not_taken_over(client: FlaskClient) -> None:
    assert client.get("/livez", headers={HEADER: "chosen"}).headers[HEADER] != "chosen"


def test_new_uuid_is_version_4_in_lower_case() -> None:
    ids = {new_uuid() for _ in range(100)}

    assert len(ids) == 100
    assert all(len(text) == 36 and text[14] == "4" and text == text.lower() for text in ids)
