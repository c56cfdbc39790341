"""What a report page holds, without its looks. All texts are plain text; the page escapes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from cds_service.reports.charts import Chart


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table; numeric ones stand at the right."""

    title: str
    numeric: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows of cells as they are to be read. The first cell of a row is its heading; `empty` stands where none is.

    `stacks`: on a narrow screen the cells of a row stand one below the other, for tables of sentences.
    """

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    empty: str = "None."
    stacks: bool = False


@dataclass(frozen=True, slots=True)
class Figure:
    """One key number with what it counts, and a note of a few words."""

    label: str
    value: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Figures:
    """Key numbers side by side."""

    items: tuple[Figure, ...]


@dataclass(frozen=True, slots=True)
class Points:
    """A list of sentences."""

    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Listing:
    """Lines to be copied as they are, such as a part of a configuration."""

    text: str


@dataclass(frozen=True, slots=True)
class Notice:
    """Something the reader must not miss."""

    text: str
    tone: Literal["warning", "fine"] = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A heading with what stands under it. `id` is the anchor: lower case, unique on the page."""

    id: str
    title: str
    text: str = ""
    blocks: tuple[Table | Figures | Points | Listing | Notice | Chart, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A whole report. `facts` stand in one line under the lead: period, source, version."""

    kind: str
    title: str
    lead: str = ""
    facts: tuple[str, ...] = ()
    notices: tuple[Notice, ...] = ()
    sections: tuple[Section, ...]
    footer: str = ""
