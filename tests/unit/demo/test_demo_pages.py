"""The pages in every state, and what protects them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from cds_service.demo.answers import sentence
from cds_service.demo.patients import build_stories
from tests.unit.demo.conftest import NOW

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from tests.unit.demo.conftest import StandIn

STORIES = build_stories(NOW.date())
HIGH = "/patients/demo-high-after-ablation"
CARD: dict[str, Any] = {
    "uuid": "c1f0d6a4-3c8e-4a35-a9fa-8a2f3e1d7b11",
    "summary": "SII 1113.673 is above the published cut-off 405.08",
    "indicator": "warning",
    "detail": "| Input | Value |\n|---|---|\n| Platelets | 214 |\n\n<script>alert(1)</script> [x](javascript:alert(1))",
    "source": {"label": "Yu 2023", "url": "https://doi.org/10.21037/jgo-23-104"},
    "links": [
        {"label": "Model card", "url": "https://cds.example/model-card", "type": "absolute"},
        {"label": "Trap", "url": "javascript:alert(1)", "type": "absolute"},
    ],
    "overrideReasons": [{"code": "known", "system": "https://sii.example/reasons", "display": "Known <b>already</b>"}],
}
ABOVE: dict[str, Any] = {
    "outcome": "above-cutoff",
    "sii": "1113.673",
    "cutoff": 405.08,
    "basis": "absolute",
    "sampleTime": "2026-02-23T08:10:00+00:00",
    "daysFromProcedure": 89,
    "relation": "after",
    "ruleVersion": "1.0.0",
}


def answer(service: StandIn, *cards: dict[str, Any], **assessment: object) -> None:
    extension = {"extension": {"org.sii-cds.assessment": assessment}} if assessment else {}
    service.answer({"cards": list(cards)} | extension)


def page(browser: FlaskClient, path: str = HIGH) -> str:
    response = browser.get(path)
    assert response.status_code == 200
    return response.text


def assert_nothing_inline_or_external(html: str) -> None:
    assert "<script" not in html
    assert not re.search(r"<[^>]*\s(style|on\w+)\s*=", html)
    assert not re.search(r'<(link|img|iframe|form|object)[^>]*(href|src|action)="(https?:)?//', html)


def test_patients_page_lists_every_story_with_its_expected_outcome(browser: FlaskClient) -> None:
    html = page(browser, "/")
    for story in STORIES:
        assert f'href="/patients/{story.id}"' in html
        assert story.name in html
        for reason in story.expected.reasons:
            assert reason in html
    assert "Synthetic patients - demonstration only" in html
    assert_nothing_inline_or_external(html)


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.id)
def test_patient_page_opens_for_every_story(browser: FlaskClient, service: StandIn, story: Any) -> None:
    html = page(browser, f"/patients/{story.id}")
    assert story.name in html
    for event in (*story.conditions, *story.procedures):
        assert event["code"]["text"] in html
    assert_nothing_inline_or_external(html)
    path, request = service.received[0]
    assert path == "/cds-services/sii-recurrence-risk"
    assert request["context"]["patientId"] == story.id


def test_patient_page_card_is_shown_with_all_its_parts(browser: FlaskClient, service: StandIn) -> None:
    answer(service, CARD, **ABOVE)
    html = page(browser)
    for part in (
        'class="panel card warning"',
        "Warning</p>",
        CARD["summary"],
        "<td>214</td>",
        'href="https://doi.org/10.21037/jgo-23-104"',
        'href="https://cds.example/model-card"',
        "Known &lt;b&gt;already&lt;/b&gt;",
        'value="https://sii.example/reasons|known"',
        "89 days after the procedure",
        "This is what the story expects.",
    ):
        assert part in html


def test_patient_page_hostile_card_stays_text(browser: FlaskClient, service: StandIn) -> None:
    answer(service, CARD | {"summary": "<img src=x onerror=alert(1)>"}, **ABOVE)
    html = page(browser)
    assert_nothing_inline_or_external(html)
    assert "<img" not in html
    assert 'href="javascript' not in html
    assert "Trap (not opened by this demonstration)" in html


def test_patient_page_marks_the_judged_draw_in_its_table(browser: FlaskClient, service: StandIn) -> None:
    answer(service, CARD, **ABOVE)
    html = page(browser)
    assert html.count('<tr class="judged">') == 1


@pytest.mark.parametrize(
    ("stated", "reason"),
    [
        ("2026-02-23T08:10:00Z", "same instant, as Z"),
        ("2026-02-23T16:10:00+08:00", "same instant in another zone"),
        ("2026-02-23", "the day alone"),
    ],
)
def test_patient_page_sample_time_is_recognized(
    browser: FlaskClient, service: StandIn, stated: str, reason: str
) -> None:
    answer(service, CARD, **ABOVE | {"sampleTime": stated})
    assert page(browser).count('<tr class="judged">') == 1, reason


def test_patient_page_not_above_says_that_this_is_no_low_risk(browser: FlaskClient, service: StandIn) -> None:
    answer(service, outcome="not-above-cutoff", sii="183.220", cutoff="405.08")
    html = page(browser)
    assert "No card" in html
    assert "SII is not above the published cut-off." in html
    assert "not a finding of low risk" in html


def test_patient_page_reasons_are_explained_in_words(browser: FlaskClient, service: StandIn) -> None:
    answer(service, outcome="indeterminate", reasons=["data-absent", "stale"], exclusions={"unit-unknown": 3})
    html = page(browser)
    assert "SII could not be judged." in html
    assert sentence("stale") in html
    assert sentence("data-absent") in html
    assert f"3 × {sentence('unit-unknown')}" in html


def test_patient_page_unexpected_outcome_is_pointed_out(browser: FlaskClient, service: StandIn) -> None:
    answer(service, outcome="not-eligible", reasons=["deceased"])
    html = page(browser)
    assert "Not what this story expects" in html
    assert "outcome: expected above-cutoff, found not-eligible" in html


def test_patient_page_no_card_without_assessment_claims_nothing(browser: FlaskClient, service: StandIn) -> None:
    answer(service)
    html = page(browser)
    assert "does not say why" in html
    assert "says nothing about the risk" in html


@pytest.mark.parametrize(
    ("status", "body", "shown"),
    [
        (
            412,
            '{"resourceType": "OperationOutcome", "issue": [{"diagnostics": "bloodCounts is missing"}]}',
            "bloodCounts is missing",
        ),
        (500, "oops", "HTTP 500"),
        (200, "not json", "not a CDS Hooks response"),
    ],
)
def test_patient_page_failure_never_looks_like_no_risk(
    browser: FlaskClient, service: StandIn, status: int, body: str, shown: str
) -> None:
    service.status, service.body = status, body
    html = page(browser)
    assert 'class="panel card failure" role="alert"' in html
    assert shown in html
    assert "No card" not in html
    assert "cut-off." not in html


def test_patient_page_shows_the_chart_when_the_service_is_down(browser: FlaskClient, service: StandIn) -> None:
    service.base_url = "http://127.0.0.1:1"
    html = page(browser)
    assert "could not be reached" in html
    assert "Response: none" in html
    assert "Percutaneous microwave ablation" in html


def test_patient_page_card_without_uuid_offers_no_feedback(browser: FlaskClient, service: StandIn) -> None:
    # Requirement 154: without a card uuid the client sends nothing.
    answer(service, {key: value for key, value in CARD.items() if key != "uuid"}, **ABOVE)
    assert "<form" not in page(browser)


def test_patient_page_suggestion_can_be_accepted(browser: FlaskClient, service: StandIn) -> None:
    suggestion = {"label": "Shorter interval", "uuid": "5d2c2c1e-54b8-4f7a-8b9d-1f1f2a5b7c33"}
    answer(service, CARD | {"suggestions": [suggestion], "selectionBehavior": "any"}, **ABOVE)
    html = page(browser)
    assert "Accept: Shorter interval" in html
    assert suggestion["uuid"] in html


def test_unknown_patient_is_404(browser: FlaskClient, service: StandIn) -> None:
    response = browser.get("/patients/demo-nobody")
    assert response.status_code == 404
    assert service.received == []


@pytest.mark.parametrize("path", ["/", HIGH, "/patients/demo-nobody", "/demo-static/demo.css"])
def test_every_answer_carries_the_security_headers(browser: FlaskClient, path: str) -> None:
    with browser.get(path) as response:
        policy = response.headers["Content-Security-Policy"]
        assert response.headers["X-Content-Type-Options"] == "nosniff"
    for rule in ("default-src 'none'", "style-src 'self'", "img-src 'self' data:", "form-action 'self'"):
        assert rule in policy.split("; ")
    assert "unsafe" not in policy
