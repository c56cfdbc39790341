"""Every page that people read, at 450 and 1,366 pixels, light and dark: axe finds nothing, nothing runs off."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe
from click.testing import CliRunner

from cds_service.cli.main import main
from cds_service.reports.markdown import render_detail
from tests.architecture.checkout import ROOT
from tests.browser.looks import OVERPRINTED_TEXTS
from tests.browser.test_demo_page import HIGH_RISK
from tests.support.hospital_log.judging import simulated_day
from tests.support.hospital_log.malfunctions import MALFUNCTIONS
from tests.support.hospital_log.simulation import Hospital
from tests.support.hospital_log.writing import write_log
from tests.unit.cards.situations import SITUATIONS, card_of
from tests.unit.insight.doctor.test_documentation import documented_run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import Literal

    from playwright.sync_api import Browser, Page

    from tests.browser.conftest import Demo

DAYS = 70
WINDOWS: list[tuple[int, Literal["light", "dark"]]] = list(product((450, 1366), ("light", "dark")))
REPORTS = ("monitor", "report", "doctor", "show")
CHART = f"/patients/{HIGH_RISK.id}"
PAGES = [
    root + path
    for root, language in (("", "en"), ("/zh-Hans", "zh-Hans"))
    for path in ("/", CHART, "/patients/demo-platelets-missing", f"/model-card?language={language}")
]
# Cells whose text stands in more lines than it has words: something broke inside a word, a date or a code.
BROKEN_CELLS = """() => [...document.querySelectorAll("td")].filter(cell => {
    const range = document.createRange();
    range.selectNodeContents(cell);
    const lines = new Set([...range.getClientRects()].map(line => Math.round(line.top))).size;
    return lines > cell.textContent.trim().split(/\\s+/).length;
}).map(cell => cell.textContent)"""


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of each command, of ten weeks with a malfunction."""
    folder = tmp_path_factory.mktemp("pages")
    log = folder / "audit"
    log.mkdir()
    write_log(log, [Hospital(300, 2, MALFUNCTIONS[0], DAYS - 6)], DAYS)
    commands = {
        "monitor": ("monitor", "--directory", str(log), "--until", str(simulated_day(DAYS - 1))),
        "report": ("audit", "report", "--directory", str(log)),
        "doctor": documented_run(folder),
        "show": ("audit", "show", "2", "--directory", str(log)),
    }
    for name, command in commands.items():
        answer = CliRunner().invoke(
            main, [*command, "--html", str(folder / f"{name}.html")], env={"SII_CDS_CONFIG": None}
        )
        assert answer.exit_code in {0, 1}, answer.output
    return folder


@pytest.fixture(params=WINDOWS, ids=lambda window: f"{window[0]}-{window[1]}")
def window(request: pytest.FixtureRequest, browser: Browser, demo: Demo) -> Iterator[Page]:
    width, scheme = request.param
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, base_url=demo.page)
    yield context.new_page()
    context.close()


def assert_good_for_all(page: Page) -> None:
    found = Axe().run(page)
    size = page.viewport_size
    assert [(one["id"], [node["html"] for node in one["nodes"][:3]]) for one in found.response["violations"]] == []
    assert size is not None
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    assert page.evaluate(OVERPRINTED_TEXTS) == []


@pytest.mark.parametrize("name", REPORTS)
def test_page_of_a_command_is_good_for_all(window: Page, reports: Path, name: str) -> None:
    window.goto((reports / f"{name}.html").as_uri())

    assert_good_for_all(window)
    if name == "monitor":
        days = window.locator("tbody th", has_text="2024-").all()
        assert max(day.bounding_box()["height"] for day in days if day.is_visible()) < 45, "a day breaks"  # type: ignore[index]


@pytest.mark.parametrize("path", PAGES)
def test_page_of_the_demonstration_is_good_for_all(window: Page, path: str) -> None:
    window.goto(path)

    assert_good_for_all(window)


@pytest.mark.parametrize("root", ["", "/zh-Hans"])
def test_trend_app_is_good_for_all(window: Page, root: str) -> None:
    window.goto(root + CHART)
    with window.expect_popup() as opened:
        window.locator(".card .links a[target]").click()
    opened.value.wait_for_load_state()

    assert_good_for_all(opened.value)


@pytest.mark.parametrize("width", [300, 450])
@pytest.mark.parametrize("language", ["en", "zh-Hans"])
def test_tables_of_cards_fit_a_narrow_column_and_break_at_spaces_alone(
    browser: Browser, language: str, width: int
) -> None:
    style = (ROOT / "cds_service" / "demo" / "static" / "demo.css").read_text(encoding="utf-8")
    cards = [card_of(situation, language) for situation in SITUATIONS]
    shown = "".join(
        f'<article class="panel card"><div class="detail">{render_detail(card.detail or "")}</div></article>'
        for card in cards
    )
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.set_content(f'<html lang="{language}"><style>{style}</style><body>{shown}</body></html>')

    beyond = "all => all.filter(one => one.scrollWidth > one.clientWidth + 1).length"
    assert page.locator(".scroll").count() > 0
    assert page.locator(".scroll").evaluate_all(beyond) == 0
    assert page.evaluate(BROKEN_CELLS) == []
    page.close()
