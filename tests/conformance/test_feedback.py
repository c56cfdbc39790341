"""The feedback endpoint (requirements 105, 142-156)."""

from typing import Any

import pytest

from tests.conformance.conftest import FEEDBACK, Service, Site
from tests.conformance.invariants import broken_invariants
from tests.conformance.outcomes import refused
from tests.support.charts import Json, hook_request

REASON = {"code": "already-known", "system": "https://ehr.example/reasons"}
OLD_SANDBOX: Json = {"overrideReason": REASON}
EPIC: Json = {"overrideReasons": {"reason": REASON | {"display": "Known"}, "userComment": "seen"}}
EPIC_EXTENSION: Json = {
    "overrideReasons": {"extension": {"com.epic.cdshooks.feedback.overrideReason.reasonCategory": "1"}}
}

COUNTED = "sii_cds_feedback_total{"


def item(**changes: Any) -> Json:
    return {
        "card": "4e0a3a1e-3562-4dd9-8b5e-0f4d0d0c3a51",
        "outcome": "overridden",
        "outcomeTimestamp": "2026-11-23T10:05:31Z",
    } | changes


def without(name: str) -> Json:
    return {member: value for member, value in item().items() if member != name}


def test_requirement_142_146_feedback_on_a_card_is_taken(service: Service) -> None:
    (card,) = service.cards(hook_request())

    response = service.send_feedback(item(card=card["uuid"]))

    assert (response.status_code, response.get_json()) == (200, {})


@pytest.mark.parametrize("card", ["4e0a3a1e-3562-4dd9-8b5e-0f4d0d0c3a51", "123456", "urn:uuid:x"])
def test_requirement_146_unknown_card_is_taken(service: Service, card: str) -> None:
    assert service.send_feedback(item(card=card)).status_code == 200


@pytest.mark.parametrize("body", [{}, [], "x", 7, {"feedback": None}, {"feedback": {}}, {"feedback": "x"}])
def test_requirement_144_body_without_feedback_array_is_refused(service: Service, body: Any) -> None:
    refused(service.http.post(FEEDBACK, json=body), 400)


def test_requirement_144_empty_array_is_taken(service: Service) -> None:
    assert service.send_feedback().status_code == 200


@pytest.mark.parametrize(("number", "kept"), [(1_000, 1_000), (1_001, 0)])
def test_batch_of_more_than_a_thousand_items_is_refused_as_a_whole(site: Site, number: int, kept: int) -> None:
    service = site()

    answer = service.send_feedback(*(item() for _ in range(number)))

    lines = [line for line in service.http.get("/metrics").text.splitlines() if line.startswith(COUNTED)]
    assert answer.status_code == (200 if kept else 400)
    assert [line.rpartition(" ")[2] for line in lines] == ([f"{kept}.0"] if kept else [])


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"card": "x" * 257}, "no card has such an id"),
        ({"acceptedSuggestions": [{"id": "x" * 257}]}, "nor a suggestion"),
        ({"acceptedSuggestions": [{"id": "x"}] * 101}, "nor a card so many"),
    ],
)
def test_item_that_would_make_a_long_record_is_refused(service: Service, members: Json, reason: str) -> None:
    outcome = refused(service.send_feedback(item(**members)), 400)

    assert "feedback[0]" in outcome["issue"][0]["diagnostics"], reason


@pytest.mark.parametrize("value", [None, "", " ", 7, [], {}])
def test_requirement_146_card_of_wrong_form_is_refused(service: Service, value: Any) -> None:
    outcome = refused(service.send_feedback(item(card=value)), 400)

    assert "feedback[0]" in outcome["issue"][0]["diagnostics"]


@pytest.mark.parametrize("name", ["card", "outcome", "outcomeTimestamp"])
def test_requirement_146_147_152_missing_member_is_refused(service: Service, name: str) -> None:
    refused(service.send_feedback(without(name)), 400)


@pytest.mark.parametrize(
    ("outcome", "broken"),
    [("ignored", True), ("ACCEPTED", True), ("", True), ("accepted", False), ("overridden", False)],
)
def test_requirement_147_outcome_is_judged_as_by_the_invariant(service: Service, outcome: str, broken: bool) -> None:
    sent = item(outcome=outcome, acceptedSuggestions=[{"id": "s1"}])

    response = service.send_feedback(sent)

    assert ("cds-fb-1 at $.feedback[0]" in broken_invariants("feedback", {"feedback": [sent]})) is broken
    if broken:
        refused(response, 400)
    else:
        assert response.status_code == 200


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"outcome": "overridden"}, "nothing was accepted"),
        ({"outcome": "accepted", "acceptedSuggestions": [{"id": "s1"}]}, "as the text asks"),
        ({"outcome": "accepted"}, "a card without suggestions can only be accepted as a whole; recorded, not refused"),
    ],
)
def test_requirement_148_accepted_suggestions_are_read(service: Service, changes: Json, reason: str) -> None:
    assert service.send_feedback(item(**changes)).status_code == 200, reason


def test_requirement_149_several_suggestions_are_taken(service: Service) -> None:
    suggestions = [{"id": "s1"}, {"id": "s2"}]

    assert service.send_feedback(item(outcome="accepted", acceptedSuggestions=suggestions)).status_code == 200


@pytest.mark.parametrize("value", [[{}], [{"id": 7}], [{"id": None}], ["s1"], {"id": "s1"}, "s1"])
def test_requirement_149_suggestion_without_id_is_refused(service: Service, value: Any) -> None:
    refused(service.send_feedback(item(outcome="accepted", acceptedSuggestions=value)), 400)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, "no reason"),
        ({"overrideReason": {"reason": REASON}}, "reason alone"),
        ({"overrideReason": {"userComment": "Known to the team"}}, "comment alone"),
        ({"overrideReason": {"reason": REASON, "userComment": "Known"}}, "both"),
        ({"overrideReason": {"reason": {"code": "x"}}}, "the sandbox leaves the system out if it does not know it"),
        (OLD_SANDBOX, "flat form of the older sandbox"),
        (EPIC, "plural name of Epic's documentation"),
        (EPIC_EXTENSION, "extension only, as Epic sends it"),
    ],
)
def test_requirement_150_156_override_with_any_kind_of_reason_is_taken(
    service: Service, changes: Json, reason: str
) -> None:
    assert service.send_feedback(item(**changes)).status_code == 200, reason


def test_requirement_105_reason_the_service_never_sent_is_taken(service: Service) -> None:
    foreign = {"reason": {"code": "of-the-client", "system": "https://ehr.example/own"}}

    assert service.send_feedback(item(overrideReason=foreign)).status_code == 200


@pytest.mark.parametrize(
    "stamp",
    ["2026-11-23T10:05:31Z", "2026-11-23T10:05:31.123456Z", "2026-11-23T10:05:31+00:00", "2026-11-23t10:05:31z"],
)
def test_requirement_152_timestamp_of_rfc_3339_is_taken(service: Service, stamp: str) -> None:
    assert service.send_feedback(item(outcomeTimestamp=stamp)).status_code == 200


@pytest.mark.parametrize(
    "stamp",
    ["2026-11-23", "2026-11-23T10:05:31", "2026-11-23T10:05Z", "20261123T100531Z", "2026-13-01T00:00:00Z", "now", 1.5],
)
def test_requirement_152_timestamp_of_other_form_is_refused(service: Service, stamp: Any) -> None:
    refused(service.send_feedback(item(outcomeTimestamp=stamp)), 400)


def test_requirement_153_batches_and_repetitions_are_taken(service: Service) -> None:
    accepted = item(outcome="accepted", acceptedSuggestions=[{"id": "s1"}])

    assert service.send_feedback(item(), item(), accepted).status_code == 200
    assert service.send_feedback(item(), item(), accepted).status_code == 200


def test_requirement_153_bad_item_of_a_batch_is_named_by_position(service: Service) -> None:
    outcome = refused(service.send_feedback(item(), item(outcome="x"), item()), 400)

    assert outcome["issue"][0]["diagnostics"].startswith("2 of 3 feedback items were kept. Not kept: feedback[1]")
