"""A document as CSV: every figure and every cell of its tables and plots, one a line, for a spreadsheet's filter."""

from __future__ import annotations

import csv
from io import StringIO
from typing import TYPE_CHECKING, Final

from cds_service.reports.content import Figures, Listing, Notice, Points, Remarks, Table
from cds_service.reports.plot_tables import data_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cds_service.reports.content import Block, Document, Remark, Section

HEADING: Final = ("section", "table", "row", "column", "value")
# With these a spreadsheet takes a cell for a formula (OWASP, "CSV Injection"); texts come from other systems.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")

_Cell = tuple[str, str, str, str]


def as_csv(document: Document) -> str:
    """Return the lines, with the values as the page prints them. A text that begins like a formula gets a quote."""
    rows = (row for section in document.sections for row in _section_rows(section))
    return "".join([csv_line(HEADING), *map(csv_line, rows)])


def csv_line(cells: Iterable[str]) -> str:
    """Return one line of CSV. A text that begins like a formula gets a quote."""
    line = StringIO()
    csv.writer(line, lineterminator="\n").writerow(map(_harmless, cells))
    return line.getvalue()


def _section_rows(section: Section) -> Iterator[tuple[str, ...]]:
    for block in section.blocks:
        yield from ((section.title, *cell) for cell in _cells(block))


def _cells(block: Block) -> Iterator[_Cell]:
    match block:
        case Table():
            yield from _table_cells(block)
        case Figures():
            for item in block.items:
                yield from (("", item.label, *cell) for cell in (("", item.value), ("note", item.note)) if cell[1])
        case Remarks():
            for number, remark in enumerate(block.items, 1):
                yield from (("", f"{number} {remark.code}", *cell) for cell in _remark_cells(remark))
        case Points() | Notice() | Listing():
            yield from (("", "", "", text) for text in (block.items if isinstance(block, Points) else (block.text,)))
        case _:
            yield from _table_cells(data_table(block))


def _table_cells(table: Table) -> Iterator[_Cell]:
    for first, *cells in table.rows:
        for column, cell in zip(table.columns[1:], cells, strict=True):
            yield table.caption, first, column.title, cell


def _remark_cells(remark: Remark) -> Iterator[tuple[str, str]]:
    yield "kind", remark.tag
    yield "text", remark.text
    yield from (("figures", point) for point in remark.points)
    yield from (("to do", action) for action in remark.actions)


def _harmless(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) and not _is_number(text) else text


def _is_number(text: str) -> bool:
    return text.removeprefix("-").replace(".", "", 1).isdigit()
