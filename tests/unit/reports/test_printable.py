"""Texts of others, made safe for a terminal: in words, and as JSON that stays the same JSON."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.reports.printable import printable_json

CASES = [
    ("plain", "a text of ASCII"),
    ("müller 患者", "letters of any script stay readable"),
    ("\x9b2J", "C1: clears the screen of some terminals"),
    ("\x85", "C1: a line feed to some readers"),
    ("\x7f", "DEL"),
    ("\u202ecod\u202c", "turns text around"),
    ("\u2066\u2069\u200f\u061c", "isolates and marks of direction"),
    ("\u200b\ufeff", "takes no room"),
    ("\u2028\u2029", "separators that JavaScript takes for line feeds"),
    ("\U000e0041", "a tag beyond the basic plane"),
    ("\ue000", "private use"),
]


@pytest.mark.parametrize(("text", "reason"), CASES)
def test_json_of_others_is_printable_and_means_the_same(text: str, reason: str) -> None:
    spelled = printable_json(json.dumps({text: text}, ensure_ascii=False))

    assert spelled.isprintable(), reason
    assert json.loads(spelled) == {text: text}, reason


@given(st.text())
def test_json_of_any_text_is_printable_and_means_the_same(text: str) -> None:
    spelled = printable_json(json.dumps([text], ensure_ascii=False))

    assert spelled.isprintable()
    assert json.loads(spelled) == [text]
