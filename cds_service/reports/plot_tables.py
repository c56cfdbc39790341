"""The table that says the same as a plot: its text alternative, and what a terminal and CSV hold of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cds_service.reports.content import Column, Table
from cds_service.reports.plots import (
    Curve,
    Curves,
    Histogram,
    HorizontalBars,
    Plot,
    StackedBars,
    TimeSeries,
    ValueForm,
    ValueRanges,
    formatted,
)

if TYPE_CHECKING:
    from datetime import date


def data_table(plot: Plot) -> Table:
    """Return what the plot shows as a table: the text alternative of the picture."""
    match plot:
        case TimeSeries():
            return _time_table(plot)
        case StackedBars():
            return _stack_table(plot)
        case Histogram():
            return _histogram_table(plot)
        case Curves():
            return _curves_table(plot)
        case ValueRanges():
            return _ranges_table(plot)
        case HorizontalBars():
            rows = tuple((bar.label, bar.told(plot.form)) for bar in plot.bars)
            columns = (Column(plot.item_label), Column(plot.value_label, numeric=True))
            return Table(caption=plot.title, columns=columns, rows=rows)


def _time_table(plot: TimeSeries) -> Table:
    marks: dict[date, list[str]] = {}
    for mark in plot.marks:
        marks.setdefault(mark.day, []).append(mark.label)
    numbers = [(point.value, point.lower, point.center, point.upper) for point in plot.points]
    rows = [
        (
            point.day.isoformat(),
            *(formatted(number, plot.form) for number in four),
            "; ".join([*([plot.alarm_label] if point.alarm else []), *marks.pop(point.day, [])]),
        )
        for point, four in zip(plot.points, numbers, strict=True)
    ]
    rows += [(day.isoformat(), "–", "–", "–", "–", "; ".join(labels)) for day, labels in marks.items()]
    center = plot.center_label[0].upper() + plot.center_label[1:]
    titles = (plot.value_label, "Lower limit", center, "Upper limit")
    columns = (Column("Day"), *(Column(title, numeric=True) for title in titles), Column("Remark"))
    return Table(caption=plot.title, columns=columns, rows=tuple(sorted(rows)))


def _stack_table(plot: StackedBars) -> Table:
    values = zip(*(series.values for series in plot.series), strict=True)
    rows = tuple(
        (category, *(formatted(value, plot.form) for value in row))
        for category, row in zip(plot.categories, values, strict=bool(plot.series))
    )
    columns = (Column(plot.category_label), *(Column(series.name, numeric=True) for series in plot.series))
    return Table(caption=f"{plot.title}: {plot.value_label}", columns=columns, rows=rows)


def _histogram_table(plot: Histogram) -> Table:
    spans = [f"{low:g} to {high:g}" for low, high in zip(plot.edges, plot.edges[1:], strict=False)]
    counts = zip(*(group.values for group in plot.groups), strict=True)
    rows = tuple((span, *(f"{count:.0f}" for count in row)) for span, row in zip(spans, counts, strict=True))
    names = [plot.count_label] if len(plot.groups) == 1 else [group.name for group in plot.groups]
    columns = (Column(plot.value_label), *(Column(name, numeric=True) for name in names))
    marked = "; ".join(f"{limit.label}: {limit.value:g}" for limit in plot.limits)
    return Table(caption=f"{plot.title}{f' ({marked})' if marked else ''}", columns=columns, rows=rows)


def _ranges_table(plot: ValueRanges) -> Table:
    numbers = [(range_.low, range_.first, range_.middle, range_.third, range_.high) for range_ in plot.ranges]
    rows = tuple(
        (range_.label, *("–" if number is None else f"{number:.4g}" for number in five))
        for range_, five in zip(plot.ranges, numbers, strict=True)
    )
    titles = ("5 %", "25 %", "Median", "75 %", "95 %")
    columns = (Column(plot.item_label), *(Column(title, numeric=True) for title in titles))
    low, high = plot.band
    caption = f"{plot.title}: {plot.value_label} ({plot.band_label}: {low:g} to {high:g})"
    return Table(caption=caption, columns=columns, rows=rows)


def _curves_table(plot: Curves) -> Table:
    rows = [
        (curve.name, *(_exact(number, form) for number, form in zip(four, _forms(plot), strict=True)))
        for curve in plot.curves
        for four in zip(curve.xs, curve.ys, curve.lower or _none(curve), curve.upper or _none(curve), strict=True)
    ]
    rows += [
        (f"{point.label} (marked)", _exact(point.x, plot.x_form), _exact(point.y, plot.y_form), "–", "–")
        for point in plot.points
    ]
    if plot.counts is not None:
        rows += [
            (f"{name}: {plot.counts.title}", _exact(x, plot.x_form), count, "–", "–")
            for name, counts in plot.counts.groups
            for x, count in zip(plot.counts.xs, counts, strict=True)
        ]
    titles = (plot.x_label, plot.y_label, "Lower", "Upper")
    columns = (Column("Curve"), *(Column(title, numeric=True) for title in titles))
    marked = "; ".join(f"{limit.label}: {limit.value:g}" for limit in plot.limits)
    return Table(caption=f"{plot.title}{f' ({marked})' if marked else ''}", columns=columns, rows=tuple(rows))


def _forms(plot: Curves) -> tuple[ValueForm, ValueForm, ValueForm, ValueForm]:
    return plot.x_form, plot.y_form, plot.y_form, plot.y_form


def _none(curve: Curve) -> tuple[None, ...]:
    return (None,) * len(curve.xs)


def _exact(value: float | None, form: ValueForm) -> str:
    """Return a value of a curve: a number with four digits, since steps lie close together."""
    return f"{value:.4g}" if form == "number" and value is not None else formatted(value, form)
