"""A report as its reader opens it: from a file, in light and dark, on paper, with nothing asked of anybody."""

from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser

from cds_service.reports.as_html import as_html
from cds_service.reports.content import Document, Section
from tests.browser.conftest import Watch
from tests.browser.looks import CUT_TEXTS, OVERPRINTED_TEXTS, TEXT_SIZES
from tests.unit.reports.samples import charts, crowded_charts, page


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(as_html(page()), encoding="utf-8")
    return path


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_report_opens_without_errors_or_requests(
    browser: Browser, report: Path, watch: Watch, scheme: Literal["light", "dark"]
) -> None:
    context = browser.new_context(color_scheme=scheme, viewport={"width": 1280, "height": 800})
    opened = context.new_page()
    opened.on("console", lambda message: watch.errors.append(message.text) if message.type == "error" else None)
    opened.on("request", lambda request: watch.foreign.append(request.url))
    opened.goto(report.as_uri())

    ink = opened.locator("svg.chart text").first.evaluate("element => getComputedStyle(element).fill")
    ground = opened.locator("body").evaluate("element => getComputedStyle(element).backgroundColor")
    assert opened.locator("svg.chart").count() == len(charts())
    assert (ground, ink) == {
        "light": ("rgb(238, 242, 245)", "rgb(77, 95, 110)"),
        "dark": ("rgb(16, 24, 30)", "rgb(164, 180, 192)"),
    }[scheme]
    # A refused style or script would be reported here: the Content-Security-Policy holds.
    assert watch.errors == []
    assert [url for url in watch.foreign if not url.startswith(("file:", "data:"))] == []
    context.close()


def test_report_narrow_window_does_not_scroll_sideways(browser: Browser, report: Path) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 800})
    opened = context.new_page()
    opened.goto(report.as_uri())

    assert opened.evaluate("document.documentElement.scrollWidth") <= 390
    context.close()


def test_report_on_paper_shows_the_tables_behind_the_charts(browser: Browser, report: Path) -> None:
    context = browser.new_context()
    opened = context.new_page()
    opened.goto(report.as_uri())
    table = opened.locator("#outcomes-table")
    assert not table.is_visible()

    opened.emulate_media(media="print")

    assert table.evaluate(
        "element => element.checkVisibility({contentVisibilityAuto: true}) && element.offsetHeight > 0"
    )
    context.close()


@pytest.mark.parametrize("width", [450, 1366])
def test_report_no_text_of_a_crowded_plot_covers_another_or_is_cut(
    browser: Browser, tmp_path: Path, width: int
) -> None:
    crowded = Section(id="crowded", title="Crowded", blocks=crowded_charts())
    (tmp_path / "crowded.html").write_text(as_html(Document(kind="K", title="T", sections=(crowded,))), "utf-8")
    context = browser.new_context(viewport={"width": width, "height": 800})
    opened = context.new_page()
    opened.goto((tmp_path / "crowded.html").as_uri())

    assert opened.locator("svg.chart").count() == len(crowded_charts())
    assert opened.evaluate(OVERPRINTED_TEXTS) == []
    assert opened.evaluate(CUT_TEXTS) == []
    context.close()


@pytest.mark.parametrize("width", [450, 1366])
def test_report_text_of_every_plot_is_at_least_11_pixels_high(browser: Browser, report: Path, width: int) -> None:
    context = browser.new_context(viewport={"width": width, "height": 800})
    opened = context.new_page()
    opened.goto(report.as_uri())

    assert min(opened.evaluate(TEXT_SIZES)) >= 11
    assert opened.evaluate(OVERPRINTED_TEXTS) == []
    context.close()
