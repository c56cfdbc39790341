"""Feedback on a card: who may send it, and what of it reaches the service."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from tests.unit.demo.conftest import StandIn

FEEDBACK = "/patients/demo-high-after-ablation/feedback"
SAME_SITE = {"Sec-Fetch-Site": "same-origin"}
CARD_ID = "c1f0d6a4-3c8e-4a35-a9fa-8a2f3e1d7b11"


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({}, "neither header"),
        ({"Sec-Fetch-Site": "cross-site"}, "another site"),
        ({"Sec-Fetch-Site": "same-site"}, "another port of this machine"),
        ({"Sec-Fetch-Site": "none"}, "no page at all"),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"}, "the browser's word counts"),
        ({"Origin": "https://evil.example"}, "another origin"),
        ({"Origin": "http://localhost:81"}, "another port"),
        ({"Origin": "null"}, "opaque origin"),
    ],
)
def test_feedback_from_another_site_is_refused(
    browser: FlaskClient, service: StandIn, headers: dict[str, str], reason: str
) -> None:
    response = browser.post(FEEDBACK, data={"card": "c", "action": "dismiss"}, headers=headers)
    assert response.status_code == 403, reason
    assert service.received == []
    assert "Content-Security-Policy" in response.headers


def test_feedback_with_the_own_origin_is_taken(browser: FlaskClient, service: StandIn) -> None:
    form = {"card": "c", "action": "dismiss"}
    assert browser.post(FEEDBACK, data=form, headers={"Origin": "http://localhost"}).status_code == 200
    assert len(service.received) == 1


def test_dismissal_with_reason_and_comment_reaches_the_service(browser: FlaskClient, service: StandIn) -> None:
    form = {
        "card": CARD_ID,
        "action": "dismiss",
        "reason": "https://sii.example/reasons|known",
        "comment": "  discussed <today>  ",
    }
    response = browser.post(FEEDBACK, data=form, headers=SAME_SITE)
    assert response.status_code == 200
    assert "Card dismissed" in response.text
    assert "The service took the feedback" in response.text
    assert service.received == [
        (
            "/cds-services/sii-recurrence-risk/feedback",
            {
                "feedback": [
                    {
                        "card": CARD_ID,
                        "outcome": "overridden",
                        "overrideReason": {
                            "reason": {"system": "https://sii.example/reasons", "code": "known"},
                            "userComment": "discussed <today>",
                        },
                        "outcomeTimestamp": "2026-02-28T22:30:00Z",
                    }
                ]
            },
        )
    ]


def test_acceptance_of_a_suggestion_reaches_the_service(browser: FlaskClient, service: StandIn) -> None:
    form = {"card": CARD_ID, "action": "accept", "suggestion": "s-1"}
    assert "Card accepted" in browser.post(FEEDBACK, data=form, headers=SAME_SITE).text
    assert service.received[0][1]["feedback"][0]["acceptedSuggestions"] == [{"id": "s-1"}]


def test_acceptance_req_148_of_a_card_that_only_informs_claims_no_suggestion(
    browser: FlaskClient, service: StandIn
) -> None:
    response = browser.post(FEEDBACK, data={"card": "c", "action": "accept"}, headers=SAME_SITE)
    assert response.status_code == 200
    item = service.received[0][1]["feedback"][0]
    assert item["outcome"] == "accepted"
    assert "acceptedSuggestions" not in item


def test_feedback_the_service_refuses_is_reported_as_not_recorded(browser: FlaskClient, service: StandIn) -> None:
    service.answer({"resourceType": "OperationOutcome", "issue": [{"diagnostics": "audit is down"}]}, 503)
    response = browser.post(FEEDBACK, data={"card": "c", "action": "dismiss"}, headers=SAME_SITE)
    assert response.status_code == 502
    assert "<strong>Your answer was not recorded.</strong>" in response.text
    assert "audit is down" in response.text
    assert "The service took the feedback" not in response.text


@pytest.mark.parametrize(
    ("form", "reason"),
    [
        ({"action": "dismiss"}, "no card"),
        ({"card": "c"}, "no action"),
        ({"card": "c", "action": "other"}, "unknown action"),
        ({"card": "c" * 301, "action": "dismiss"}, "card id too long"),
        ({"card": "c", "action": "dismiss", "comment": "x" * 501}, "comment too long"),
    ],
)
def test_feedback_form_that_no_page_sends_is_400(
    browser: FlaskClient, service: StandIn, form: dict[str, str], reason: str
) -> None:
    response = browser.post(FEEDBACK, data=form, headers=SAME_SITE)
    assert response.status_code == 400, reason
    assert service.received == []


def test_feedback_for_an_unknown_patient_is_404(browser: FlaskClient) -> None:
    form = {"card": "c", "action": "dismiss"}
    assert browser.post("/patients/nobody/feedback", data=form, headers=SAME_SITE).status_code == 404
