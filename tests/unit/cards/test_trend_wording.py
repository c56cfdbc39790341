"""The texts of the trend app: the same in every language, all of them used, none that says too much."""

from __future__ import annotations

import string
from pathlib import Path

import pytest
from msgspec.structs import fields

from cds_service import smart
from cds_service.cards.wording import LANGUAGES, trend_texts_in
from cds_service.cards.wording.trend_texts import TrendTexts

SOURCES = Path(str(smart.__file__)).parent


def parts(texts: TrendTexts) -> dict[str, str]:
    """Every single text by name."""
    found: dict[str, str] = {}
    for field in fields(texts):
        value = getattr(texts, field.name)
        if isinstance(value, str):
            found[field.name] = value
        else:
            members = value.items() if hasattr(value, "items") else enumerate(value)
            found |= {f"{field.name}[{key}]": text for key, text in members}
    return found


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("language", LANGUAGES)
def test_trend_texts_have_the_members_and_placeholders_of_the_english_ones(language: str) -> None:
    english, texts = parts(trend_texts_in("en")), parts(trend_texts_in(language))

    assert set(texts) == set(english)
    assert {name: placeholders(text) for name, text in texts.items()} == {
        name: placeholders(text) for name, text in english.items()
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_trend_texts_never_speak_of_a_low_risk(language: str) -> None:
    assert not [
        text
        for text in parts(trend_texts_in(language)).values()
        if "low risk" in text.lower() or "低风险" in text or "正常" in text
    ]


def test_trend_texts_are_all_used() -> None:
    read = "".join(path.read_text() for path in SOURCES.rglob("*") if path.suffix in (".py", ".html"))

    unused = [field.name for field in fields(TrendTexts) if f".{field.name}" not in read]
    assert unused == []
