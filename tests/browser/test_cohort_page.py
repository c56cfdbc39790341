"""The page of a cohort as a tumour board opens it: on a laptop and a telephone, light, dark and printed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from cds_service.demo.cohort_report import kept_report
from tests.browser.looks import CUT_TEXTS, OVERPRINTED_TEXTS, TEXT_SIZES
from tests.browser.pictures import keep_picture

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

    from tests.browser.conftest import Watch


LEAST_PLOTS = 5
SMALLEST_TEXT = 11.0


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The kept page as a file of its own, as somebody gets it by mail."""
    path = tmp_path_factory.mktemp("kept") / "cohort.html"
    path.write_text(kept_report(), encoding="utf-8")
    return path


@pytest.fixture(params=[(450, "light"), (450, "dark"), (1366, "light"), (1366, "dark")], ids=lambda p: f"{p[0]}-{p[1]}")
def report(request: pytest.FixtureRequest, browser: Browser, watch: Watch, kept: Path) -> Iterator[Page]:
    width, scheme = request.param
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    page.on("console", lambda message: watch.errors.append(message.text) if message.type == "error" else None)
    page.on("request", lambda asked: watch.foreign.append(asked.url))
    page.goto(kept.as_uri())
    yield page
    context.close()


def test_cohort_page_fits_reads_and_asks_nobody(report: Page, watch: Watch) -> None:
    size = report.viewport_size
    assert size is not None

    assert report.evaluate("document.documentElement.scrollWidth") <= size["width"]
    assert report.locator("svg.chart").count() >= LEAST_PLOTS
    assert min(report.evaluate(TEXT_SIZES)) >= SMALLEST_TEXT
    assert report.evaluate(CUT_TEXTS) == []
    assert report.evaluate(OVERPRINTED_TEXTS) == []
    assert watch.errors == []
    assert [url for url in watch.foreign if not url.startswith(("file:", "data:"))] == []


def test_cohort_page_axe_finds_nothing(report: Page) -> None:
    found = Axe().run(report)

    assert [(one["id"], [node["html"] for node in one["nodes"][:3]]) for one in found.response["violations"]] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_cohort_page_printed_is_dark_on_light_with_every_table(
    browser: Browser, kept: Path, scheme: Literal["light", "dark"]
) -> None:
    context = browser.new_context(color_scheme=scheme)
    page = context.new_page()
    page.goto(kept.as_uri())
    page.emulate_media(media="print", color_scheme=scheme)

    hidden = "tables => tables.filter(t => !t.checkVisibility({contentVisibilityAuto: true}) || !t.offsetHeight).length"
    assert page.locator("table").evaluate_all(hidden) == 0
    ink = page.locator("body").evaluate("element => getComputedStyle(element).color")
    assert max(map(int, re.findall(r"\d+", ink)[:3])) < 100, "ink on paper is dark"
    context.close()


def test_cohort_page_pictures_of_the_guide(browser: Browser, kept: Path) -> None:
    """Section by section what docs/cohort.md shows; SII_CDS_KEEP_PICTURES writes them anew."""
    context = browser.new_context(viewport={"width": 1000, "height": 900}, color_scheme="light")
    page = context.new_page()
    page.goto(kept.as_uri())
    answer = page.locator("section", has=page.locator("#answer"))
    expect(answer).to_contain_text("Keep the cut-off")
    plots = page.locator("#kaplan-meier-title, #incidence-title")
    expect(plots).to_have_count(2)
    keep_picture(answer, "cohort-answer.png")
    keep_picture(page.locator("div", has=page.locator("#kaplan-meier-title")).last, "cohort-time.png")
    context.close()


def test_demo_links_the_cohort_page_and_it_keeps_its_style(page: Page) -> None:
    page.goto("/")
    page.get_by_role("link", name="How the rule does on a whole cohort").click()

    expect(page.get_by_role("heading", level=1)).to_contain_text("recurrence")
    assert page.locator("svg.chart").first.evaluate("element => getComputedStyle(element).display") == "block"
