"""SII over time as a server-rendered SVG: draws, cut-off, procedures and the days that are not judged.

From top to bottom: labels of the draws (value over date) in a strip of their own, with a line down to
each point; the values on a logarithmic axis; a band for the procedures' labels; the time axis; a legend.
Labels are spread within their strip, so that they never cover each other however close the draws are.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from cds_service.reports.timeline.scale import TimeAxis, ValueAxis, spread

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH = 760
HEIGHT = 388
_LEFT, _RIGHT = 50.0, 676.0
_LABELS_TOP, _LABELS_BOTTOM = 14, 36
_POINTS_TOP, _POINTS_BOTTOM, _BOTTOM = 72.0, 248.0, 304.0
_TICK_LABELS, _LEGEND, _SECOND_LEGEND = 322, 352, 376
_LABEL_GAP = 78.0
# As many labels as the width holds; an older draw keeps its point, its tooltip and its line in the table.
_MOST_LABELS = 9
_LANES = 3
_LANE_HEIGHT = 16
# A generous estimate of a label character, since the reader's system font is not known.
_CHARACTER_WIDTH = 7.4


@dataclass(frozen=True, slots=True)
class TimelinePoint:
    """One blood draw: its day, its SII (10*9/L), and whether the service judged this one."""

    day: date
    sii: Decimal
    used: bool


@dataclass(frozen=True, slots=True)
class ProcedureMark:
    """One interventional procedure."""

    day: date
    label: str


@dataclass(frozen=True, slots=True)
class _Axes:
    time: TimeAxis
    value: ValueAxis


def render_timeline(
    points: Sequence[TimelinePoint],
    procedures: Sequence[ProcedureMark],
    *,
    cutoff: Decimal,
    exclusion_days: int,
    without_sii: Sequence[date] = (),
) -> str:
    """Return the SVG element; `exclusion_days` is the last day after a procedure that is not judged.

    `without_sii` are the days of draws that give no SII; they stand as crosses on the time axis. Raises ValueError
    where there is neither draw nor procedure.
    """
    points = sorted(points, key=lambda point: point.day)
    procedures = sorted(procedures, key=lambda mark: mark.day)
    days = [point.day for point in points] + [mark.day for mark in procedures] + list(without_sii)
    if not days:
        raise ValueError("a timeline needs a draw or a procedure")
    axes = _Axes(
        TimeAxis.around(days, _LEFT, _RIGHT),
        ValueAxis.around([*(point.sii for point in points), cutoff], _POINTS_TOP, _POINTS_BOTTOM),
    )
    return "".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" class="timeline" viewBox="0 0 {WIDTH} {HEIGHT}"'
            ' role="img" aria-labelledby="timeline-title timeline-description">',
            '<title id="timeline-title">SII over time</title>',
            f'<desc id="timeline-description">{escape(_description(points, procedures, without_sii, cutoff))}</desc>',
            *_windows(axes, procedures, exclusion_days),
            *_grid(axes),
            *_cutoff_line(axes, cutoff),
            *_procedure_lines(axes, procedures),
            *_draws(axes, points, cutoff),
            *_crosses(axes, without_sii),
            *_legend(exclusion_days),
            "</svg>",
        ]
    )


def format_sii(sii: Decimal, cutoff: Decimal) -> str:
    """Return SII with one decimal, or as many as keep it on its side of the cut-off."""
    for digits in range(1, 28):
        rounded = sii.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
        if (rounded > cutoff, rounded < cutoff) == (sii > cutoff, sii < cutoff):
            return str(rounded)
    return str(sii)


def format_day(day: date) -> str:
    """Return a day as `3 Feb 2026`."""
    return f"{day.day} {day:%b %Y}"


def _description(
    points: Sequence[TimelinePoint], procedures: Sequence[ProcedureMark], without_sii: Sequence[date], cutoff: Decimal
) -> str:
    draws = "; ".join(
        f"{format_day(point.day)}: {format_sii(point.sii, cutoff)}{' (judged)' if point.used else ''}"
        for point in points
    )
    therapy = "; ".join(f"{format_day(mark.day)}: {mark.label}" for mark in procedures)
    unread = "; ".join(format_day(day) for day in without_sii)
    return (
        f"Draws: {draws or 'none with an SII'}. Draws without SII: {unread or 'none'}. "
        f"Procedures: {therapy or 'none'}. Cut-off: {cutoff}."
    )


def _windows(axes: _Axes, procedures: Sequence[ProcedureMark], exclusion_days: int) -> list[str]:
    bands = []
    for mark in procedures:
        start = axes.time.x(mark.day)
        end = axes.time.x(mark.day + timedelta(days=exclusion_days + 1))
        bands.append(
            f'<rect class="window" x="{start:.1f}" y="{_POINTS_TOP:.0f}" width="{end - start:.1f}"'
            f' height="{_BOTTOM - _POINTS_TOP:.0f}"/>'
        )
    return bands


def _grid(axes: _Axes) -> list[str]:
    lines = []
    for tick in axes.value.ticks():
        y = axes.value.y(tick)
        lines.append(_line("grid", _LEFT, y, _RIGHT, y))
        lines.append(_text("tick", _LEFT - 8, y + 4, str(tick), anchor="end"))
    lines.append(_line("axis", _LEFT, _BOTTOM, _RIGHT, _BOTTOM))
    for day, label in axes.time.ticks():
        x = axes.time.x(day)
        lines.append(_line("axis", x, _BOTTOM, x, _BOTTOM + 5))
        lines.append(_text("tick", x, _TICK_LABELS, label, anchor="middle"))
    return lines


def _cutoff_line(axes: _Axes, cutoff: Decimal) -> list[str]:
    y = axes.value.y(cutoff)
    return [
        _line("cutoff", _LEFT, y, _RIGHT, y),
        _text("cutoff-label", _RIGHT + 8, y - 3, "cut-off"),
        _text("cutoff-label", _RIGHT + 8, y + 11, str(cutoff)),
    ]


def _procedure_lines(axes: _Axes, procedures: Sequence[ProcedureMark]) -> list[str]:
    """Return the lines and, in the first free lane of the band below the values, their labels."""
    drawn = [
        _line("procedure", axes.time.x(mark.day), _POINTS_TOP, axes.time.x(mark.day), _BOTTOM) for mark in procedures
    ]
    lane_ends = [0.0] * _LANES
    for mark in procedures:
        text = f"{mark.label}, {format_day(mark.day)}"
        x, width = axes.time.x(mark.day), len(text) * _CHARACTER_WIDTH
        leftwards = x + 5 + width > WIDTH
        start = x - 5 - width if leftwards else x + 5
        lane = next((n for n, end in enumerate(lane_ends) if start >= end), _LANES - 1)
        lane_ends[lane] = start + width
        y = _POINTS_BOTTOM + 18 + lane * _LANE_HEIGHT
        drawn.append(
            _text("procedure-label", x - 5 if leftwards else x + 5, y, text, anchor="end" if leftwards else "start")
        )
    return drawn


def _draws(axes: _Axes, points: Sequence[TimelinePoint], cutoff: Decimal) -> list[str]:
    places = [(axes.time.x(point.day), axes.value.y(point.sii)) for point in points]
    trend = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    labelled = points[-_MOST_LABELS:]
    wanted = [x for x, _ in places[-_MOST_LABELS:]]
    centers = spread(wanted, _LABEL_GAP, _LABEL_GAP / 2, WIDTH - _LABEL_GAP / 2)
    drawn = [f'<polyline class="trend" points="{trend}"/>'] if points else []
    for point, center, (x, y) in zip(labelled, centers, places[-_MOST_LABELS:], strict=True):
        drawn.append(
            f'<path class="leader" d="M{center:.1f} {_LABELS_BOTTOM + 6} L{x:.1f} {_POINTS_TOP - 8:.1f} V{y - 6:.1f}"/>'
        )
        drawn.extend(_label(point, center, cutoff))
    drawn.extend(_mark(point, x, y, cutoff) for point, (x, y) in zip(points, places, strict=True))
    return drawn


def _crosses(axes: _Axes, days: Sequence[date]) -> list[str]:
    return [f"<g><title>{format_day(day)}: no SII</title>{_cross(axes.time.x(day), _BOTTOM - 10)}</g>" for day in days]


def _cross(x: float, y: float) -> str:
    return f'<path class="cross" d="M{x - 4.5:.1f} {y - 4.5:.1f} l9 9 m0 -9 l-9 9"/>'


def _label(point: TimelinePoint, center: float, cutoff: Decimal) -> list[str]:
    used = " used" if point.used else ""
    return [
        _text(f"value{used}", center, _LABELS_TOP, format_sii(point.sii, cutoff), anchor="middle"),
        _text("day", center, _LABELS_BOTTOM - 6, format_day(point.day), anchor="middle"),
    ]


def _mark(point: TimelinePoint, x: float, y: float, cutoff: Decimal) -> str:
    side = "above" if point.sii > cutoff else "not-above"
    tooltip = f"<title>{format_day(point.day)}: SII {format_sii(point.sii, cutoff)}</title>"
    if point.used:
        return f'<g class="draw used {side}">{tooltip}{_ringed(x, y)}</g>'
    return f'<g class="draw {side}">{tooltip}<circle cx="{x:.1f}" cy="{y:.1f}" r="4.5"/></g>'


def _ringed(x: float, y: float) -> str:
    return (
        f'<circle class="ring" cx="{x:.1f}" cy="{y:.1f}" r="10"/>'
        f'<path d="M{x:.1f} {y - 6.5:.1f} l6.5 6.5 l-6.5 6.5 l-6.5 -6.5 z"/>'
    )


def _legend(exclusion_days: int) -> list[str]:
    y = _LEGEND - 4
    return [
        f'<g class="draw not-above"><circle cx="{_LEFT + 6:.0f}" cy="{y}" r="4.5"/></g>',
        _text("legend", _LEFT + 18, _LEGEND, "blood draw"),
        f'<g class="draw used not-above">{_ringed(_LEFT + 116, y)}</g>',
        _text("legend", _LEFT + 132, _LEGEND, "draw judged by the service"),
        _line("procedure", _LEFT + 318, y - 8, _LEFT + 318, y + 8),
        _text("legend", _LEFT + 326, _LEGEND, "procedure"),
        f'<rect class="window" x="{_LEFT + 408:.0f}" y="{y - 8}" width="22" height="16"/>',
        _text("legend", _LEFT + 437, _LEGEND, f"days 0 to {exclusion_days} after it, not judged"),
        _cross(_LEFT + 6, _SECOND_LEGEND - 4),
        _text("legend", _LEFT + 18, _SECOND_LEGEND, "blood draw that gives no SII"),
    ]


def _line(kind: str, x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _text(kind: str, x: float, y: float, text: str, *, anchor: str = "start") -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
