"""The charts of a report as values, and the data table that says the same as each picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from cds_service.reports.content import Column, Table

if TYPE_CHECKING:
    from datetime import date

# How a value is printed: a whole number, a share of 1 as percent, or a number with one decimal.
ValueForm = Literal["count", "share", "number"]


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
class TimeSeries:
    """A value over time with control limits. Days may be missing; the line is broken at a value that is None."""

    id: str
    title: str
    description: str
    value_label: str
    points: tuple[TimePoint, ...]
    marks: tuple[TimeMark, ...] = ()
    form: ValueForm = "number"


@dataclass(frozen=True, slots=True)
class Series:
    """One colour of a stack: a value for each category of the chart."""

    name: str
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StackedBars:
    """Bars side by side (weeks), each divided by category. Series beyond the seventh are drawn as one, "other"."""

    id: str
    title: str
    description: str
    category_label: str
    value_label: str
    categories: tuple[str, ...]
    series: tuple[Series, ...]
    form: ValueForm = "count"


@dataclass(frozen=True, slots=True)
class Limit:
    """A value to be marked in a histogram, such as the cut-off."""

    value: float
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Histogram:
    """Counts between edges; one edge more than counts, rising. `logarithmic` needs edges above zero."""

    id: str
    title: str
    description: str
    value_label: str
    count_label: str
    edges: tuple[float, ...]
    counts: tuple[int, ...]
    limits: tuple[Limit, ...] = ()
    logarithmic: bool = False


@dataclass(frozen=True, slots=True)
class Bar:
    """One labelled value; `alarm` marks one that the reader must look at."""

    label: str
    value: float
    alarm: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class HorizontalBars:
    """Labelled values under each other, in the order given."""

    id: str
    title: str
    description: str
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
class ValueRanges:
    """Quantiles of groups under each other, on a logarithmic scale, beside a band such as a reference interval."""

    id: str
    title: str
    description: str
    item_label: str
    value_label: str
    ranges: tuple[Range, ...]
    band: tuple[float, float]
    band_label: str


Chart = TimeSeries | StackedBars | Histogram | HorizontalBars | ValueRanges


def formatted(value: float | None, form: ValueForm) -> str:
    """Return a value as the tables print it; a dash where there is none."""
    if value is None:
        return "–"
    if form == "share":
        return f"{value * 100:.1f} %"
    return f"{value:.0f}" if form == "count" else f"{value:.1f}"


def data_table(chart: Chart) -> Table:
    """Return what the chart shows as a table: the text alternative of the picture."""
    match chart:
        case TimeSeries():
            return _time_table(chart)
        case StackedBars():
            return _stack_table(chart)
        case Histogram():
            return _histogram_table(chart)
        case ValueRanges():
            return _ranges_table(chart)
        case HorizontalBars():
            rows = tuple((bar.label, formatted(bar.value, chart.form)) for bar in chart.bars)
            columns = (Column(chart.item_label), Column(chart.value_label, numeric=True))
            return Table(caption=chart.title, columns=columns, rows=rows)


def _time_table(chart: TimeSeries) -> Table:
    marks: dict[date, list[str]] = {}
    for mark in chart.marks:
        marks.setdefault(mark.day, []).append(mark.label)
    numbers = [(point.value, point.lower, point.center, point.upper) for point in chart.points]
    rows = [
        (
            point.day.isoformat(),
            *(formatted(number, chart.form) for number in four),
            "; ".join([*(["outside the limits"] if point.alarm else []), *marks.pop(point.day, [])]),
        )
        for point, four in zip(chart.points, numbers, strict=True)
    ]
    rows += [(day.isoformat(), "–", "–", "–", "–", "; ".join(labels)) for day, labels in marks.items()]
    titles = (chart.value_label, "Lower limit", "Center", "Upper limit")
    columns = (Column("Day"), *(Column(title, numeric=True) for title in titles), Column("Remark"))
    return Table(caption=chart.title, columns=columns, rows=tuple(sorted(rows)))


def _stack_table(chart: StackedBars) -> Table:
    values = zip(*(series.values for series in chart.series), strict=True)
    rows = tuple(
        (category, *(formatted(value, chart.form) for value in row))
        for category, row in zip(chart.categories, values, strict=bool(chart.series))
    )
    columns = (Column(chart.category_label), *(Column(series.name, numeric=True) for series in chart.series))
    return Table(caption=f"{chart.title}: {chart.value_label}", columns=columns, rows=rows)


def _histogram_table(chart: Histogram) -> Table:
    spans = zip(chart.edges, chart.edges[1:], chart.counts, strict=False)
    rows = tuple((f"{low:g} to {high:g}", str(count)) for low, high, count in spans)
    columns = (Column(chart.value_label), Column(chart.count_label, numeric=True))
    marked = "; ".join(f"{limit.label}: {limit.value:g}" for limit in chart.limits)
    return Table(caption=f"{chart.title}{f' ({marked})' if marked else ''}", columns=columns, rows=rows)


def _ranges_table(chart: ValueRanges) -> Table:
    numbers = [(range_.low, range_.first, range_.middle, range_.third, range_.high) for range_ in chart.ranges]
    rows = tuple(
        (range_.label, *("–" if number is None else f"{number:.4g}" for number in five))
        for range_, five in zip(chart.ranges, numbers, strict=True)
    )
    titles = ("5 %", "25 %", "Median", "75 %", "95 %")
    columns = (Column(chart.item_label), *(Column(title, numeric=True) for title in titles))
    low, high = chart.band
    caption = f"{chart.title}: {chart.value_label} ({chart.band_label}: {low:g} to {high:g})"
    return Table(caption=caption, columns=columns, rows=rows)
