"""Small multiples on one time axis, as SVG that is as wide as its page and whose texts keep their size.

Places across are shares of the width, places down are pixels: at 320 px and on a wide screen the texts are as large as
those around them. Colors come from the page, by class.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final, Literal
from xml.sax.saxutils import escape, quoteattr

from cds_service.reports.timeline.scale import DayForms, LinearAxis, TimeAxis, ValueAxis

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from decimal import Decimal

Kind = Literal["decides", "draw", "loose"]

# Percent of the width: values stand left of the first, the last leaves room for half a label.
_LEFT, _RIGHT = 13.0, 96.0
_STRIP: Final = 34
_TITLE: Final = 30
_FOOT: Final = 10
_AXIS: Final = 26
# Numbers of procedures that would cover each other stand in the list below alone.
_LEAST_BETWEEN: Final = 5.0
_LEAST_WINDOW: Final = 0.6
_MOST_TICKS: Final = 5


@dataclass(frozen=True, slots=True)
class Mark:
    """A value on a day; `text` is read aloud and shown by the pointer."""

    day: date
    value: Decimal
    text: str
    kind: Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One quantity. `limit` is drawn across it with its label; a `logarithmic` one shows powers apart."""

    title: str
    marks: Sequence[Mark]
    height: int
    limit: Decimal | None = None
    limit_label: str = ""
    logarithmic: bool = False


@dataclass(frozen=True, slots=True)
class Procedure:
    """A procedure: its first and last day, and the number by which the list below names it."""

    first: date
    last: date
    number: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """Panels with what lies behind all of them: procedures, and the days whose blood is never used."""

    id: str
    title: str
    description: str
    panels: Sequence[Panel]
    procedures: Sequence[Procedure]
    closed: Sequence[tuple[date, date]]
    forms: DayForms
    empty: Sequence[tuple[date, str]] = ()


@cache
def panels_style() -> str:
    """Return the style sheet of the picture; the page gives the colors their values."""
    return files("cds_service.reports.timeline").joinpath("panels.css").read_text(encoding="utf-8")


def draw_panels(picture: Picture) -> str:
    """Return the SVG element. Raises ValueError where there is neither a value nor a procedure."""
    days = [mark.day for panel in picture.panels for mark in panel.marks]
    days += [day for procedure in picture.procedures for day in (procedure.first, procedure.last)]
    days += [day for day, _ in picture.empty]
    if not days:
        raise ValueError("a picture needs a value or a procedure")
    time = TimeAxis.around(days, _LEFT, _RIGHT)
    tops, bottom = _places(picture.panels)
    drawn = [
        *_behind(picture, time, bottom),
        *(part for panel, top in zip(picture.panels, tops, strict=True) for part in _panel(panel, top, time)),
        *_empty(picture.empty, time, tops[0] + _TITLE + picture.panels[0].height if tops else bottom),
        *_time_axis(time, bottom, picture.forms),
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="panels" width="100%" height="{bottom + _AXIS}" role="img"'
        f" aria-labelledby={quoteattr(f'{picture.id}-title {picture.id}-description')}>"
        f"<title id={quoteattr(f'{picture.id}-title')}>{escape(picture.title)}</title>"
        f"<desc id={quoteattr(f'{picture.id}-description')}>{escape(picture.description)}</desc>"
        f"{''.join(drawn)}</svg>"
    )


def _places(panels: Sequence[Panel]) -> tuple[list[int], int]:
    """Return where each panel begins, and where the last one ends."""
    tops, place = [], _STRIP
    for panel in panels:
        tops.append(place)
        place += _TITLE + panel.height + _FOOT
    return tops, place


def _behind(picture: Picture, time: TimeAxis, bottom: int) -> Iterator[str]:
    height = bottom - _STRIP
    for first, last in picture.closed:
        left, right = time.x(first), time.x(last + timedelta(days=1))
        yield (
            f'<rect class="closed" x="{left:.2f}%" y="{_STRIP}" width="{max(right - left, _LEAST_WINDOW):.2f}%"'
            f' height="{height}"/>'
        )
    taken = -_LEAST_BETWEEN
    for procedure in sorted(picture.procedures, key=lambda procedure: procedure.first):
        x = time.x(procedure.first)
        yield f'<g class="procedure"><title>{escape(procedure.text)}</title>{_line(x, _STRIP - 10, x, bottom)}'
        if procedure.last > procedure.first:
            end = time.x(procedure.last)
            yield _line(x, _STRIP - 10, end, _STRIP - 10)
        if x - taken >= _LEAST_BETWEEN:
            taken = x
            yield _text("number", x, _STRIP - 16, procedure.number)
        yield "</g>"


def _panel(panel: Panel, top: int, time: TimeAxis) -> Iterator[str]:
    begin, end = float(top + _TITLE), float(top + _TITLE + panel.height)
    axis = _axis(panel, begin, end)
    yield _text("panel", 0, top + 12, panel.title, "start")
    for tick in _legible(axis.ticks()):
        y = axis.y(tick)
        yield _line(_LEFT, y, 100, y, "grid")
        yield _text("tick", _LEFT - 1, y + 4, f"{tick:g}", "end")
    if panel.limit is not None:
        y = axis.y(panel.limit)
        yield _line(_LEFT, y, 100, y, "limit")
        yield _text("limit-label", 100, y - 4, panel.limit_label, "end")
    marks = sorted(panel.marks, key=lambda mark: mark.day)
    line = [mark for mark in marks if mark.kind != "loose"]
    for one, other in itertools.pairwise(line):
        yield _line(time.x(one.day), axis.y(one.value), time.x(other.day), axis.y(other.value), "trend")
    for mark in marks:
        yield _mark(mark, time.x(mark.day), axis.y(mark.value))


def _legible(ticks: Sequence[float]) -> list[float]:
    """Return few enough labels to stand apart: of a long logarithmic axis the powers of ten."""
    return list(ticks) if len(ticks) <= _MOST_TICKS else [tick for tick in ticks if str(tick).startswith("1")]


def _axis(panel: Panel, begin: float, end: float) -> ValueAxis | LinearAxis:
    values = [mark.value for mark in panel.marks] + ([panel.limit] if panel.limit is not None else [])
    if panel.logarithmic:
        return ValueAxis.around(values, begin, end)
    return LinearAxis.around(values, begin, end)


def _mark(mark: Mark, x: float, y: float) -> str:
    title = f"<title>{escape(mark.text)}</title>"
    if mark.kind == "decides":
        shape = (
            f'<circle class="ring" cx="{x:.2f}%" cy="{y:.1f}" r="9"/>'
            f'<svg x="{x:.2f}%" y="{y:.1f}" overflow="visible"><path d="M0 -6 L6 0 L0 6 L-6 0 Z"/></svg>'
        )
    elif mark.kind == "loose":
        shape = f'<circle cx="{x:.2f}%" cy="{y:.1f}" r="3.5"/>'
    else:
        shape = f'<circle cx="{x:.2f}%" cy="{y:.1f}" r="4.5"/>'
    return f'<g class="mark {mark.kind}">{title}{shape}</g>'


def _empty(days: Sequence[tuple[date, str]], time: TimeAxis, bottom: int) -> Iterator[str]:
    """Draw a cross at the foot of the first panel for blood that gives no value there."""
    for day, text in days:
        yield (
            f'<g class="mark empty"><title>{escape(text)}</title><svg x="{time.x(day):.2f}%" y="{bottom - 8}"'
            ' overflow="visible"><path d="M-4 -4 L4 4 M4 -4 L-4 4"/></svg></g>'
        )


def _time_axis(time: TimeAxis, bottom: int, forms: DayForms) -> Iterator[str]:
    yield _line(_LEFT, bottom, 100, bottom, "axis")
    for place, (day, label) in enumerate(time.ticks(forms)):
        x = time.x(day)
        yield _line(x, bottom, x, bottom + 5, "axis")
        # Every second label goes where the page is narrow.
        yield _text("tick narrow" if place % 3 == 0 else "tick", x, bottom + 19, label)


def _line(x1: float, y1: float, x2: float, y2: float, kind: str = "") -> str:
    named = f' class="{kind}"' if kind else ""
    return f'<line{named} x1="{x1:.2f}%" y1="{y1:.1f}" x2="{x2:.2f}%" y2="{y2:.1f}"/>'


def _text(kind: str, x: float, y: float, text: str, anchor: str = "middle") -> str:
    return f'<text class="{kind}" x="{x:.2f}%" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
