"""A hook that waited for its turn as long as a hook may take is refused before its body is looked at."""

import io
from dataclasses import replace

import pytest
from werkzeug.test import Client

from cds_service.web.application import build_application
from cds_service.web.ports import Running
from tests.unit.web.fakes import GOOD_TOKEN, HOOK_PATH, NOW, Edge, encoded, hook_request
from tests.unit.web.outcomes import refused_with

HEADERS = GOOD_TOKEN | {"Content-Type": "application/json"}


class QueuedInput(io.BytesIO):
    """What the gate hands to the application: a body that knows how long its request waited."""

    waited_seconds = 0.0


@pytest.mark.parametrize(
    ("waited", "status", "reason"),
    [
        (0.0, 200, "at once"),
        (1.99, 200, "there is time left"),
        (2.0, 503, "no time is left"),
        (60.0, 503, "the caller has gone long ago"),
    ],
)
def test_hook_that_waited_past_its_deadline_is_refused(waited: float, status: int, reason: str) -> None:
    edge = Edge()
    running = Running(replace(edge.parts(), hook_deadline_seconds=2.0), now=lambda: NOW, new_uuid=edge.next_id)
    body = QueuedInput(encoded(hook_request()))
    body.waited_seconds = waited
    response = Client(build_application(running)).post(
        HOOK_PATH,
        headers=HEADERS,
        environ_overrides={"wsgi.input": body, "CONTENT_LENGTH": str(len(body.getvalue()))},
    )

    assert response.status_code == status, reason
    assert bool(edge.service.calls) == (status == 200), reason
    if status == 503:
        assert refused_with(response, 503)["issue"][0]["code"] == "throttled"
