"""What a newcomer sees in the demo: the card, the reason why there is none, and feedback that arrives."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
import requests
from playwright.sync_api import expect

from cds_service.demo.patients import build_stories
from tests.browser.pictures import keep_picture

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from cds_service.demo.patients import PatientStory
    from tests.browser.conftest import Demo

STORIES = build_stories(datetime.now(UTC).date())
HIGH_RISK = next(story for story in STORIES if story.expected.outcome == "above-cutoff")


def open_chart(page: Page, story_id: str) -> None:
    page.goto(f"/patients/{story_id}")


def test_list_every_story_is_linked(page: Page) -> None:
    page.goto("/")
    for story in STORIES:
        expect(page.get_by_role("link", name=re.compile(re.escape(story.name))).first).to_be_visible()


def test_chart_high_risk_patient_shows_warning_card_with_value_cutoff_and_date(page: Page) -> None:
    open_chart(page, HIGH_RISK.id)
    card = page.locator(".card.warning").first
    claim = HIGH_RISK.expected
    assert claim.days_ago is not None
    day = HIGH_RISK.built_for - timedelta(days=claim.days_ago)
    expect(card).to_contain_text(f"{claim.sii:.0f}")
    expect(card).to_contain_text("405.08")
    expect(card).to_contain_text(day.isoformat())
    expect(card.get_by_role("table")).to_be_visible()
    keep_picture(page, "demo-card.png")


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.id)
def test_chart_every_story_shows_what_it_claims(page: Page, story: PatientStory) -> None:
    open_chart(page, story.id)
    expect(page.locator("h1")).to_be_visible()
    expect(page.locator("svg.panels line.limit")).to_have_count(1)
    expect(page.get_by_text("differs from", exact=False)).to_have_count(0)
    expect(page.locator(".card.failed")).to_have_count(0)


def test_dismissal_with_a_reason_reaches_the_feedback_endpoint(page: Page) -> None:
    open_chart(page, HIGH_RISK.id)
    page.get_by_label("Already considered in the follow-up plan").check()
    page.get_by_label("Comment (optional)").fill("seen in the tumor board")
    page.get_by_role("button", name="Dismiss").click()
    expect(page.get_by_role("status")).to_contain_text("HTTP 200")
    page.get_by_text("Request", exact=False).first.click()
    expect(page.locator("body")).to_contain_text("already-considered")


def test_acceptance_reaches_the_feedback_endpoint(page: Page) -> None:
    open_chart(page, HIGH_RISK.id)
    page.get_by_role("button", name="Accept").click()
    expect(page.get_by_role("status")).to_contain_text("HTTP 200")


def test_chart_by_keyboard_reaches_card_and_feedback(page: Page) -> None:
    open_chart(page, HIGH_RISK.id)
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_contain_text(re.compile("skip", re.IGNORECASE))
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.locator(":focus").inner_text() == "Dismiss":
            return
    pytest.fail("the Dismiss button cannot be reached by keyboard")


def test_pages_have_one_main_landmark_and_headings_in_order(page: Page) -> None:
    for path in ("/", f"/patients/{HIGH_RISK.id}"):
        page.goto(path)
        expect(page.get_by_role("main")).to_have_count(1)
        levels = [int(e.evaluate("e => e.tagName[1]")) for e in page.locator("h1, h2, h3, h4").all()]
        assert levels[0] == 1
        assert all(later - earlier <= 1 for earlier, later in pairwise(levels)), levels


def test_service_base_as_printed_answers_discovery_without_a_token(demo: Demo) -> None:
    answer = requests.get(demo.service, timeout=5)
    assert [service["id"] for service in answer.json()["services"]] == ["sii-recurrence-risk"]


def test_model_card_link_of_the_card_opens(page: Page) -> None:
    open_chart(page, HIGH_RISK.id)
    page.get_by_role("link", name=re.compile("model card")).first.click()
    expect(page.locator("h1")).to_be_visible()


def test_language_is_switched_by_keyboard_on_the_chart_and_all_that_it_opens_follows(page: Page) -> None:
    open_chart(page, HIGH_RISK.id)
    page.get_by_role("navigation", name="Language").get_by_role("link", name="简体中文").focus()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/zh-Hans/patients/{HIGH_RISK.id}")

    expect(page.locator("html")).to_have_attribute("lang", "zh-Hans")
    expect(page.locator("h1")).to_have_text(HIGH_RISK.name)
    card = page.locator(".card.warning")
    expect(card).to_contain_text("高于临界值405.08")
    expect(card.get_by_role("radio")).to_have_count(6)
    expect(card.get_by_label("已在随访计划中考虑")).to_be_visible()
    keep_picture(page, "demo-card-zh-hans.png")
    with page.expect_popup() as opened:
        card.get_by_role("link", name="SII变化趋势").click()
    expect(opened.value.locator("html")).to_have_attribute("lang", "zh-Hans")
    expect(opened.value.locator("svg.panels .mark.decides").first).to_be_visible()
    card.get_by_role("link", name="模型卡").click()
    expect(page.locator("html")).to_have_attribute("lang", "zh-Hans")


def test_feedback_in_the_other_language_is_taken_and_the_way_back_is_the_chart(page: Page) -> None:
    page.goto(f"/zh-Hans/patients/{HIGH_RISK.id}")
    page.get_by_label("已在随访计划中考虑").check()
    page.get_by_role("button", name="不采纳").click()
    expect(page.get_by_role("status")).to_contain_text("HTTP 200")
    page.get_by_role("link", name="English").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.locator("h1")).to_have_text(HIGH_RISK.name)
    expect(page.locator(".card.warning")).to_be_visible()


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.id)
def test_chart_every_story_agrees_in_the_other_language(page: Page, story: PatientStory) -> None:
    page.goto(f"/zh-Hans/patients/{story.id}")
    expect(page.locator(".agrees")).to_be_visible()
