"""Charts drawn by matplotlib: no window, no global figure, and the same bytes for the same data."""

from __future__ import annotations

import re
import warnings
from io import StringIO
from typing import TYPE_CHECKING, Any, Final

from cds_service.errors import MissingExtraError
from cds_service.reports.axes import draw_axes, is_empty
from cds_service.reports.charts import HorizontalBars, ValueRanges
from cds_service.reports.inline_svg import inline_svg
from cds_service.reports.palette import stand_in

if TYPE_CHECKING:
    from cds_service.reports.charts import Chart

_MISSING: Final = "Plots need matplotlib, which is not installed: pip install 'sii-cds[reports]'"

# XML 1.0, section 2.2. Labels are data, and matplotlib writes what it is given.
_NOT_XML: Final = re.compile("[^\\t\\n\\r\\x20-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")

_WIDTH: Final = 9.2
_HEIGHT: Final = 3.3
_BAR_HEIGHT: Final = 0.3
_BAR_FRAME_HEIGHT: Final = 0.45
_RANGE_FRAME_HEIGHT: Final = 0.9

_STYLE: Final[dict[Any, object]] = {
    "svg.fonttype": "none",
    # Labels are data: a dollar sign in one is a dollar sign.
    "text.parse_math": False,
    "date.converter": "concise",
    "font.size": 9.0,
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
    "grid.color": stand_in("rule"),
    "grid.linewidth": 0.8,
    "xtick.color": stand_in("quiet"),
    "ytick.color": stand_in("quiet"),
    "figure.facecolor": "none",
    "legend.frameon": False,
    "legend.fontsize": 8.5,
}


def draw_chart(chart: Chart) -> str:
    """Return the chart as an `svg` element with title and description.

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
        mpl.rcParams["svg.hashsalt"] = chart.id
        figure = Figure(figsize=(_WIDTH, _height(chart)), layout="constrained")
        axes = figure.add_subplot()
        draw_axes(axes, chart)
        figure.savefig(drawn, format="svg", metadata={"Date": None})
    drawing = _NOT_XML.sub("?", drawn.getvalue())
    return inline_svg(drawing, name=chart.id, title=chart.title, description=chart.description)


def _height(chart: Chart) -> float:
    """Inches: what lies under each other needs room for each; ranges have an axis and a legend besides."""
    if is_empty(chart):
        return _HEIGHT
    match chart:
        case HorizontalBars():
            return _BAR_FRAME_HEIGHT + _BAR_HEIGHT * len(chart.bars)
        case ValueRanges():
            return _RANGE_FRAME_HEIGHT + _BAR_HEIGHT * len(chart.ranges)
        case _:
            return _HEIGHT
