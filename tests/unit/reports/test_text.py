"""A document in a terminal: lines keep the width, nothing is lost without a word, nothing controls the terminal."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from cds_service.reports.as_text import as_text
from cds_service.reports.content import (
    Block,
    Column,
    Document,
    Figure,
    Figures,
    Listing,
    Notice,
    Points,
    Remark,
    Remarks,
    Section,
    Table,
)
from cds_service.reports.plots import Bar
from cds_service.reports.text_table import columns_of, table_lines, wrapped
from tests.unit.reports.samples import horizontal_bars, page, stacked_bars

CLIENTS = Table(
    caption="Clients", columns=(Column("Client"), Column("Hooks", numeric=True)), rows=(("main-ehr", "12"),)
)
REMARK = Remark(tag="open", tone="warning", code="hooks-stopped", text="No hooks arrive.", points=tuple("abc"), brief=2)


def document(*blocks: Block) -> Document:
    return Document(kind="Report", title="T", sections=(Section(id="s", title="S", blocks=blocks),))


def lines_of(*blocks: Block, width: int = 80) -> list[str]:
    return as_text(document(*blocks), width).splitlines()


@pytest.mark.parametrize("width", [1, 60, 72, 120, 500])
def test_text_every_line_keeps_the_width(width: int) -> None:
    lines = as_text(page(), width).splitlines()

    assert max(map(columns_of, lines)) <= max(60, min(width, 120))


@pytest.mark.parametrize(
    ("block", "told", "reason"),
    [
        (CLIENTS, ["Clients", "  Client    Hooks", "  main-ehr     12"], "numbers at the right"),
        (replace(CLIENTS, caption="S"), ["  Client    Hooks", "  main-ehr     12"], "the heading is not repeated"),
        (replace(CLIENTS, rows=()), ["Clients", "  None."], "no row"),
        (
            replace(CLIENTS, rows=(("a", "1"), ("b", "2")), brief=1),
            ["Clients", "  Client  Hooks", "  a           1", "  and 1 more; --html or --json shows all."],
            "the others are counted",
        ),
        (
            Figures((Figure("Hooks", "7"), Figure("Shown", "12", "of 20"))),
            ["  Hooks   7", "  Shown  12  of 20"],
            "notes",
        ),
        (Points(("one", "two")), ["- one", "- two"], "a list"),
        (Listing("a:\n  - b\n"), ["a:", "  - b"], "lines as they are"),
        (Notice("Mind."), ["Mind."], "a notice"),
        (Remarks((), empty="No finding."), ["No finding."], "nothing found"),
        (
            Remarks((replace(REMARK, actions=("Look.",)),)),
            [
                "OPEN     hooks-stopped",
                "  No hooks arrive.",
                "  - a",
                "  - b",
                "  - and 1 more; --html or --json shows all.",
                "  → Look.",
            ],
            "a remark with more figures than it shows",
        ),
        (
            replace(horizontal_bars(), bars=(Bar("a", 4), Bar("b", 1), Bar("c", 0), Bar("d", 0, text="<5"))),
            [
                "Why cards were overridden",
                f"  a   4  {'█' * 24}",
                f"  b   1  {'█' * 6}",
                "  c   0",
                "  d  <5",
            ],
            "bars",
        ),
        (replace(horizontal_bars(), bars=()), ["Why cards were overridden", "  None."], "no bar"),
        (stacked_bars(), ["Pictures, with --html: Outcomes by week."], "what only a picture shows is named"),
    ],
)
def test_text_of_a_block_is_as_laid_out(block: Block, told: list[str], reason: str) -> None:
    assert lines_of(block)[3:] == told, reason


def test_text_section_without_blocks_is_left_out() -> None:
    assert lines_of() == ["Report: T"]


def test_text_narrow_terminal_leaves_minor_columns_out_and_loses_no_other_cell() -> None:
    columns = (Column("Code"), Column("Long name", minor=True), Column("What is said of it"))
    row = ("718-7", "Hemoglobin " * 4, "not needed for the index " * 3)
    table = Table(caption="S", columns=columns, rows=(row,))

    wide, narrow = (" ".join(lines_of(table, width=width)) for width in (120, 60))

    assert "Hemoglobin" in wide
    narrow_words = narrow.split()
    assert narrow_words.count("Hemoglobin") in {0, 4}, "a column is there in full or not at all"
    assert narrow_words.count("needed") == 3


def test_text_minor_column_goes_where_the_others_fill_the_line() -> None:
    rows = [(*("x" * 12 for _ in range(5)), "minor")]

    assert "minor" not in "".join(table_lines("abcdef", rows, 70, minor={5}))
    assert "minor" in "".join(table_lines("abcdef", rows, 90, minor={5}))


def test_text_cell_of_chinese_takes_two_columns_and_breaks_anywhere() -> None:
    assert columns_of("血小板 a") == 8
    assert wrapped("血小板计数", 4, anywhere=True) == ["血小", "板计", "数"]
    assert wrapped("血", 1, anywhere=True) == ["血"], "a character wider than the line stands alone"


def test_text_colors_only_where_wanted() -> None:
    assert "\x1b[31m\x1b[1mBLOCKS" in as_text(page(), 80, colored=True)
    assert "\x1b" not in as_text(page(), 80)
    plain = re.sub(r"\x1b\[[0-9;]*m", "", as_text(page(), 80, colored=True))
    assert plain == as_text(page(), 80)


@pytest.mark.parametrize("code", ["\x1b[2J", "a\x00b", "\u202eb", "a\nForged: 1", "\x9b31m"])
def test_text_nothing_in_a_text_controls_the_terminal(code: str) -> None:
    blocks = (
        replace(CLIENTS, caption=code, rows=((code, code),), columns=(Column(code), Column(code))),
        Figures((Figure(code, code, code),)),
        Points((code,)),
        Notice(code),
        Remarks((replace(REMARK, tag=code, code=code, text=code, points=(code,), actions=(code,)),)),
        replace(horizontal_bars(), title=code, bars=(Bar(code, 1),)),
    )
    hostile = Document(
        kind=code,
        title=code,
        lead=code,
        facts=(code,),
        notices=(Notice(code),),
        sections=(Section(id="s", title=code, text=code, blocks=blocks),),
        footer=code,
    )

    lines = as_text(hostile, 80).split("\n")

    assert all(line.isprintable() for line in lines)
    assert not [line for line in lines if line.strip() == "Forged: 1"]
