"""Plots drawn by matplotlib: no window, no global figure, and the same bytes for the same data.

A picture is as wide as a telephone's screen, and its text is not smaller than 11 pixels there; a wide page puts two
side by side instead of enlarging one.
"""

from __future__ import annotations

import re
import warnings
from io import StringIO
from typing import TYPE_CHECKING, Any, Final

from cds_service.errors import MissingExtraError
from cds_service.reports.axes import (
    HEIGHT,
    LINE_BELOW,
    WIDTH,
    draw_axes,
    is_empty,
    label_lines,
    lines_below,
)
from cds_service.reports.inline_svg import inline_svg, stand_in
from cds_service.reports.plots import Curves, HorizontalBars, ValueRanges

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cds_service.reports.plots import Plot

_MISSING: Final = "Plots need matplotlib, which is not installed: pip install --require-hashes -r requirements.lock"

# XML 1.0, section 2.2. Labels are data, and matplotlib writes what it is given.
_NOT_XML: Final = re.compile("[^\\t\\n\\r\\x20-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")

_POINTS_PER_INCH: Final = 72
# Inches: of a row, of a second line in one, of what surrounds rows.
_ROW: Final = 0.3
_SECOND_LINE: Final = 0.16
_BAR_FRAME: Final = 0.45
_RANGE_FRAME: Final = 1.1

_STYLE: Final[dict[Any, object]] = {
    "svg.fonttype": "none",
    # Labels are data: a dollar sign in one is a dollar sign.
    "text.parse_math": False,
    "date.converter": "concise",
    "font.size": 11.5,
    "font.family": ["DejaVu Sans"],
    "text.color": stand_in("ink"),
    "axes.labelcolor": stand_in("quiet"),
    "axes.edgecolor": stand_in("quiet"),
    "axes.facecolor": "none",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.labelsize": 11.5,
    "grid.color": stand_in("rule"),
    "grid.linewidth": 0.8,
    "xtick.color": stand_in("quiet"),
    "xtick.labelsize": 11.5,
    "ytick.color": stand_in("quiet"),
    "ytick.labelsize": 11.5,
    "figure.facecolor": "none",
    "legend.frameon": False,
    "legend.fontsize": 11.5,
}


def draw_plot(plot: Plot) -> str:
    """Return the plot as an `svg` element with title and description.

    Raises MissingExtraError when matplotlib is not installed.
    """
    try:
        import matplotlib as mpl
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingExtraError(_MISSING) from None
    drawn = StringIO()
    with mpl.rc_context(), warnings.catch_warnings():
        # A script the drawing font lacks is measured roughly; the reader's own font shows it.
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from")
        mpl.rcdefaults()
        mpl.rcParams.update(_STYLE)
        mpl.rcParams["svg.hashsalt"] = plot.id
        figure = Figure(figsize=(WIDTH / _POINTS_PER_INCH, _height(plot)), layout="constrained")
        draw_axes(figure, plot)
        figure.savefig(drawn, format="svg", metadata={"Date": None})
    drawing = _NOT_XML.sub("?", drawn.getvalue())
    return inline_svg(drawing, name=plot.id, title=plot.title, description=plot.description)


def _height(plot: Plot) -> float:
    """Inches: what lies under each other needs room for each; ranges have an axis and a legend besides."""
    if is_empty(plot):
        return HEIGHT / 2
    match plot:
        case HorizontalBars():
            return _BAR_FRAME + _rows(bar.label for bar in plot.bars)
        case ValueRanges():
            return _RANGE_FRAME + _rows(group.label for group in plot.ranges)
        case Curves(counts=below) if below is not None:
            return HEIGHT + LINE_BELOW * lines_below(below)
        case _:
            return HEIGHT


def _rows(labels: Iterable[str]) -> float:
    return sum(_ROW + _SECOND_LINE * label_lines(label).count("\n") for label in labels)
