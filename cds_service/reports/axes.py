"""What each kind of chart draws on matplotlib's axes. Meaning never rests on color alone."""

from __future__ import annotations

from datetime import date
from math import nan
from typing import TYPE_CHECKING, Final

from cds_service.reports.charts import (
    Histogram,
    HorizontalBars,
    Series,
    StackedBars,
    TimeSeries,
    ValueRanges,
    formatted,
)
from cds_service.reports.palette import SERIES, stand_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from cds_service.reports.charts import Chart, TimePoint, ValueForm

_MOST_SERIES: Final = len(SERIES) - 1
_MOST_TICKS: Final = 14
_MARK_LANES: Final = 3
_LONGEST_LABEL: Final = 48
_EPOCH: Final = date(1970, 1, 1)
_LINE: Final = stand_in("series-1")


def is_empty(chart: Chart) -> bool:
    """Tell whether there is nothing to draw."""
    match chart:
        case TimeSeries():
            return all(point.value is None for point in chart.points)
        case StackedBars():
            return not chart.categories or not chart.series
        case Histogram():
            return not any(chart.counts)
        case HorizontalBars():
            return not chart.bars
        case ValueRanges():
            return not chart.ranges


def draw_axes(axes: Axes, chart: Chart) -> None:
    """Draw a chart of any kind; one without data says so."""
    if is_empty(chart):
        axes.axis("off")
        axes.text(0.5, 0.5, "No data in this period.", ha="center", va="center", transform=axes.transAxes)
        return
    match chart:
        case TimeSeries():
            _time_series(axes, chart)
        case StackedBars():
            _stacked_bars(axes, chart)
        case Histogram():
            _histogram(axes, chart)
        case HorizontalBars():
            _horizontal_bars(axes, chart)
        case ValueRanges():
            _value_ranges(axes, chart)


def _time_series(axes: Axes, chart: TimeSeries) -> None:
    points = sorted(chart.points, key=lambda point: point.day)
    days = [_days(point.day) for point in points]
    for key, style, width in (("center", "solid", 1.0), ("lower", "dashed", 1.2), ("upper", "dashed", 1.2)):
        values = _numbers([getattr(point, key) for point in points])
        if any(value == value for value in values):
            label = "center" if key == "center" else "control limits" if key == "upper" else None
            axes.plot(
                days,
                values,
                drawstyle="steps-mid",
                linestyle=style,
                linewidth=width,
                color=stand_in("limit"),
                label=label,
            )
    axes.plot(days, _numbers([point.value for point in points]), color=_LINE, linewidth=1.4, marker="o", markersize=3)
    _alarms(axes, points, days)
    _marks(axes, chart)
    axes.xaxis_date()
    _value_axis(axes, chart.value_label, chart.form)
    _legend(axes)


def _alarms(axes: Axes, points: Sequence[TimePoint], days: Sequence[float]) -> None:
    alarms = [
        (day, point.value) for day, point in zip(days, points, strict=True) if point.alarm and point.value is not None
    ]
    if alarms:
        xs, ys = zip(*alarms, strict=True)
        axes.plot(
            xs, ys, linestyle="none", marker="D", markersize=6, color=stand_in("alarm"), label="outside the limits"
        )


def _marks(axes: Axes, chart: TimeSeries) -> None:
    """Name days above the plot, in lanes, so that neighbours do not cover each other."""
    for number, mark in enumerate(sorted(chart.marks, key=lambda mark: mark.day)):
        x = _days(mark.day)
        axes.axvline(x, color=stand_in("ink"), linewidth=1.0, linestyle="dotted")
        lane = 1.02 + 0.07 * (number % min(_MARK_LANES, len(chart.marks)))
        axes.text(
            x,
            lane,
            _shortened(mark.label),
            transform=axes.get_xaxis_transform(),
            ha="center",
            va="bottom",
            fontsize=8.5,
        )


def _stacked_bars(axes: Axes, chart: StackedBars) -> None:
    places = range(len(chart.categories))
    floor = [0.0] * len(chart.categories)
    for series, role in zip(_drawn_series(chart.series), SERIES, strict=False):
        axes.bar(
            places, series.values, bottom=floor, width=0.8, label=_shortened(series.name),
            color=stand_in(role), edgecolor=stand_in("panel"), linewidth=0.6,
        )  # fmt: skip
        floor = [low + value for low, value in zip(floor, series.values, strict=True)]
    step = -(-len(chart.categories) // _MOST_TICKS)
    axes.set_xticks(list(places)[::step], list(chart.categories)[::step])
    axes.set_xlabel(chart.category_label)
    _value_axis(axes, chart.value_label, chart.form)
    _legend(axes)


def _drawn_series(series: tuple[Series, ...]) -> tuple[Series, ...]:
    """As many series as colors can tell apart; the rest is added up."""
    if len(series) <= len(SERIES):
        return series
    rest = series[_MOST_SERIES:]
    summed = tuple(map(sum, zip(*(one.values for one in rest), strict=True)))
    return (*series[:_MOST_SERIES], Series(f"other ({len(rest)})", summed))


def _histogram(axes: Axes, chart: Histogram) -> None:
    widths = [high - low for low, high in zip(chart.edges, chart.edges[1:], strict=False)]
    axes.bar(
        chart.edges[:-1], chart.counts, width=widths, align="edge",
        color=_LINE, edgecolor=stand_in("panel"), linewidth=0.6,
    )  # fmt: skip
    if chart.logarithmic:
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.xaxis.set_minor_formatter(lambda _value, _: "")
    for limit in chart.limits:
        axes.axvline(limit.value, color=stand_in("ink"), linewidth=1.4, linestyle="dashed")
        axes.text(
            limit.value, 1.02, f"{limit.label} {limit.value:g}", transform=axes.get_xaxis_transform(), ha="center",
            va="bottom", fontsize=8.5,
        )  # fmt: skip
    axes.set_xlabel(chart.value_label)
    _value_axis(axes, chart.count_label, "count")


def _horizontal_bars(axes: Axes, chart: HorizontalBars) -> None:
    places = range(len(chart.bars))
    colors = [stand_in("alarm") if bar.alarm else _LINE for bar in chart.bars]
    drawn = axes.barh(places, [bar.value for bar in chart.bars], height=0.66, color=colors)
    axes.bar_label(
        drawn,
        [formatted(bar.value, chart.form) + (" !" if bar.alarm else "") for bar in chart.bars],
        padding=4,
        fontsize=8.5,
    )
    axes.set_yticks(list(places), [_shortened(bar.label) for bar in chart.bars])
    axes.tick_params(axis="y", length=0, labelcolor=stand_in("ink"))
    axes.invert_yaxis()
    axes.margins(x=0.12)
    axes.grid(visible=False)
    axes.xaxis.set_visible(False)
    axes.spines["bottom"].set_visible(False)


def _value_ranges(axes: Axes, chart: ValueRanges) -> None:
    from matplotlib.ticker import LogLocator

    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.axvspan(*chart.band, color=stand_in("rule"), alpha=0.5, linewidth=0, label=chart.band_label)
    for place, group in enumerate(chart.ranges):
        color = stand_in("alarm") if group.alarm else _LINE
        ends = (group.first if group.low is None else group.low, group.third if group.high is None else group.high)
        axes.plot(ends, (place, place), color=color, linewidth=1.4)
        axes.plot((group.first, group.third), (place, place), color=color, linewidth=7, alpha=0.55)
        axes.plot((group.middle,), (place,), color=color, marker="D" if group.alarm else "o", markersize=6)
    labels = [group.label + (" !" if group.alarm else "") for group in chart.ranges]
    axes.set_yticks(range(len(labels)), labels)
    axes.set_ylim(len(labels) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0, labelcolor=stand_in("ink"))
    axes.grid(visible=False, axis="y")
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.xaxis.set_minor_formatter(lambda _value, _: "")
    axes.set_xlabel(chart.value_label)
    _legend(axes)


def _value_axis(axes: Axes, label: str, form: ValueForm) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.set_ylabel(label)
    if form == "count":
        axes.yaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
    if form == "share":
        axes.yaxis.set_major_formatter(lambda value, _: f"{value * 100:g} %")
    axes.set_ylim(bottom=min(0.0, axes.get_ylim()[0]) if form == "number" else 0.0)


def _legend(axes: Axes) -> None:
    handles, _ = axes.get_legend_handles_labels()
    if handles:
        axes.figure.legend(loc="outside lower left", ncols=min(len(handles), 5))


def _shortened(text: str) -> str:
    """Cut a label that would leave the plot no room; the table below the chart has all of it."""
    return text if len(text) <= _LONGEST_LABEL else f"{text[: _LONGEST_LABEL - 1]}…"


def _days(day: date) -> float:
    """Return a day as matplotlib counts it: since 1970."""
    return float((day - _EPOCH).days)


def _numbers(values: Sequence[float | None]) -> list[float]:
    return [nan if value is None else value for value in values]
