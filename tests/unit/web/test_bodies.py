"""What may be sent: JSON in UTF-8 within the limit, read only from callers who may send it."""

import io
import json
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.unit.web.fakes import FEEDBACK_PATH, GOOD_TOKEN, HOOK_PATH, LIMIT, Edge, encoded, feedback_item, hook_request
from tests.unit.web.outcomes import refused_with

JSON = "application/json"


class UnreadableStream(io.RawIOBase):
    """A body that must not be touched."""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        raise AssertionError(f"{len(buffer)} bytes of the body were asked for")


class DrippingStream(io.RawIOBase):
    """Gives few bytes at a time, as a socket may."""

    def __init__(self, body: bytes) -> None:
        self._body = io.BytesIO(body)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        some = self._body.read(min(7, len(buffer)))
        buffer[: len(some)] = some
        return len(some)


@pytest.mark.parametrize(
    "content_type",
    [JSON, "application/json; charset=utf-8", 'Application/JSON;charset="UTF-8"', "application/json; x=1"],
)
def test_content_type_json_is_accepted(client: FlaskClient, content_type: str) -> None:
    response = client.post(HOOK_PATH, data=encoded(hook_request()), content_type=content_type, headers=GOOD_TOKEN)

    assert response.status_code == 200


@pytest.mark.parametrize(
    ("content_type", "reason"),
    [
        (None, "no declaration"),
        ("", "an empty one"),
        ("text/plain", "what a form of another site can send without preflight"),
        ("application/x-www-form-urlencoded", "a form"),
        ("multipart/form-data; boundary=x", "a form"),
        ("application/fhir+json", "a FHIR resource, which a hook request is not"),
        ("application/jsonp", "a longer name"),
        ("application/json; charset=utf-16", "another encoding"),
        ("application/json; charset=iso-8859-1", "another encoding"),
        ("application/json, text/plain", "two declarations joined"),
    ],
)
@pytest.mark.parametrize("path", [HOOK_PATH, FEEDBACK_PATH])
def test_content_type_other_is_refused_unread(
    client: FlaskClient, path: str, content_type: str | None, reason: str
) -> None:
    environ = {"wsgi.input": UnreadableStream(), "CONTENT_LENGTH": "100"}
    response = client.post(path, content_type=content_type, headers=GOOD_TOKEN, environ_overrides=environ)

    assert refused_with(response, 415), reason
    assert (response.headers["Accept"], response.headers["Accept-Encoding"]) == (JSON, "identity")


def test_content_encoding_is_refused(client: FlaskClient) -> None:
    headers = GOOD_TOKEN | {"Content-Encoding": "gzip"}

    response = client.post(HOOK_PATH, data=b"\x1f\x8b", content_type=JSON, headers=headers)

    refused_with(response, 415)
    assert response.headers["Accept-Encoding"] == "identity"


@pytest.mark.parametrize("path", [HOOK_PATH, FEEDBACK_PATH])
@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer bad"}])
def test_unauthenticated_body_is_not_read(client: FlaskClient, path: str, headers: dict[str, str]) -> None:
    environ = {"wsgi.input": UnreadableStream(), "CONTENT_LENGTH": "100"}

    response = client.post(path, content_type=JSON, headers=headers, environ_overrides=environ)

    refused_with(response, 401)
    assert response.headers["Connection"] == "close"


def test_declared_size_at_limit_is_read(client: FlaskClient) -> None:
    body = encoded(hook_request()).ljust(LIMIT)

    assert client.post(HOOK_PATH, data=body, content_type=JSON, headers=GOOD_TOKEN).status_code == 200


@pytest.mark.parametrize("size", [LIMIT + 1, 11 * 1024 * 1024])
def test_declared_size_above_limit_is_refused_unread(client: FlaskClient, size: int) -> None:
    environ = {"wsgi.input": UnreadableStream(), "CONTENT_LENGTH": str(size)}

    response = client.post(HOOK_PATH, content_type=JSON, headers=GOOD_TOKEN, environ_overrides=environ)

    refused_with(response, 413)
    assert response.headers["Connection"] == "close"


def chunked(stream: io.RawIOBase | io.BytesIO) -> dict[str, Any]:
    """The environment of a request in chunks: no length, and the server ends the stream."""
    return {
        "wsgi.input": stream,
        "wsgi.input_terminated": True,
        "HTTP_TRANSFER_ENCODING": "chunked",
        "CONTENT_LENGTH": "",
        "CONTENT_TYPE": JSON,
    }


def test_chunked_body_is_read_to_its_end(client: FlaskClient) -> None:
    stream = DrippingStream(encoded(hook_request()))

    response = client.post(HOOK_PATH, headers=GOOD_TOKEN, environ_overrides=chunked(stream))

    assert response.status_code == 200
    assert "Connection" not in response.headers


def test_chunked_body_above_limit_is_refused_without_reading_on(client: FlaskClient) -> None:
    stream = io.BytesIO(b" " * 11 * 1024 * 1024)

    response = client.post(HOOK_PATH, headers=GOOD_TOKEN, environ_overrides=chunked(stream))

    refused_with(response, 413)
    assert stream.tell() == LIMIT + 1
    assert response.headers["Connection"] == "close"


def test_chunked_body_without_terminating_server_is_empty(client: FlaskClient) -> None:
    environ = chunked(UnreadableStream()) | {"wsgi.input_terminated": False}

    refused_with(client.post(HOOK_PATH, headers=GOOD_TOKEN, environ_overrides=environ), 400)


def test_body_shorter_than_declared_is_refused(client: FlaskClient) -> None:
    body = encoded(hook_request())
    environ = {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body) + 1), "CONTENT_TYPE": JSON}

    refused_with(client.post(HOOK_PATH, headers=GOOD_TOKEN, environ_overrides=environ), 400)


DEEP = b"[" * 100_000 + b"]" * 100_000

NOT_JSON = [
    (b"", "empty"),
    (b" ", "blank"),
    (b"{", "cut off"),
    (b'{"hook": "patient-view",}', "trailing comma"),
    (b'{"hook": "patient-view" /* why */}', "comment"),
    (b"{'hook': 'patient-view'}", "single quotes"),
    (b"\xef\xbb\xbf{", "cut off behind a byte order mark"),
    (b'{"hook": "\xff"}', "not UTF-8"),
    ('{"hook": "x"}'.encode("utf-16"), "UTF-16"),
    (b'{"hook": "\\ud800"}', "not more than a lone surrogate"),
    (b"NaN", "a number JSON does not know"),
    (b"hook=patient-view", "a form"),
    (b"<html></html>", "a page"),
    (b'{"hook": "patient-view"} {}', "two values"),
]


@pytest.mark.parametrize(("body", "reason"), NOT_JSON)
@pytest.mark.parametrize("path", [HOOK_PATH, FEEDBACK_PATH])
def test_malformed_json_is_refused(edge: Edge, client: FlaskClient, path: str, body: bytes, reason: str) -> None:
    response = client.post(path, data=body, content_type=JSON, headers=GOOD_TOKEN)

    assert refused_with(response, 400), reason
    assert edge.service.calls == []


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(DEEP, id="whole"),
        pytest.param(encoded(hook_request())[:-1] + b', "x": ' + DEEP + b"}", id="unknown member"),
        pytest.param(encoded(hook_request())[:-1] + b', "context": ' + DEEP + b"}", id="context"),
        pytest.param(encoded(hook_request())[:-1] + b', "prefetch": {"patient": ' + DEEP + b"}}", id="prefetch"),
        pytest.param(encoded(hook_request())[:-1] + b', "fhirAuthorization": {"scope": ' + DEEP + b"}}", id="token"),
    ],
)
def test_deep_nesting_of_hook_is_refused(client: FlaskClient, body: bytes) -> None:
    response = client.post(HOOK_PATH, data=body, content_type=JSON, headers=GOOD_TOKEN)

    refused_with(response, 400)
    assert client.post(HOOK_PATH, json=hook_request(), headers=GOOD_TOKEN).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(DEEP, id="whole"),
        pytest.param(b'{"feedback": ' + DEEP + b"}", id="feedback"),
        pytest.param(b'{"feedback": [{"card": ' + DEEP + b"}]}", id="card"),
        pytest.param(b'{"feedback": [], "x": ' + DEEP + b"}", id="unknown member"),
    ],
)
def test_deep_nesting_of_feedback_is_refused(client: FlaskClient, body: bytes) -> None:
    refused_with(client.post(FEEDBACK_PATH, data=body, content_type=JSON, headers=GOOD_TOKEN), 400)


WRONG_TYPES: list[object] = [None, True, 0, -1, 1.5, 1e300, [], [1], {}, {"a": 1}, "", " "]
# By member and JSON text, since True equals 1 in Python.
TOLERATED = {
    ("prefetch", "{}"): "an empty object says that nothing was delivered",
    ("prefetch", '{"a": 1}'): "an unknown key is ignored",
    ("fhirAuthorization", "null"): "clients send null for no access",
    ("fhirAuthorization", "{}"): "without a token there is no access",
    ("fhirAuthorization", '{"a": 1}'): "without a token there is no access",
    ("fhirServer", "null"): "clients send null for no server",
    ("fhirServer", '""'): "not on any list, so never asked",
    ("fhirServer", '" "'): "not on any list, so never asked",
}


@pytest.mark.parametrize("member", ["hook", "hookInstance", "context", "prefetch", "fhirServer", "fhirAuthorization"])
@pytest.mark.parametrize("value", WRONG_TYPES, ids=json.dumps)
def test_hook_member_of_wrong_type_is_refused(client: FlaskClient, member: str, value: object) -> None:
    response = client.post(HOOK_PATH, json=hook_request(**{member: value}), headers=GOOD_TOKEN)

    reason = TOLERATED.get((member, json.dumps(value)))
    if reason:
        assert response.status_code == 200, reason
    else:
        refused_with(response, 400)


@pytest.mark.parametrize("member", ["userId", "patientId"])
@pytest.mark.parametrize("value", WRONG_TYPES, ids=json.dumps)
def test_context_member_of_wrong_type_is_refused(client: FlaskClient, member: str, value: object) -> None:
    context = {"userId": "Practitioner/1", "patientId": "p-1"} | {member: value}

    refused_with(client.post(HOOK_PATH, json=hook_request(context=context), headers=GOOD_TOKEN), 400)


@pytest.mark.parametrize("member", ["hook", "hookInstance", "context"])
def test_hook_member_missing_is_refused(client: FlaskClient, member: str) -> None:
    request = hook_request()
    del request[member]

    refused_with(client.post(HOOK_PATH, json=request, headers=GOOD_TOKEN), 400)


@pytest.mark.parametrize("value", [value for value in WRONG_TYPES if value != []], ids=json.dumps)
def test_feedback_array_of_wrong_type_is_refused(client: FlaskClient, value: object) -> None:
    refused_with(client.post(FEEDBACK_PATH, json={"feedback": value}, headers=GOOD_TOKEN), 400)


@pytest.mark.parametrize("member", ["card", "outcome", "outcomeTimestamp"])
@pytest.mark.parametrize("value", WRONG_TYPES, ids=json.dumps)
def test_feedback_member_of_wrong_type_is_refused(client: FlaskClient, member: str, value: object) -> None:
    body = {"feedback": [feedback_item(**{member: value})]}

    outcome = refused_with(client.post(FEEDBACK_PATH, json=body, headers=GOOD_TOKEN), 400)

    assert "feedback[0]" in outcome["issue"][0]["diagnostics"]
