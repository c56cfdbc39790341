"""Feedback reaches the service, and a partly bad batch is refused after its good items were kept."""

import pytest
from flask.testing import FlaskClient

from cds_service.errors import AuditUnavailableError
from tests.unit.web.fakes import FEEDBACK_PATH, GOOD_TOKEN, NOW, Edge, feedback_item
from tests.unit.web.outcomes import refused_with


@pytest.mark.parametrize("count", [0, 1, 3])
def test_feedback_is_handed_over_and_answered_200(edge: Edge, client: FlaskClient, count: int) -> None:
    body = {"feedback": [feedback_item(card=str(number)) for number in range(count)]}

    response = client.post(FEEDBACK_PATH, json=body, headers=GOOD_TOKEN)

    assert (response.status_code, response.get_json()) == (200, {})
    (call,) = edge.service.calls
    assert [item.card for item in call["batch"].items] == [str(number) for number in range(count)]
    assert call["client"].name == "main-ehr"
    assert call["now"] == NOW
    assert call["request_id"] == response.headers["X-Request-Id"]


def test_feedback_partly_bad_keeps_the_good_and_names_the_bad(edge: Edge, client: FlaskClient) -> None:
    body = {"feedback": [feedback_item(), feedback_item(outcome="ignored"), feedback_item(card="")]}

    outcome = refused_with(client.post(FEEDBACK_PATH, json=body, headers=GOOD_TOKEN), 400)

    diagnostics = outcome["issue"][0]["diagnostics"]
    assert diagnostics.startswith("1 of 3 feedback items were kept.")
    assert "feedback[1]" in diagnostics
    assert "feedback[2]" in diagnostics
    assert len(edge.service.calls[0]["batch"].items) == 1


def test_feedback_many_bad_items_are_not_all_named(client: FlaskClient) -> None:
    response = client.post(FEEDBACK_PATH, json={"feedback": [{}] * 1000}, headers=GOOD_TOKEN)

    diagnostics = refused_with(response, 400)["issue"][0]["diagnostics"]
    assert "feedback[19]" in diagnostics
    assert "feedback[20]" not in diagnostics
    assert "and 980 more" in diagnostics
    assert len(diagnostics) < 3000


def test_feedback_not_recorded_is_not_answered_as_kept(edge: Edge, client: FlaskClient) -> None:
    edge.service.outcome = AuditUnavailableError()
    body = {"feedback": [feedback_item(), {}]}

    refused_with(client.post(FEEDBACK_PATH, json=body, headers=GOOD_TOKEN), 503)
