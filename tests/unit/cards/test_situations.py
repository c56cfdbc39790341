"""Twelve situations: their words as docs/clinical.md tells them, within their bounds, summaries as specified."""

from __future__ import annotations

from pathlib import Path

import pytest

from cds_service.cards.brief import MOST_WORDS
from cds_service.cards.wording import LANGUAGES
from tests.unit.cards.situations import SITUATIONS, card_of, counts, word_table

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "clinical.md"
EACH = pytest.mark.parametrize("situation", SITUATIONS)
IN_EACH_LANGUAGE = pytest.mark.parametrize("language", LANGUAGES)


def test_document_tells_the_words_of_twelve_situations() -> None:
    assert len(SITUATIONS) == 12
    assert word_table() in DOCUMENT.read_text(encoding="utf-8"), "run: python -m tests.unit.cards.situations"


@IN_EACH_LANGUAGE
@EACH
def test_situation_keeps_to_its_words(situation: str, language: str) -> None:
    before_inputs, short, _ = counts(situation, language)

    assert before_inputs <= MOST_WORDS
    assert short <= 200, "with inputs, evidence and what was not checked"


@IN_EACH_LANGUAGE
@EACH
def test_situation_has_a_summary_of_one_short_line(situation: str, language: str) -> None:
    summary = card_of(situation, language).summary

    # As browsers count: UTF-16 units (CDS Hooks 2.0: fewer than 140 characters).
    assert len(summary.encode("utf-16-le")) // 2 < 140
    assert "\n" not in summary


@IN_EACH_LANGUAGE
@EACH
@pytest.mark.parametrize("detail", ["short", "full"])
def test_situation_shows_units_as_people_write_them(situation: str, language: str, detail: str) -> None:
    text = card_of(situation, language, "full" if detail == "full" else "short").detail or ""

    assert "10\\*" not in text
    assert "10*9" not in text
