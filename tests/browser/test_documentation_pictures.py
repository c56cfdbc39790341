"""What the documentation shows of doctor, monitor and trend app: looked at each time, kept as pictures on demand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from playwright.sync_api import expect

from cds_service.cli.main import main
from tests.architecture.checkout import read, repository_files
from tests.browser.pictures import IMAGES, keep_picture
from tests.browser.test_demo_trend_app import opened_app
from tests.support.hospital_log.judging import simulated_day
from tests.support.hospital_log.malfunctions import MALFUNCTIONS
from tests.support.hospital_log.simulation import Hospital
from tests.support.hospital_log.writing import write_log
from tests.unit.insight.doctor.test_documentation import documented_run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

DAYS = 70
BROKEN = next(one for one in MALFUNCTIONS if one.name == "search of conditions fails for 1 in 20")


@pytest.fixture
def reader(browser: Browser) -> Iterator[Page]:
    """A window as wide as a page of the documentation."""
    context = browser.new_context(viewport={"width": 1000, "height": 820}, color_scheme="light")
    yield context.new_page()
    context.close()


def open_report(reader: Page, folder: Path, *command: str) -> None:
    """Run a command, which has findings to tell, with --html, and open the page."""
    file = folder / "report.html"
    answer = CliRunner().invoke(main, [*command, "--html", str(file)], env={"SII_CDS_CONFIG": None})
    assert answer.exit_code == 1, answer.output
    reader.goto(file.as_uri())


def test_picture_of_doctor_shows_what_blocks_the_documented_run(reader: Page, tmp_path: Path) -> None:
    open_report(reader, tmp_path, *documented_run(tmp_path))

    expect(reader.locator("h1")).to_be_in_viewport()
    expect(reader.get_by_text("analyte-missing").first).to_be_in_viewport()
    keep_picture(reader, "doctor.png")


def test_picture_of_monitor_shows_the_planted_malfunction(reader: Page, tmp_path: Path) -> None:
    log = tmp_path / "audit"
    log.mkdir()
    write_log(log, [Hospital(300, 2, BROKEN, DAYS - 6)], DAYS)
    open_report(reader, tmp_path, "monitor", "--directory", str(log), "--until", str(simulated_day(DAYS - 1)))

    expect(reader.locator("h1")).to_be_in_viewport()
    expect(reader.get_by_text("data-unavailable").first).to_be_in_viewport()
    keep_picture(reader, "monitor.png")


def test_picture_of_the_trend_app_shows_verdict_and_panels(page: Page) -> None:
    app = opened_app(page, "demo-high-after-ablation")
    app.set_viewport_size({"width": 1000, "height": 1100})

    expect(app.locator("section.verdict")).to_be_in_viewport()
    expect(app.locator("svg.panels").first).to_be_in_viewport()
    keep_picture(app, "trend-app.png")


def test_pictures_are_shown_somewhere() -> None:
    texts = "".join(read(path) for path in repository_files() if path.suffix == ".md")

    assert [path.name for path in sorted(IMAGES.iterdir()) if f"images/{path.name}" not in texts] == []
