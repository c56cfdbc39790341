"""The safety board's page: read on a laptop and a telephone, and printed on one sheet of A4, however much changed."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal
from zoneinfo import ZoneInfo

import msgspec
import pytest
from axe_playwright_python.sync_playwright import Axe

from cds_service.audit.policies import encode_policy
from cds_service.audit.records import ConfigurationRecord
from cds_service.clinical.policy import ClinicalPolicy
from cds_service.insight.sources.audit_log import LogRows
from cds_service.insight.usage.board_page import board_page
from cds_service.insight.usage.statistics import count
from cds_service.reports.as_html import as_html
from cds_service.services.sii_recurrence_risk import SII_RECURRENCE_RISK
from tests.browser.looks import CUT_TEXTS, OVERPRINTED_TEXTS, TEXT_SIZES
from tests.browser.pictures import keep_picture
from tests.unit.audit.samples import feedback_record, hook_record

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser

    from cds_service.audit.bookkeeping import AnyRecord

ZONE = ZoneInfo("Europe/Berlin")
START = datetime(2026, 1, 5, 9, tzinfo=UTC)
OUTCOMES = ("above-cutoff", "not-above-cutoff", "not-above-cutoff", "indeterminate", *["not-eligible"] * 40)
# Points: 210 x 297 mm as Chromium writes them.
A4 = b"[0 0 594.95996 841.91998]"


def records(weeks: int, changes: int, client: str) -> Iterator[AnyRecord | None]:
    """Yield hooks of some weeks, cards with answers among them, and so many changes of everything that can change."""
    policy = ClinicalPolicy(timezone=ZONE)
    for number in range(changes + 1):
        limits: dict[str, Any] = {
            "minimum_age": 18 + number,
            "max_age_days": 90 - number,
            "baseline_window_days": 30 - number,
        }
        raw = encode_policy(replace(policy, **limits))
        yield ConfigurationRecord(time=START, configuration=f"{number:012x}", rule_version="2.0.0", mapping_version="m",
                                  mode="active", policy=raw)  # fmt: skip
    for hour in range(weeks * 7 * 4):
        number = min(hour * (changes + 1) // (weeks * 28), changes)
        outcome = OUTCOMES[hour * 7 % len(OUTCOMES)]
        card = f"card-{hour}" if outcome == "above-cutoff" else None
        yield msgspec.structs.replace(
            hook_record(), time=START + timedelta(hours=6 * hour), outcome=outcome, client=client, card=card,
            shown=card is not None, presentation="", configuration=f"{number:012x}", rule_version=f"2.{number}.0",
            mapping_version=f"{number:012x}",
        )  # fmt: skip
        if card is not None and hour % 3:
            yield feedback_record(card, time=START + timedelta(hours=6 * hour + 1),
                                  outcome="accepted" if hour % 2 else "overridden")  # fmt: skip
    yield from [None] * (changes > 3)


@pytest.fixture(scope="module")
def boards(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The page of ten weeks, of a year in which everything changed often, and of a period without a hook."""
    folder = tmp_path_factory.mktemp("board")
    told = {
        "usual": records(10, 2, "main-ehr"),
        "crowded": records(52, 30, "ehr-of-the-womens-and-childrens-hospital-" * 3),
        "empty": iter(()),
    }
    for name, rows in told.items():
        statistics = count(LogRows(rows, ZONE), None, None, SII_RECURRENCE_RISK)
        page = board_page(statistics, "/var/lib/sii-cds/audit", ZONE, "0.2.0")
        (folder / f"{name}.html").write_text(as_html(page), encoding="utf-8")
    return {name: folder / f"{name}.html" for name in told}


@pytest.mark.parametrize(
    ("name", "width", "scheme"),
    [
        ("usual", 450, "light"),
        ("usual", 1366, "light"),
        ("usual", 1366, "dark"),
        ("crowded", 450, "dark"),
        ("empty", 450, "light"),
    ],
)
def test_board_fits_and_reads_on_any_screen(
    browser: Browser, boards: dict[str, Path], name: str, width: int, scheme: Literal["light", "dark"]
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    page.goto(boards[name].as_uri())

    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert min(page.evaluate(TEXT_SIZES)) >= 11
    assert page.evaluate(CUT_TEXTS) == []
    assert page.evaluate(OVERPRINTED_TEXTS) == []
    found = Axe().run(page)
    assert [(one["id"], [node["html"] for node in one["nodes"][:3]]) for one in found.response["violations"]] == []
    if (name, width, scheme) == ("usual", 1366, "light"):
        keep_picture(page, "board.png")
    context.close()


@pytest.mark.parametrize("name", ["usual", "crowded", "empty"])
def test_board_is_printed_on_one_sheet_of_a4(browser: Browser, boards: dict[str, Path], name: str) -> None:
    context = browser.new_context(color_scheme="dark")
    page = context.new_page()
    page.goto(boards[name].as_uri())
    printed = page.pdf(prefer_css_page_size=True)

    assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 1
    assert re.findall(rb"/MediaBox\s*(\[[^\]]*\])", printed) == [A4]
    # The sheet holds all of it: nothing lies beyond its edges, and the tables behind the plots are left out.
    page.emulate_media(media="print")
    assert not page.locator("details").first.is_visible()
    assert page.locator("h2").all_inner_texts() == ["Four figures", "By week", "What changed"]
    assert [figure.is_visible() for figure in page.locator("figure").all()] == [True, True]
    context.close()
