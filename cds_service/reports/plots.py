"""The plots of a report as values; `axes` says what each kind draws, `plot_tables` the same as a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from datetime import date

# How a value is printed: a whole number, a share of 1 as percent, or a number with one decimal.
ValueForm = Literal["count", "share", "number"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Named:
    """What every plot has: an id that is unique in its document, a title, and what it shows in a sentence or two."""

    id: str
    title: str
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TimePoint:
    """A value of one day, None where there is none, with its control limits if it has any.

    `alarm` marks a point that the reader must look at, whatever made it one.
    """

    day: date
    value: float | None
    lower: float | None = None
    center: float | None = None
    upper: float | None = None
    alarm: bool = False


@dataclass(frozen=True, slots=True)
class TimeMark:
    """A day to be pointed out, such as a detected change or a new rule version, and a word or two about it."""

    day: date
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeSeries(_Named):
    """A value over time with control limits. Days may be missing; the line is broken at a value that is None.

    `center_label`, `limits_label` and `alarm_label` say in the legend and the table what these are.
    """

    value_label: str
    points: tuple[TimePoint, ...]
    marks: tuple[TimeMark, ...] = ()
    form: ValueForm = "number"
    center_label: str = "center"
    limits_label: str = "control limits"
    alarm_label: str = "outside the limits"


@dataclass(frozen=True, slots=True)
class Series:
    """One color of a plot: a value for each category, span or place of it. A `neutral` one is gray: nothing came."""

    name: str
    values: tuple[float, ...]
    neutral: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StackedBars(_Named):
    """Bars side by side (weeks), each divided by category. Series beyond the seventh are drawn as one, "other"."""

    category_label: str
    value_label: str
    categories: tuple[str, ...]
    series: tuple[Series, ...]
    form: ValueForm = "count"


@dataclass(frozen=True, slots=True)
class Limit:
    """A value to be marked on the horizontal axis, such as the cut-off."""

    value: float
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Histogram(_Named):
    """Counts between edges, for one group or several; one edge more than counts, rising.

    `logarithmic` needs edges above zero.
    """

    value_label: str
    count_label: str
    edges: tuple[float, ...]
    groups: tuple[Series, ...]
    limits: tuple[Limit, ...] = ()
    logarithmic: bool = False


@dataclass(frozen=True, slots=True)
class Bar:
    """One labelled value; `alarm` marks one that the reader must look at.

    `text` is printed in place of the value where that may not be told, such as "<5"; the value is 0 then.
    """

    label: str
    value: float
    alarm: bool = False
    text: str = ""

    def told(self, form: ValueForm) -> str:
        """Return the value as it is printed."""
        return self.text or formatted(self.value, form)


@dataclass(frozen=True, slots=True, kw_only=True)
class HorizontalBars(_Named):
    """Labelled values under each other, in the order given."""

    item_label: str
    value_label: str
    bars: tuple[Bar, ...]
    form: ValueForm = "count"


@dataclass(frozen=True, slots=True)
class Range:
    """Quantiles of one group. `low` and `high` (5 % and 95 %) are None where too few values speak for them."""

    label: str
    first: float
    middle: float
    third: float
    low: float | None = None
    high: float | None = None
    alarm: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueRanges(_Named):
    """Quantiles of groups under each other, on a logarithmic scale, beside a band such as a reference interval."""

    item_label: str
    value_label: str
    ranges: tuple[Range, ...]
    band: tuple[float, float]
    band_label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """A line through points, with a band around it where `lower` and `upper` are given."""

    name: str
    xs: tuple[float, ...]
    ys: tuple[float, ...]
    lower: tuple[float, ...] = ()
    upper: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """A point to be marked, such as the cut-off in use on a ROC curve."""

    x: float
    y: float
    label: str


@dataclass(frozen=True, slots=True)
class CountsBelow:
    """Numbers below the horizontal axis, such as patients at risk: for each group as many as `xs`, as they are read."""

    title: str
    xs: tuple[float, ...]
    groups: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Curves(_Named):
    """Lines over a common axis: a ROC curve, survival (`steps`), net benefit. `diagonal` draws the line of chance."""

    x_label: str
    y_label: str
    curves: tuple[Curve, ...]
    x_form: ValueForm = "number"
    y_form: ValueForm = "number"
    steps: bool = False
    diagonal: bool = False
    points: tuple[CurvePoint, ...] = ()
    limits: tuple[Limit, ...] = ()
    counts: CountsBelow | None = None


Plot = TimeSeries | StackedBars | Histogram | HorizontalBars | ValueRanges | Curves


def formatted(value: float | None, form: ValueForm) -> str:
    """Return a value as the tables print it; a dash where there is none."""
    if value is None:
        return "–"
    if form == "share":
        return f"{value * 100:.1f} %"
    # Thousands stand apart in counts alone: SII and other values are read as the laboratory writes them.
    return f"{value:,.0f}" if form == "count" else f"{value:.1f}"
