"""The model card in every language: the same parts, figures and sources, and what is unreviewed says so."""

from __future__ import annotations

import re
import tomllib
from importlib.resources import files
from typing import Any

import pytest

from cds_service.cards.wording import LANGUAGES, UNREVIEWED
from cds_service.model_card.content import build_content
from cds_service.model_card.site_card import SiteModelCard
from tests.unit.model_card.model_card_page import DEFAULT, MAPPINGS, Page

# What is no text: the same in every language.
FIXED = frozenset({"sources", "id", "tone", "use", "key", "url", "number", "status"})
OTHERS = [language for language in LANGUAGES if language != "en"]


def read(language: str) -> dict[str, Any]:
    return tomllib.loads(files("cds_service.model_card").joinpath(f"{language}.toml").read_text(encoding="utf-8"))


def skeleton(value: Any, name: str = "", within: str = "") -> Any:
    """The structure, what is no text, and the placeholders of each text."""
    if isinstance(value, str):
        return value if name in FIXED and within != "headings" else sorted(re.findall(r"\{\w+\}", value))
    if isinstance(value, list):
        return [skeleton(member, name) for member in value]
    if isinstance(value, dict):
        return {key: skeleton(member, key, name) for key, member in value.items()}
    return value


@pytest.mark.parametrize("language", OTHERS)
def test_language_has_the_parts_sources_and_placeholders_of_the_english_card(language: str) -> None:
    assert skeleton(read(language)) == skeleton(read("en"))


@pytest.mark.parametrize("language", OTHERS)
def test_language_has_the_figures_of_the_english_card(language: str) -> None:
    cards = [build_content(DEFAULT, MAPPINGS, LANGUAGES, each) for each in ("en", language)]

    english, other = (
        sorted(re.findall(r"\d+\.\d+", repr((card.published, card.derived, card.studies)))) for card in cards
    )
    assert english == other


@pytest.mark.parametrize("language", LANGUAGES)
def test_card_in_an_unreviewed_language_says_so(language: str) -> None:
    notices = build_content(DEFAULT, MAPPINGS, ("en",), language).notices

    assert (read(language)["notices"]["language"] in notices) == (language in UNREVIEWED)


def test_chinese_page_is_chinese_and_never_calls_a_risk_low() -> None:
    page = Page(SiteModelCard(DEFAULT, MAPPINGS, ("zh-Hans",), "zh-Hans").html("zh-Hans"))

    assert ("html", {"lang": "zh-Hans"}) in page.elements
    assert "低风险" not in page.text.replace("对低风险肿瘤", ""), "but of the tumors that another study calls so"
    assert "正常" not in page.text
    assert "临界值405.08" in page.text
    assert not re.search(r"Basis|Source|Setting|derived, not published|Not used", page.text)


@pytest.mark.parametrize(
    ("languages", "site", "offered", "reason"),
    [
        (("en",), "en", ("en",), "one language"),
        (("zh-Hans",), "zh-Hans", ("zh-Hans", "en"), "English always"),
        (("en", "zh-Hans"), "en", ("en", "zh-Hans"), "one client reads Chinese"),
    ],
)
def test_card_offers_the_languages_of_the_site(
    languages: tuple[str, ...], site: str, offered: tuple[str, ...], reason: str
) -> None:
    card = SiteModelCard(DEFAULT, MAPPINGS, languages, site)

    assert card.offered == offered, reason
    links = [link for link in Page(card.html("en")).values("href") if link.startswith("?")]
    assert links == [f"?language={tag}" for tag in offered if tag != "en"], reason
