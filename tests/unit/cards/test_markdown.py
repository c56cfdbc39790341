"""Texts from data become inert markdown, whatever they hold."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from cds_service.cards.markdown import escape, table
from tests.unit.cards.assessments import card, decided, draw_of_units
from tests.unit.clinical.values import POLICY

if TYPE_CHECKING:
    from markdown_it.token import Token

PARSER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
TEXT_TOKENS = {
    "inline", "text", "text_special", "softbreak", "strong_open", "strong_close",
    "paragraph_open", "paragraph_close", "bullet_list_open", "bullet_list_close", "list_item_open", "list_item_close",
    "table_open", "table_close", "thead_open", "thead_close", "tbody_open", "tbody_close",
    "tr_open", "tr_close", "th_open", "th_close", "td_open", "td_close",
}  # fmt: skip
# What GFM's autolink extension and the linkifiers of clients make a link of without any markup.
BARE_LINK = re.compile(
    r"//|\bwww\.|\b(?:mailto|xmpp|javascript|data|ftp):|[\w.+-]+@[\w-]+|[^\W\d_][\w-]*\.[^\W\d_]{2,}", re.IGNORECASE
)


def flat(markdown: str) -> list[Token]:
    tokens = PARSER.parse(markdown)
    return [*tokens, *(child for token in tokens for child in token.children or ())]


def shown(markdown: str) -> str:
    """The text a reader sees, one line for each paragraph or cell."""
    blocks = [token.children or () for token in PARSER.parse(markdown) if token.type == "inline"]
    return "\n".join("".join(child.content for child in children) for children in blocks)


HOSTILE = [
    ("<script>alert(1)</script>", "an element"),
    ("<b>10*9/L</b>", "formatting"),
    ("[x](javascript:alert(1))", "a link that runs"),
    ("[x](http://evil.example)", "a link"),
    ("[x]: http://evil.example", "a link definition"),
    ("![x](http://evil.example/p.png)", "an image"),
    ("a | b | c", "columns"),
    ("**bold** *it* __b__ _i_ ~~gone~~", "emphasis"),
    ("`code` ```fence", "code"),
    ("K/uL\n\n# heading\n- item\n1. item\n> quote", "blocks"),
    ("K/uL\r\n| x | y |\r\n| --- | --- |", "a table"),
    ("www.evil.example", "a bare address"),
    ("http://evil.example/x?y=z", "a bare URL"),
    ("https://evil.example", "a bare URL"),
    ("ftp://evil.example", "a bare URL"),
    ("mailto:me@evil.example", "a mail address with its scheme"),
    ("me@evil.example", "a mail address"),
    ("//192.0.2.1/path", "an address without its scheme"),
    ("evil.example/path", "what linkifiers take for a domain"),
    ("<http://evil.example>", "an autolink"),
    ("&lt;script&gt; &#60;b&#62;", "entities"),
    ("\\[x\\](y)", "escapes of the sender"),
    ("10*9/L \u202e\u200b\u0007\x1b[31m", "characters that hide or reorder"),
    ("x" * 1000, "long"),
    ("$$ math $$ :smile: @user #1", "what GitHub itself expands"),
    ("---", "a rule"),
    ("=====", "an underline"),
    ("    indented", "code by indentation"),
    ("evil.ex\u0430mple", "a domain in two alphabets"),
]


@pytest.mark.parametrize(("text", "reason"), HOSTILE)
def test_escaped_text_within_a_line_stays_inert(text: str, reason: str) -> None:
    markdown = f"Value 210 {escape(text)} end"

    assert {token.type for token in flat(markdown)} <= TEXT_TOKENS, reason
    assert not BARE_LINK.search(shown(markdown)), reason
    assert shown(markdown).startswith("Value 210 "), reason
    assert shown(markdown).endswith(" end"), reason


@pytest.mark.parametrize(("text", "reason"), HOSTILE)
def test_card_with_hostile_units_and_source_stays_inert(text: str, reason: str) -> None:
    policy = replace(POLICY, cutoff=Decimal(330), cutoff_source=text)
    detail = card(decided(draw_of_units(text, text, text), policy=policy), policy).detail or ""
    rows = [token for token in flat(detail) if token.type == "tr_open"]
    cells = [token for token in flat(detail) if token.type in {"th_open", "td_open"}]

    assert {token.type for token in flat(detail)} <= TEXT_TOKENS, reason
    assert (len(rows), len(cells)) == (4, 16), reason
    assert not BARE_LINK.search(shown(detail)), reason
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f\u200b-\u200f\u202a-\u202e]", detail), reason


@given(st.text(max_size=80))
def test_escaped_text_of_any_kind_stays_inert(text: str) -> None:
    markdown = f"Value 210 {escape(text)} end"

    assert {token.type for token in flat(markdown)} <= TEXT_TOKENS
    assert not BARE_LINK.search(shown(markdown))
    assert "\n" not in escape(text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("10*9/L", "UCUM"),
        ("10*3.{cells}/uL", "UCUM with an annotation"),
        ("×10⁹/L", "a multiplication sign and superscripts"),
        ("10³/µL", "the micro sign"),
        ("10^3/μL", "the Greek letter"),
        ("x10(3)/mcL", "parentheses"),
        ("thou/cu mm", "a space"),
        ("#/mm3", "a number sign"),
        ("giga.l-1", "a point before a single letter"),
        ("10+3/ul", "a plus sign"),
        ("% of WBC", "a percent sign"),
        ("Zellen/µl", "German"),
        ("万/μL", "Chinese"),
        ("Müller's own study: 120 patients; n=88, p < 0.05 & more", "the name of a study, but for the angle bracket"),
        ("[arb'U]/mL", "brackets"),
        ("~5", "a tilde"),
    ],
)
def test_escaped_text_of_a_good_unit_reads_as_sent(text: str, reason: str) -> None:
    assert shown(f"210 {escape(text)}") == f"210 {text}".replace("<", "?"), reason


@pytest.mark.parametrize(
    ("text", "escaped", "reason"),
    [
        ("  K /\t uL\n", "K / uL", "one line, single spaces"),
        ("x" * 61, "x" * 60, "at most sixty characters"),
        ("*" * 60, "\\*" * 60, "counted before they are escaped"),
        ("a:b", "a?b", "a colon inside a word"),
        ("K//uL ///", "K/?uL /??", "two slashes"),
        ("a: b:", "a: b:", "a colon before a space or at the end"),
        ("v1.2 a.b", "v1\\.2 a\\.b", "points of numbers and single letters"),
        ("", "", "nothing"),
    ],
)
def test_escape_is_exact(text: str, escaped: str, reason: str) -> None:
    assert escape(text) == escaped, reason


def test_table_has_a_head_a_rule_and_rows() -> None:
    assert table(("A", "B"), [("1", "2"), ("3", "4")]) == "| A | B |\n| --- | --- |\n| 1 | 2 |\n| 3 | 4 |"
