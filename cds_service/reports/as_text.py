"""A document as text for a terminal of any width. What only a picture shows is named, and left to the page.

Nothing that would control a terminal gets through: texts came from requests and from other people's files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from cds_service.reports.content import Figures, Listing, Notice, Points, Remarks, Table
from cds_service.reports.plot_tables import data_table
from cds_service.reports.plots import Histogram, HorizontalBars
from cds_service.reports.printable import printable
from cds_service.reports.text_table import columns_of, table_lines, wrapped

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cds_service.reports.content import Block, Document, Remark, Section
    from cds_service.reports.plots import Plot

NARROWEST: Final = 60
WIDEST: Final = 120
_COLORS: Final = {"bad": "red", "warning": "yellow", "fine": "green", "neutral": "blue"}
_LONGEST_BAR: Final = 24
_TAG: Final = 8


def as_text(document: Document, width: int, *, colored: bool = False) -> str:
    """Lay the document out: title and facts, notices, sections, and the footer. Lines keep the width, 60 to 120."""
    return _Terminal(max(NARROWEST, min(width, WIDEST)), colored=colored).laid_out(document)


class _Terminal:
    """A width, and whether colors are wanted."""

    def __init__(self, width: int, *, colored: bool) -> None:
        self.width = width
        self.colored = colored

    def laid_out(self, document: Document) -> str:
        head = [self._bold(f"{document.kind}: {document.title}")]
        head += [line for text in (document.lead, "; ".join(document.facts)) for line in self._wrapped(text)]
        notices = [line for notice in document.notices for line in self._notice(notice)]
        parts = [head, notices, *map(self._section, document.sections), self._wrapped(document.footer)]
        return "\n\n".join("\n".join(part) for part in parts if part)

    def _section(self, section: Section) -> list[str]:
        lines = [self._bold(section.title), *self._wrapped(section.text)]
        pictures = []
        for block in section.blocks:
            shown = list(self._block(block, section.title))
            if not shown:
                pictures.append(getattr(block, "title", ""))
            # Paragraphs of their own, but for the first one under its heading.
            lines += ["", *shown] if len(lines) > 1 and shown else shown
        if pictures:
            lines += self._wrapped(f"Pictures, with --html: {'; '.join(pictures)}.")
        return lines if len(lines) > 1 else []

    def _block(self, block: Block, title: str) -> Iterator[str]:
        match block:
            case Table():
                yield from self._table(block, title)
            case Figures():
                rows = [(item.label, item.value, item.note) for item in block.items]
                yield from table_lines((), rows, self.width, numeric={1})
            case Points():
                yield from (line for text in block.items for line in self._wrapped(text, "- ", "  "))
            case Listing():
                yield from map(printable, block.text.rstrip().split("\n"))
            case Notice():
                yield from self._notice(block)
            case Remarks():
                yield from self._remarks(block)
            case _:
                yield from self._plot(block, title)

    def _plot(self, plot: Plot, title: str) -> Iterator[str]:
        """Draw what bars can show; of any other plot nothing."""
        if isinstance(plot, HorizontalBars):
            yield from self._bars(plot, title, [bar.value for bar in plot.bars])
        elif isinstance(plot, Histogram) and len(plot.groups) == 1:
            yield from self._bars(plot, title, plot.groups[0].values)

    def _table(self, table: Table, title: str) -> Iterator[str]:
        if table.caption != title:
            yield from self._wrapped(table.caption)
        if not table.rows:
            yield from self._wrapped(table.empty, "  ")
            return
        head, *body = table_lines(
            [column.title for column in table.columns],
            table.rows[: table.brief],
            self.width,
            numeric={place for place, column in enumerate(table.columns) if column.numeric},
            minor={place for place, column in enumerate(table.columns) if column.minor},
        )
        yield self._styled(head, dim=True)
        yield from body
        hidden = len(table.rows) - (len(table.rows) if table.brief is None else table.brief)
        if hidden > 0:
            yield f"  and {hidden} more; --html or --json shows all."

    def _bars(self, plot: HorizontalBars | Histogram, title: str, values: Sequence[float]) -> Iterator[str]:
        table = data_table(plot)
        if table.caption != title:
            yield from self._wrapped(table.caption)
        highest = max(values, default=0)
        rows = [(*row, _bar(value, highest)) for row, value in zip(table.rows, values, strict=True)]
        yield from table_lines((), rows, self.width, numeric={1}) if rows else self._wrapped(table.empty, "  ")

    def _remarks(self, remarks: Remarks) -> Iterator[str]:
        if not remarks.items:
            yield from self._wrapped(remarks.empty)
        for place, remark in enumerate(remarks.items):
            if place:
                yield ""
            yield from self._remark(remark)

    def _remark(self, remark: Remark) -> Iterator[str]:
        tag = self._styled(f"{printable(remark.tag).upper():<{_TAG}}", fg=_COLORS[remark.tone], bold=True)
        yield f"{tag} {self._bold(remark.code)}"
        yield from self._wrapped(remark.text, "  ")
        for point in remark.points[: remark.brief]:
            yield from self._wrapped(point, "  - ", "    ")
        if len(remark.points) > remark.brief:
            yield f"  - and {len(remark.points) - remark.brief} more; --html or --json shows all."
        for action in remark.actions:
            yield from self._wrapped(action, "  → ", "    ")

    def _notice(self, notice: Notice) -> list[str]:
        return [self._styled(line, fg=_COLORS[notice.tone], bold=True) for line in self._wrapped(notice.text)]

    def _wrapped(self, text: str, first: str = "", rest: str | None = None) -> list[str]:
        rest = first if rest is None else rest
        lines = wrapped(printable(text), self.width - columns_of(first)) if text else []
        return [f"{rest if place else first}{line}" for place, line in enumerate(lines)]

    def _bold(self, text: str) -> str:
        return self._styled(printable(text), bold=True)

    def _styled(self, text: str, *, fg: str | None = None, bold: bool = False, dim: bool = False) -> str:
        return click.style(text, fg=fg, bold=bold or None, dim=dim or None) if self.colored else text


def _bar(value: float, highest: float) -> str:
    length = round(_LONGEST_BAR * value / highest) if highest else 0
    return "█" * length or ("▏" if value else "")
