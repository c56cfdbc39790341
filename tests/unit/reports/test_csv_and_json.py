"""A document as CSV, with its cells where a spreadsheet finds them and no formula among them; figures as JSON."""

from __future__ import annotations

import csv
import json
from io import StringIO

import msgspec
import pytest

from cds_service.reports.as_csv import as_csv
from cds_service.reports.as_json import as_json
from cds_service.reports.content import Column, Document, Section, Table
from tests.unit.reports.samples import page

Row = tuple[str, ...]


def rows_of(document: Document) -> list[Row]:
    return [tuple(row) for row in csv.reader(StringIO(as_csv(document)))]


def test_csv_holds_tables_figures_remarks_and_plots() -> None:
    heading, *rows = rows_of(page())

    assert heading == ("section", "table", "row", "column", "value")
    assert {
        ("Summary", "", "Cards shown", "", "97"),
        ("Summary", "", "Cards shown", "note", "8.1 % of the hooks"),
        ("Summary", "", "1 unit-scale", "to do", "Ask the laboratory."),
        ("Plots", "Firing rate", "2026-03-02", "Lower limit", "2.0 %"),
        ("Plots", "SII of decided hooks (cut-off: 405.08)", "50 to 100", "hooks", "3"),
    } <= set(rows)


@pytest.mark.parametrize(
    ("cell", "written", "reason"),
    [
        ("=1+1", "'=1+1", "a formula"),
        ("@SUM(A1)", "'@SUM(A1)", "a formula of another kind"),
        ("-2+3", "'-2+3", "a formula that begins like a number"),
        ("+49 30", "'+49 30", "also a telephone number"),
        ("\t=1", "'\t=1", "white space before it"),
        ("-0.25", "-0.25", "a number stays one"),
        ("–", "–", "the dash of a missing figure"),
        ('a,"b"\nc', 'a,"b"\nc', "what CSV itself must quote"),
    ],
)
def test_csv_cell_is_no_formula(cell: str, written: str, reason: str) -> None:
    table = Table(caption="T", columns=(Column("a"), Column("b")), rows=(("x", cell),))
    document = Document(kind="K", title="T", sections=(Section(id="s", title="S", blocks=(table,)),))

    assert rows_of(document)[1] == ("S", "T", "x", "b", written), reason


class _Row(msgspec.Struct, rename="camel"):
    not_used: dict[str, int]
    share: float
    name: str


def test_json_of_a_struct_and_of_a_dict_say_the_same_and_control_no_terminal() -> None:
    members = {"notUsed": {"é": 1}, "share": 0.1, "name": "\x9b血"}

    of_struct, of_dict = as_json(_Row({"é": 1}, 0.1, "\x9b血")), as_json(members)

    assert json.loads(of_struct) == json.loads(of_dict) == members
    assert of_struct.replace("\n", "").isprintable()
    assert of_struct.splitlines()[1:3] == ['  "notUsed": {', '    "é": 1']
    assert of_dict.isascii()
