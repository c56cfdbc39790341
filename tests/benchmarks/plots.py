"""The pictures of docs/performance.md, as SVG that is the same for the same figures."""

from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tests.benchmarks.curves import Curve
from tests.benchmarks.report import ratios
from tests.benchmarks.rounds import FLOOR, Findings

COLORS = ("#4d4d4d", "#0072b2", "#d55e00", "#cc79a7", "#009e73", "#56b4e9", "#b8860b")
MARKERS = ("o", "s", "^", "v", "D", "P", "X")
STYLE: dict[Any, object] = {
    "svg.hashsalt": "sii-cds",
    "svg.fonttype": "none",
    "font.size": 9,
    "font.family": ["DejaVu Sans"],
}


def draw_processor_time(findings: Findings, file: Path) -> None:
    """Processor time as a ratio to the floor, by the length of the chart, over one connection."""
    figure = Figure(figsize=(7, 3.4), layout="constrained")
    axes = figure.subplots()
    for place, name in enumerate(findings.servers()):
        works = sorted(
            (work for server, work in findings.loads if server == name and work.eligible and work.connections == 1),
            key=lambda work: work.observations,
        )
        found = [
            ratios(
                [m.processor_ms for m in findings.loads[name, work]],
                [m.processor_ms for m in findings.loads[FLOOR, work]],
            )
            for work in works
        ]
        _line(axes, place, [work.observations for work in works], [median(each) for each in found], name)
    axes.set(xlabel="Observations in the request", ylabel="CPU per request / bare Flask", xscale="log")
    _name_sizes(axes, sorted({work.observations for _, work in findings.loads}))
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False)
    _save(figure, file)


def draw_growth(curves: Sequence[Curve], file: Path) -> None:
    """How cost grows, one small picture for each curve."""
    figure = Figure(figsize=(7, 7.2), layout="constrained")
    places = figure.subplots(3, 2).flatten()
    for axes, curve in zip(places, curves, strict=False):
        if curve.floor:
            _line(axes, 0, curve.sizes, curve.floor, FLOOR)
        _line(axes, 1, curve.sizes, curve.own, f"service, slope {curve.slope(curve.own):.2f}")
        axes.set(title=curve.name, xlabel=curve.size, ylabel=curve.value, xscale="log", yscale="log")
        _name_sizes(axes, curve.sizes)
        axes.legend(frameon=False)
    for axes in places[len(curves) :]:
        axes.axis("off")
    _save(figure, file)


def _line(axes: Axes, place: int, sizes: Sequence[float], values: Sequence[float], label: str) -> None:
    axes.plot(sizes, values, color=COLORS[place], marker=MARKERS[place], markersize=4, label=label)


def _name_sizes(axes: Axes, sizes: Sequence[int]) -> None:
    """Write the sizes that were measured at the axis, every second of them where there are many."""
    named = sizes[:: 1 + len(sizes) // 6]
    axes.set_xticks(named, [f"{size:,}" for size in named])
    axes.minorticks_off()


def _save(figure: Figure, file: Path) -> None:
    with mpl.rc_context(STYLE):
        figure.savefig(file, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
