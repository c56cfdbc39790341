"""What a report holds, without its looks: a document of sections with tables, figures, remarks and plots.

One document becomes HTML (`as_html`), text for a terminal (`as_text`) and CSV (`as_csv`). All texts are plain text,
which each form escapes in its own way. Figures for programs are no document: they keep their own names (`as_json`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from cds_service.reports.plots import Plot

# How much a text matters: it stands against something, asks for attention, says that all is well, or just informs.
Tone = Literal["bad", "warning", "fine", "neutral"]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table; numeric ones stand at the right.

    A `minor` column is left out of a terminal that is too narrow for all of them.
    """

    title: str
    numeric: bool = False
    minor: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows of cells as they are to be read. The first cell of a row is its heading; `empty` stands where none is.

    `stacks`: on a narrow screen the cells of a row stand one below the other, for tables of sentences.
    `brief`: a terminal shows so many rows and the number of the others; None shows all.
    """

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    empty: str = "None."
    stacks: bool = False
    brief: int | None = None


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
    tone: Tone = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """Something that was found: what kind it is of (`tag`), its code, what it says, and what to do about it.

    `points` are its numbers; a terminal shows the first `brief` of them and how many follow.
    """

    tag: str
    tone: Tone
    code: str
    text: str
    title: str = ""
    points: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    brief: int = 6


@dataclass(frozen=True, slots=True)
class Remarks:
    """What was found, the gravest first."""

    items: tuple[Remark, ...]
    empty: str = "Nothing was found."


Block = Table | Figures | Points | Listing | Notice | Remarks | Plot


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A heading with what stands under it. `id` is the anchor: lower case, unique in the document."""

    id: str
    title: str
    text: str = ""
    blocks: tuple[Block, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A whole report. `facts` stand in one line under the lead: period, source, version.

    `one_sheet`: it is printed on one sheet of A4, without the tables behind its plots.
    """

    kind: str
    title: str
    lead: str = ""
    facts: tuple[str, ...] = ()
    notices: tuple[Notice, ...] = ()
    sections: tuple[Section, ...]
    footer: str = ""
    one_sheet: bool = False
