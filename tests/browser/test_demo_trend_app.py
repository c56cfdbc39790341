"""The demo plays the EHR: a newcomer clicks the link of a card and sees the trend app, by a real launch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import Page


def opened_app(page: Page, story: str) -> Page:
    """Click the card's link; return the window of the app."""
    page.goto(f"/patients/{story}")
    with page.expect_popup() as opened:
        page.get_by_role("link", name="SII over time, with every draw").click()
    opened.value.wait_for_load_state()
    return opened.value


def test_link_of_a_card_opens_the_trend_app_of_its_patient(page: Page) -> None:
    app = opened_app(page, "demo-high-after-ablation")

    assert "/smart/demo/callback" in app.url
    expect(app.locator(".banner strong")).to_have_text("Ines Demo-Almeida")
    expect(app.locator("section.verdict code").first).to_have_text("above-cutoff")
    expect(app.locator("svg.panels .mark.decides")).to_have_count(4)
    # The card that led here is among the decisions.
    expect(app.get_by_role("table", name="Earlier decisions")).to_contain_text("card")


def test_two_charts_at_a_time_show_their_own_patients(page: Page) -> None:
    first = opened_app(page, "demo-high-after-ablation")
    second = opened_app(page, "demo-counts-per-microliter")

    names = [app.locator(".banner strong").inner_text() for app in (first, second)]
    assert len(set(names)) == 2


def test_page_is_shown_once_and_wiped_when_it_is_left(page: Page) -> None:
    app = opened_app(page, "demo-high-after-ablation")

    app.reload()
    expect(app.locator("main.refused code")).to_have_text("launch-used")
    expect(app.locator("body")).not_to_contain_text("Almeida")


def test_page_does_not_come_back_with_the_back_button(page: Page) -> None:
    app = opened_app(page, "demo-high-after-ablation")

    app.goto("/livez")
    app.go_back()
    expect(app.locator("main.refused code")).to_have_text("launch-used")
    expect(app.locator("body")).not_to_contain_text("Almeida")
