"""What each kind of plot draws on matplotlib's axes. Meaning rests on no color alone, and no label covers another."""

from __future__ import annotations

import textwrap
from datetime import date
from math import ceil, floor, log10, nan
from typing import TYPE_CHECKING, Final

from cds_service.reports.inline_svg import SERIES, stand_in
from cds_service.reports.plots import (
    Curves,
    Histogram,
    HorizontalBars,
    Series,
    StackedBars,
    TimeSeries,
    ValueRanges,
)
from cds_service.reports.text_table import columns_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from cds_service.reports.plots import CountsBelow, Curve, Plot, TimePoint, ValueForm

# Points of a figure's width, and those of a character: a generous estimate, since the reader's font is not known.
WIDTH: Final = 388.0
_CHARACTER: Final = 6.6
# Points beside a name of the legend: its color, and what keeps it from the next.
_LEGEND_COLOR: Final = 58.0
# Inches: of most plots, and of a line of numbers below one.
HEIGHT: Final = 3.2
LINE_BELOW: Final = 0.22
# Of what stands around the axes of a plot: labels and legend.
_AROUND: Final = 1.3
_MOST_SERIES: Final = len(SERIES) - 1
# Of the horizontal axis itself, and what keeps its labels apart.
_AXIS: Final = 300.0
_GAP: Final = 16.0
_MOST_DATES: Final = 6
_LANES: Final = 4
# Points from one lane of labels above a plot to the next.
_LANE: Final = 14.0
_LINE_OF_LABEL: Final = 24
_LONGEST_NAME: Final = 40
_DASHES: Final = ("solid", "dashed", "dashdot", "dotted")
# Steps between powers of ten for axes of more than sixty times, of more than five times, and of less.
_STEPS: Final = ((1.0,), (1.0, 2.0, 5.0), (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0))
_WIDE: Final = 60
_NARROW: Final = 5
# Of the axis, beside the longest bar for its number.
_MOST_BESIDE: Final = 0.6
_EPOCH: Final = date(1970, 1, 1)
_LINE: Final = stand_in("series-1")


def is_empty(plot: Plot) -> bool:
    """Tell whether there is nothing to draw."""
    match plot:
        case TimeSeries():
            return all(point.value is None for point in plot.points)
        case StackedBars():
            return not plot.categories or not plot.series
        case Histogram():
            return not any(any(group.values) for group in plot.groups)
        case HorizontalBars():
            return not plot.bars
        case ValueRanges():
            return not plot.ranges
        case Curves():
            return not any(curve.xs for curve in plot.curves)


def draw_axes(figure: Figure, plot: Plot) -> None:
    """Draw a plot of any kind; one without data says so."""
    if isinstance(plot, Curves) and plot.counts is not None and not is_empty(plot):
        heights = (HEIGHT - _AROUND, LINE_BELOW * lines_below(plot.counts))
        axes, below = figure.subplots(2, 1, sharex=True, height_ratios=heights)
        axes.tick_params(labelbottom=True)
        _curves(axes, plot)
        _counts_below(below, plot.counts)
    else:
        _draw_alone(figure.add_subplot(), plot)


def _draw_alone(axes: Axes, plot: Plot) -> None:
    if is_empty(plot):
        axes.axis("off")
        axes.text(0.5, 0.5, "No data.", ha="center", va="center", transform=axes.transAxes)
        return
    match plot:
        case TimeSeries():
            _time_series(axes, plot)
        case StackedBars():
            _stacked_bars(axes, plot)
        case Histogram():
            _histogram(axes, plot)
        case HorizontalBars():
            _horizontal_bars(axes, plot)
        case ValueRanges():
            _value_ranges(axes, plot)
        case Curves():
            _curves(axes, plot)


def label_lines(label: str) -> str:
    """Break a label at the left of its row into two lines at most; the table below the plot has all of it."""
    # A Chinese character is as wide as two.
    widest = max(map(columns_of, label), default=1)
    lines = textwrap.wrap(label, _LINE_OF_LABEL // max(widest, 1))
    return "\n".join(lines if len(lines) <= 2 else (lines[0], f"{lines[1][:-1]}…"))


def _time_series(axes: Axes, plot: TimeSeries) -> None:
    from matplotlib.dates import AutoDateLocator

    points = sorted(plot.points, key=lambda point: point.day)
    days = [_days(point.day) for point in points]
    for key, style, width in (("center", "solid", 1.0), ("lower", "dashed", 1.2), ("upper", "dashed", 1.2)):
        values = _numbers([getattr(point, key) for point in points])
        if any(value == value for value in values):
            label = plot.center_label if key == "center" else plot.limits_label if key == "upper" else None
            axes.plot(
                days, values, drawstyle="steps-mid", linestyle=style, linewidth=width, color=stand_in("limit"),
                label=label,
            )  # fmt: skip
    axes.plot(days, _numbers([point.value for point in points]), color=_LINE, linewidth=1.4, marker="o", markersize=3)
    if len(set(days)) == 1:
        axes.set_xlim(days[0] - 1, days[0] + 1)
    _alarms(axes, points, days, plot.alarm_label)
    axes.xaxis_date()
    axes.xaxis.set_major_locator(AutoDateLocator(minticks=2, maxticks=_MOST_DATES))  # type: ignore[no-untyped-call]
    _value_axis(axes, plot.value_label, plot.form)
    _marks(axes, [(_days(mark.day), mark.label) for mark in plot.marks])
    _legend(axes)


def _alarms(axes: Axes, points: Sequence[TimePoint], days: Sequence[float], label: str) -> None:
    alarms = [
        (day, point.value) for day, point in zip(days, points, strict=True) if point.alarm and point.value is not None
    ]
    if alarms:
        xs, ys = zip(*alarms, strict=True)
        color = stand_in("alarm")
        axes.plot(xs, ys, linestyle="none", marker="D", markersize=6, color=color, label=label)


def _marks(axes: Axes, marks: Iterable[tuple[float, str]]) -> None:
    """Name places above the plot, each in the first lane with room; where all are taken the line stands alone."""
    low, high = axes.get_xlim()
    if axes.get_xscale() == "log":
        low, high = _log(low), _log(high)
    ends = [float("-inf")] * _LANES
    for x, text in sorted(marks):
        axes.axvline(x, color=stand_in("ink"), linewidth=1.1, linestyle="dotted")
        label = _shortened(text)
        place = ((_log(x) if axes.get_xscale() == "log" else x) - low) / (high - low)
        half = (columns_of(label) * _CHARACTER + _GAP / 2) / _AXIS / 2
        center = min(max(place, half), 1 - half) if half < 0.5 else 0.5
        lane = next((number for number, end in enumerate(ends) if center - half > end), None)
        if lane is not None:
            ends[lane] = center + half
            axes.annotate(
                label, (center, 1), xytext=(0, 4 + _LANE * lane), xycoords="axes fraction", textcoords="offset points",
                ha="center", va="bottom", annotation_clip=False,
            )  # fmt: skip


def _stacked_bars(axes: Axes, plot: StackedBars) -> None:
    places = range(len(plot.categories))
    floor = [0.0] * len(plot.categories)
    drawn = _drawn_series(plot.series)
    for series, role in zip(drawn, _roles(drawn), strict=True):
        axes.bar(
            places, series.values, bottom=floor, width=0.8, label=_shortened(series.name),
            color=stand_in(role), edgecolor=stand_in("panel"), linewidth=0.6,
        )  # fmt: skip
        floor = [low + value for low, value in zip(floor, series.values, strict=True)]
    longest = max(map(len, plot.categories))
    step = -(-len(plot.categories) // max(1, int(_AXIS / (_CHARACTER * longest + _GAP))))
    axes.set_xticks(list(places)[::step], list(plot.categories)[::step])
    axes.set_xlabel(plot.category_label)
    _value_axis(axes, plot.value_label, plot.form)
    _legend(axes)


def _roles(drawn: Sequence[Series]) -> list[str]:
    """Give each series its color, neutral ones the last, which is gray."""
    colors = iter(SERIES)
    return [SERIES[-1] if series.neutral else next(colors) for series in drawn]


def _drawn_series(series: tuple[Series, ...]) -> tuple[Series, ...]:
    """As many series as colors can tell apart; the rest is added up."""
    if len(series) <= len(SERIES):
        return series
    rest = series[_MOST_SERIES:]
    summed = tuple(map(sum, zip(*(one.values for one in rest), strict=True)))
    return (*series[:_MOST_SERIES], Series(f"other ({len(rest)})", summed))


def _histogram(axes: Axes, plot: Histogram) -> None:
    widths = [high - low for low, high in zip(plot.edges, plot.edges[1:], strict=False)]
    if len(plot.groups) == 1:
        axes.bar(
            plot.edges[:-1], plot.groups[0].values, width=widths, align="edge",
            color=_LINE, edgecolor=stand_in("panel"), linewidth=0.6,
        )  # fmt: skip
    else:
        for group, role, dash in zip(plot.groups, SERIES, _DASHES * 2, strict=False):
            color = stand_in(role)
            axes.stairs(group.values, plot.edges, color=color, linestyle=dash, linewidth=1.8, label=group.name)
    if plot.logarithmic:
        axes.set_xscale("log")
        axes.set_xlim(plot.edges[0], plot.edges[-1])
        _logarithmic_ticks(axes, _AXIS)
    axes.set_xlabel(plot.value_label)
    _value_axis(axes, plot.count_label, "count")
    _marks(axes, [(limit.value, f"{limit.label} {limit.value:g}") for limit in plot.limits])
    _legend(axes)


def _horizontal_bars(axes: Axes, plot: HorizontalBars) -> None:
    places = range(len(plot.bars))
    colors = [stand_in("alarm") if bar.alarm else _LINE for bar in plot.bars]
    drawn = axes.barh(places, [bar.value for bar in plot.bars], height=0.66, color=colors)
    told = [bar.told(plot.form) + (" !" if bar.alarm else "") for bar in plot.bars]
    axes.bar_label(drawn, told, padding=4)
    longest = max(len(line) for bar in plot.bars for line in label_lines(bar.label).split("\n"))
    beside = (_CHARACTER * max(map(len, told)) + _GAP) / (WIDTH - _CHARACTER * longest - _GAP)
    axes.set_xlim(0, max((bar.value for bar in plot.bars), default=0) / (1 - min(beside, _MOST_BESIDE)) or 1)
    axes.set_yticks(list(places), [label_lines(bar.label) for bar in plot.bars])
    axes.tick_params(axis="y", length=0, labelcolor=stand_in("ink"))
    axes.invert_yaxis()
    axes.grid(visible=False)
    axes.xaxis.set_visible(False)
    axes.spines["bottom"].set_visible(False)


def _value_ranges(axes: Axes, plot: ValueRanges) -> None:
    axes.set_xscale("log")
    axes.axvspan(*plot.band, color=stand_in("rule"), alpha=0.5, linewidth=0, label=plot.band_label)
    for place, group in enumerate(plot.ranges):
        color = stand_in("alarm") if group.alarm else _LINE
        ends = (group.first if group.low is None else group.low, group.third if group.high is None else group.high)
        axes.plot(ends, (place, place), color=color, linewidth=1.4)
        axes.plot((group.first, group.third), (place, place), color=color, linewidth=7, alpha=0.55)
        axes.plot((group.middle,), (place,), color=color, marker="D" if group.alarm else "o", markersize=6)
    _logarithmic_ticks(axes, WIDTH - _CHARACTER * _LINE_OF_LABEL)
    labels = [label_lines(group.label + (" !" if group.alarm else "")) for group in plot.ranges]
    axes.set_yticks(range(len(labels)), labels)
    axes.set_ylim(len(labels) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0, labelcolor=stand_in("ink"))
    axes.grid(visible=False, axis="y")
    axes.set_xlabel(plot.value_label)
    _legend(axes)


def _logarithmic_ticks(axes: Axes, width: float) -> None:
    """Name powers of ten, and steps between them where there are few, as many as stand side by side in the width."""
    low, high = axes.get_xlim()
    powers = range(floor(log10(low)), ceil(log10(high)) + 1)
    steps = _STEPS[0] if high / low > _WIDE else _STEPS[1] if high / low > _NARROW else _STEPS[2]
    ticks = [step * 10.0**power for power in powers for step in steps if low <= step * 10.0**power <= high]
    longest = max((len(f"{tick:g}") for tick in ticks), default=1)
    every = -(-len(ticks) // max(1, int(width / (_CHARACTER * longest + _GAP))))
    axes.set_xticks(ticks[::every] if every else ticks)
    axes.set_xticks([], minor=True)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")


def _curves(axes: Axes, plot: Curves) -> None:
    for curve, role, dash in zip(plot.curves, SERIES, _DASHES * 2, strict=False):
        style = "steps-post" if plot.steps else "default"
        color = stand_in(role)
        axes.plot(
            curve.xs, curve.ys, drawstyle=style, color=color, linestyle=dash, linewidth=1.8,
            label=_shortened(curve.name),
        )  # fmt: skip
        _band(axes, curve, color, steps=plot.steps)
    if plot.diagonal:
        axes.plot((0, 1), (0, 1), color=stand_in("limit"), linestyle="dotted", linewidth=1.2, label="chance")
    for point in plot.points:
        axes.plot(
            (point.x,), (point.y,), linestyle="none", marker="D", markersize=7, color=stand_in("ink"),
            label=_shortened(point.label),
        )  # fmt: skip
    axes.set_xlabel(plot.x_label)
    axes.set_ylabel(plot.y_label)
    for axis, form in ((axes.xaxis, plot.x_form), (axes.yaxis, plot.y_form)):
        if form == "share":
            axis.set_major_formatter(lambda value, _: f"{value * 100:g} %")
    _marks(axes, [(limit.value, f"{limit.label} {limit.value:g}") for limit in plot.limits])
    if plot.counts is not None:
        axes.set_xticks([plot.counts.xs[place] for place in told_places(plot.counts)])
    _legend(axes)


def _band(axes: Axes, curve: Curve, color: str, *, steps: bool) -> None:
    if curve.lower and curve.upper:
        axes.fill_between(
            curve.xs, curve.lower, curve.upper, step="post" if steps else None, color=color, alpha=0.16, linewidth=0
        )


def _counts_below(axes: Axes, counts: CountsBelow) -> None:
    """Write the numbers under the ticks they belong to, each group's name on a line above its numbers."""
    axes.axis("off")
    axes.set_ylim(lines_below(counts), 0)
    start = axes.get_yaxis_transform()
    axes.text(0, 0, counts.title, transform=start, va="top", color=stand_in("quiet"))
    for line, (name, numbers) in enumerate(counts.groups):
        axes.text(0, 1 + 2 * line, _shortened(name), transform=start, va="top")
        for place in told_places(counts):
            axes.text(counts.xs[place], 2 + 2 * line, numbers[place], va="top", ha="center")


def told_places(counts: CountsBelow) -> list[int]:
    """Return the places that have room for their numbers, from the left; the table has all."""
    widest = max((len(number) for _, numbers in counts.groups for number in numbers), default=1)
    widest = max(widest, *(len(f"{x:g}") for x in counts.xs))
    room = (_CHARACTER * widest + _GAP / 2) / _AXIS * (max(counts.xs) - min(counts.xs))
    places: list[int] = []
    for place, x in enumerate(counts.xs):
        if not places or x - counts.xs[places[-1]] >= room:
            places.append(place)
    return places


def lines_below(counts: CountsBelow) -> int:
    """Return the lines that numbers below an axis take: the title's, and two for each group."""
    return 1 + 2 * len(counts.groups)


def _value_axis(axes: Axes, label: str, form: ValueForm) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.set_ylabel("\n".join(textwrap.wrap(label, _LINE_OF_LABEL)))
    if form == "count":
        axes.yaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    if form == "share":
        axes.yaxis.set_major_formatter(lambda value, _: f"{value * 100:g} %")
    axes.set_ylim(bottom=min(0.0, axes.get_ylim()[0]) if form == "number" else 0.0)
    if form == "count" and axes.get_ylim()[1] < 1:
        # Nothing was counted: an axis of its own size would name zero several times.
        axes.set_ylim(top=1.0)


def _legend(axes: Axes) -> None:
    """Name what is drawn below it, in as many columns as the longest name allows.

    Its first line is part of a plot's height; for further ones the picture grows, and the axes keep their room.
    """
    handles, labels = axes.get_legend_handles_labels()
    if handles:
        width = _LEGEND_COLOR + _CHARACTER * max(map(columns_of, labels))
        columns = max(1, min(len(handles), int(WIDTH / width)))
        figure = axes.get_figure(root=True)
        assert figure is not None  # noqa: S101  axes of a drawn plot have one
        figure.legend(loc="outside lower left", ncols=columns)
        figure.set_figheight(figure.get_figheight() + LINE_BELOW * (ceil(len(handles) / columns) - 1))


def _shortened(text: str) -> str:
    """Cut a name that would leave the plot no room; the table below the plot has all of it."""
    return text if len(text) <= _LONGEST_NAME else f"{text[: _LONGEST_NAME - 1]}…"


def _days(day: date) -> float:
    """Return a day as matplotlib counts it: since 1970."""
    return float((day - _EPOCH).days)


def _log(value: float) -> float:
    return log10(value)


def _numbers(values: Sequence[float | None]) -> list[float]:
    return [nan if value is None else value for value in values]
