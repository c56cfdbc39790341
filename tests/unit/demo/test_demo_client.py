"""The demo's CDS Client: requests and feedback as the protocol wants them, failures never mistaken."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from cds_service.demo.client import (
    Answered,
    Failed,
    acceptance,
    ask,
    dismissal,
    hook_request,
    send_feedback,
)
from cds_service.demo.patients import build_stories

if TYPE_CHECKING:
    from tests.unit.demo.conftest import StandIn

STORY = build_stories(date(2026, 3, 1))[0]
AT = datetime(2026, 3, 1, 6, 30, tzinfo=ZoneInfo("Asia/Shanghai"))
REASON = ("https://sii.example/reasons", "known")
CARD: dict[str, Any] = {"summary": "SII", "indicator": "info", "source": {"label": "Yu 2023"}}


def test_hook_request_has_every_prefetch_key_as_resource_or_searchset() -> None:
    request = hook_request(STORY, "0b0d8dd0-6a1c-4b63-b1f2-3e6a5a1e6f52")
    assert request["hook"] == "patient-view"
    assert request["context"] == {"userId": "Practitioner/demo-clinician", "patientId": STORY.id}
    prefetch = request["prefetch"]
    assert prefetch["patient"]["id"] == STORY.id
    for key in ("bloodCounts", "albumin", "conditions", "procedures"):
        assert prefetch[key]["type"] == "searchset"
        assert prefetch[key]["total"] == len(prefetch[key]["entry"])


def test_acceptance_req_149_names_the_suggestion() -> None:
    item = acceptance("card-1", "suggestion-1", AT)["feedback"][0]
    assert item["acceptedSuggestions"] == [{"id": "suggestion-1"}]
    assert item["outcome"] == "accepted"


@pytest.mark.parametrize(
    ("reason", "comment", "override"),
    [
        (None, "", None),
        (REASON, "", {"reason": {"system": REASON[0], "code": REASON[1]}}),
        (None, "seen", {"userComment": "seen"}),
        (REASON, "seen", {"reason": {"system": REASON[0], "code": REASON[1]}, "userComment": "seen"}),
    ],
)
def test_dismissal_req_150_156_carries_what_the_user_said_and_nothing_empty(
    reason: tuple[str, str] | None, comment: str, override: dict[str, Any] | None
) -> None:
    item = dismissal("card-1", reason, comment, AT)["feedback"][0]
    assert item["outcome"] == "overridden"
    assert item.get("overrideReason") == override
    assert "acceptedSuggestions" not in item


def test_feedback_req_152_timestamp_is_utc() -> None:
    item = dismissal("card-1", None, "", AT)["feedback"][0]
    assert item["outcomeTimestamp"] == "2026-02-28T22:30:00Z"


def test_ask_card_is_read(service: StandIn) -> None:
    service.answer({"cards": [CARD], "extension": {"org.sii-cds.assessment": {"outcome": "above-cutoff"}}})
    exchange, result = ask(service.base_url, {"hook": "patient-view"})
    assert isinstance(result, Answered)
    assert [card.summary for card in result.cards] == ["SII"]
    assert result.assessment is not None
    assert exchange.status == 200
    assert service.received == [("/cds-services/sii-recurrence-risk", {"hook": "patient-view"})]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("", "empty body"),
        ("<html>proxy</html>", "not JSON"),
        ("{}", "no cards"),
        ('{"cards": null}', "null is not an empty list"),
        ('{"cards": [{"summary": "x", "indicator": "success", "source": {"label": "y"}}]}', "req 102"),
        ('{"cards": [{"summary": "x", "indicator": "info"}]}', "card without source"),
        ('{"cards": [], "extension": {"org.sii-cds.assessment": {}}}', "assessment without outcome"),
        ('{"cards": [], "extension": {"org.sii-cds.assessment": "none"}}', "assessment of another type"),
    ],
)
def test_ask_unreadable_answer_is_a_failure(service: StandIn, body: str, reason: str) -> None:
    service.body = body
    _, result = ask(service.base_url, {})
    assert isinstance(result, Failed), reason
    assert result.status == 200
    assert result.diagnostics, reason


@pytest.mark.parametrize("status", [400, 401, 403, 412, 500, 503])
def test_ask_refusal_carries_status_and_diagnostics(service: StandIn, status: int) -> None:
    service.answer(
        {"resourceType": "OperationOutcome", "issue": [{"diagnostics": "one"}, {"details": {"text": "two"}}]},
        status,
    )
    _, result = ask(service.base_url, {})
    assert isinstance(result, Failed)
    assert (result.status, result.diagnostics) == (status, ("one", "two"))


def test_ask_refusal_without_operation_outcome_is_still_a_failure(service: StandIn) -> None:
    service.body, service.status = "bad gateway", 502
    _, result = ask(service.base_url, {})
    assert isinstance(result, Failed)
    assert (result.status, result.diagnostics) == (502, ())


def test_ask_redirect_is_not_followed(service: StandIn) -> None:
    service.status, service.headers = 307, {"Location": f"{service.base_url}/elsewhere"}
    _, result = ask(service.base_url, {})
    assert isinstance(result, Failed)
    assert len(service.received) == 1


def test_ask_unreachable_service_is_a_failure_without_status() -> None:
    # Port 1 of loopback: nothing listens there.
    exchange, result = ask("http://127.0.0.1:1", {})
    assert isinstance(result, Failed)
    assert result.status is None
    assert exchange.status is None


def test_ask_ignores_the_proxy_of_the_environment(service: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    _, result = ask(service.base_url, {})
    assert isinstance(result, Answered)


def test_send_feedback_goes_to_the_feedback_endpoint(service: StandIn) -> None:
    _, failure = send_feedback(service.base_url, {"feedback": []})
    assert failure is None
    assert service.received == [("/cds-services/sii-recurrence-risk/feedback", {"feedback": []})]


def test_send_feedback_refused_is_a_failure(service: StandIn) -> None:
    service.status = 400
    _, failure = send_feedback(service.base_url, {"feedback": []})
    assert failure is not None
    assert failure.status == 400
