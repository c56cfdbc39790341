"""The operational log: one line a request, and never a value that came with it."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from cds_service.errors import DataUnavailableError, ForbiddenError, UnauthenticatedError
from cds_service.hooks.response import Answer, CDSResponse, Verdict
from cds_service.web.logging import configure_logging
from tests.unit.web.fakes import FEEDBACK_PATH, GOOD_TOKEN, HOOK_PATH, Edge, encoded, feedback_item, hook_request

# In capitals, since the method of a request is written so.
MARKER = "MRN-4711-DOE"


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """Collect the log of this process, and put back what was set before."""
    root, own = logging.getLogger(), logging.getLogger("cds_service")
    handlers, root_level, own_level = root.handlers[:], root.level, own.level
    text = io.StringIO()
    root.handlers.clear()
    configure_logging(text)
    yield text
    root.handlers[:] = handlers
    root.setLevel(root_level)
    own.setLevel(own_level)


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_request_is_logged_in_one_line_with_the_outcome_that_silent_mode_hides(
    edge: Edge, client: FlaskClient, stream: io.StringIO
) -> None:
    edge.service.outcome = Answer(CDSResponse(cards=()), Verdict("indeterminate", ("stale",)))

    response = client.post(HOOK_PATH, json=hook_request(), headers=GOOD_TOKEN)

    (line,) = lines(stream)
    assert line["request_id"] == response.headers["X-Request-Id"]
    assert line["duration_ms"] >= 0
    assert line["time"].endswith("+00:00")
    expected = {
        "level": "info",
        "event": "request",
        "route": HOOK_PATH,
        "method": "POST",
        "status": 200,
        "client": "main-ehr",
        "outcome": "indeterminate",
        "reasons": ["stale"],
    }
    assert line.items() >= expected.items()


@pytest.mark.parametrize(
    ("error", "level", "detail"),
    [
        (ForbiddenError(log_detail="tenant not listed"), "warning", "tenant not listed"),
        (DataUnavailableError(("conditions",)), "warning", "unavailable: conditions"),
    ],
)
def test_refusal_is_logged_with_its_detail(
    edge: Edge, client: FlaskClient, stream: io.StringIO, error: Exception, level: str, detail: str
) -> None:
    edge.service.outcome = error

    response = client.post(HOOK_PATH, json=hook_request(), headers=GOOD_TOKEN)

    (line,) = lines(stream)
    assert (line["level"], line["detail"]) == (level, detail)
    assert line["status"] == response.status_code
    assert line["request_id"] == response.headers["X-Request-Id"]


def test_refused_token_is_logged_with_the_reason(client: FlaskClient, stream: io.StringIO) -> None:
    client.post(HOOK_PATH, json=hook_request(), headers={"Authorization": f"Bearer {MARKER}"})

    (line,) = lines(stream)
    assert line["detail"] == "signature"
    assert "client" not in line
    assert MARKER not in stream.getvalue()


def test_refusal_names_the_address_it_came_from(client: FlaskClient, stream: io.StringIO) -> None:
    client.post(HOOK_PATH, json=hook_request(), environ_overrides={"REMOTE_ADDR": "198.51.100.7"})
    client.post(HOOK_PATH, json=hook_request(), headers=GOOD_TOKEN)

    refused, answered = lines(stream)
    assert refused["address"] == "198.51.100.7"
    assert "address" not in answered


def test_refusal_of_a_flood_is_not_logged(edge: Edge, client: FlaskClient, stream: io.StringIO) -> None:
    edge.service.outcome = error = UnauthenticatedError(reason="too-many-failures")
    error.logged = False

    client.post(HOOK_PATH, json=hook_request(), headers=GOOD_TOKEN)

    assert lines(stream) == []


def test_defect_is_logged_by_type_and_frames(edge: Edge, client: FlaskClient, stream: io.StringIO) -> None:
    cause = KeyError(MARKER)
    edge.service.outcome = ValueError(f"no patient {MARKER}")
    edge.service.outcome.__cause__ = cause

    client.post(HOOK_PATH, json=hook_request(), headers=GOOD_TOKEN)

    (line,) = lines(stream)
    assert (line["level"], line["status"]) == ("error", 500)
    assert line["exception"] == "builtins.ValueError < builtins.KeyError"
    assert "fakes.py" in line["frames"][-1]
    assert line["frames"][-1].endswith(" _result")
    assert MARKER not in stream.getvalue()


MARKED_REQUESTS: list[tuple[str, str, dict[str, str], bytes]] = [
    ("GET", f"/Patient/{MARKER}", {}, b""),
    ("GET", f"/cds-services?patient={MARKER}", {}, b""),
    ("POST", f"{HOOK_PATH}/{MARKER}", {}, b""),
    (MARKER, "/livez", {}, b""),
    ("GET", "/livez", {"X-Request-Id": MARKER, "User-Agent": MARKER, "Referer": MARKER, "Origin": MARKER}, b""),
    ("POST", HOOK_PATH, {"Authorization": f"Bearer {MARKER}"}, b"{}"),
    ("POST", HOOK_PATH, GOOD_TOKEN, f'{{"hook": "{MARKER}"'.encode()),
    ("POST", HOOK_PATH, GOOD_TOKEN, f'{{"{MARKER}": 1}}'.encode()),
    ("POST", HOOK_PATH, GOOD_TOKEN, encoded(hook_request(hook=MARKER))),
    (
        "POST",
        HOOK_PATH,
        GOOD_TOKEN,
        encoded(hook_request(context={"userId": MARKER, "patientId": f"P/{MARKER}"})),
    ),
    ("POST", HOOK_PATH, GOOD_TOKEN, encoded(hook_request(prefetch=[MARKER]))),
    ("POST", HOOK_PATH, GOOD_TOKEN, encoded(hook_request(fhirAuthorization={"access_token": MARKER}))),
    ("POST", HOOK_PATH, GOOD_TOKEN, encoded(hook_request(fhirServer={MARKER: MARKER}))),
    ("POST", FEEDBACK_PATH, GOOD_TOKEN, encoded({"feedback": [feedback_item(outcome=MARKER, card=MARKER)]})),
    ("POST", FEEDBACK_PATH, GOOD_TOKEN, encoded({"feedback": [{MARKER: MARKER}]})),
    ("POST", FEEDBACK_PATH, GOOD_TOKEN, encoded({"feedback": [feedback_item(outcomeTimestamp=MARKER)]})),
]


@pytest.mark.parametrize(("method", "path", "headers", "body"), MARKED_REQUESTS)
def test_marker_is_neither_logged_nor_counted_nor_answered(
    client: FlaskClient, stream: io.StringIO, method: str, path: str, headers: dict[str, str], body: bytes
) -> None:
    answer = client.open(path, method=method, headers=headers, data=body, content_type="application/json")
    metrics = client.get("/metrics")

    assert len(lines(stream)) == 2
    assert MARKER not in stream.getvalue()
    assert MARKER not in metrics.text
    assert MARKER not in answer.text
    assert MARKER not in str(answer.headers)


def test_record_of_other_package_is_logged_without_its_words(stream: io.StringIO) -> None:
    logging.getLogger("urllib3.connectionpool").warning("Retrying /Observation?patient=%s", MARKER)
    logging.getLogger("urllib3.connectionpool").info("Starting")

    (line,) = lines(stream)
    assert line["logger"] == "urllib3.connectionpool"
    assert line["level"] == "warning"
    assert line["origin"].startswith("test_logging:")
    assert MARKER not in stream.getvalue()


def test_exception_in_own_record_is_named_without_its_message(stream: io.StringIO) -> None:
    try:
        raise ValueError(MARKER)
    except ValueError:
        logging.getLogger("cds_service.audit").exception("a record could not be sealed")

    (line,) = lines(stream)
    assert line["event"] == "a record could not be sealed"
    assert line["exception"] == "builtins.ValueError"
    assert MARKER not in stream.getvalue()


def test_record_within_a_request_carries_its_id(edge: Edge, stream: io.StringIO) -> None:
    app = edge.application()

    def log_and_pass() -> None:
        logging.getLogger("cds_service.audit").warning("slow disk")

    edge.readiness["audit"] = log_and_pass
    response = app.test_client().get("/readyz")

    first, _ = lines(stream)
    assert first["event"] == "slow disk"
    assert first["request_id"] == response.headers["X-Request-Id"]


@pytest.mark.parametrize("path", [HOOK_PATH, FEEDBACK_PATH])
@pytest.mark.parametrize(
    ("body", "detail", "reason"),
    [
        (b'{"hook": "patient-view", "secret-4711" 1}', "not JSON at byte 39", "the place, and nothing of the body"),
        (b'{"hook": "secret-4711', "not JSON: it ends early, after byte 21", "cut off by a gateway"),
        ('{"a": "secret-4711"}'.encode("utf-16"), "UTF-16 in place of UTF-8", "another encoding"),
    ],
)
def test_body_that_is_no_json_is_logged_with_its_place(
    client: FlaskClient, stream: io.StringIO, path: str, body: bytes, detail: str, reason: str
) -> None:
    client.post(path, data=body, content_type="application/json", headers=GOOD_TOKEN)

    (line,) = lines(stream)
    assert line["detail"] == detail, reason
    assert "4711" not in stream.getvalue()
