"""A page with one block of every kind, and texts that mean something to HTML, CSS or mathematics."""

from dataclasses import replace
from datetime import date, timedelta

from cds_service.reports.content import (
    Column,
    Document,
    Figure,
    Figures,
    Listing,
    Notice,
    Points,
    Remark,
    Remarks,
    Section,
    Table,
)
from cds_service.reports.plots import (
    Bar,
    CountsBelow,
    Curve,
    CurvePoint,
    Curves,
    Histogram,
    HorizontalBars,
    Limit,
    Plot,
    Range,
    Series,
    StackedBars,
    TimeMark,
    TimePoint,
    TimeSeries,
    ValueRanges,
)

HOSTILE = "<script>alert('$x$ & y')</script>"
FIRST_DAY = date(2026, 3, 2)


def time_series() -> TimeSeries:
    values = [0.08, 0.09, 0.07, None, 0.10, 0.08, 0.09, 0.31, 0.28, 0.09]
    return TimeSeries(
        id="firing-rate",
        title="Firing rate",
        description="Share of assessed hooks with a card for each day.",
        value_label="hooks with a card",
        points=tuple(
            TimePoint(
                day=FIRST_DAY + timedelta(days=number),
                value=value,
                lower=0.02,
                center=0.09,
                upper=0.16,
                alarm=value is not None and value > 0.16,
            )
            for number, value in enumerate(values)
        ),
        marks=(TimeMark(FIRST_DAY + timedelta(days=7), "drift"), TimeMark(FIRST_DAY + timedelta(days=8), "rule 2")),
        form="share",
    )


def stacked_bars(series: int = 3) -> StackedBars:
    return StackedBars(
        id="outcomes",
        title="Outcomes by week",
        description="Hooks of each ISO week by outcome.",
        category_label="ISO week",
        value_label="hooks",
        categories=("2026-W10", "2026-W11", "2026-W12"),
        series=tuple(Series(f"outcome {number}", (10 + number, 20, 5)) for number in range(series)),
    )


def histogram() -> Histogram:
    return Histogram(
        id="sii",
        title="SII of decided hooks",
        description="How many decided hooks had an SII in each span.",
        value_label="SII (10⁹/L)",
        count_label="hooks",
        edges=(50, 100, 200, 400, 800, 1600),
        groups=(Series("hooks", (3, 14, 22, 17, 4)),),
        limits=(Limit(405.08, "cut-off"),),
        logarithmic=True,
    )


def horizontal_bars() -> HorizontalBars:
    return HorizontalBars(
        id="reasons",
        title="Why cards were overridden",
        description="Overridden cards by reason.",
        item_label="Reason",
        value_label="cards",
        bars=(Bar("already-known", 17), Bar(HOSTILE, 4), Bar("no-further-therapy-planned", 9, alarm=True)),
    )


def value_ranges() -> ValueRanges:
    return ValueRanges(
        id="values",
        title="Platelets by code",
        description="Quantiles of each code beside the reference interval.",
        item_label="Code",
        value_label="10⁹/L",
        ranges=(Range("777-3", 150, 210, 280, 90, 390), Range(HOSTILE, 150_000, 210_000, 280_000, alarm=True)),
        band=(150, 400),
        band_label="reference interval",
    )


def curves() -> Curves:
    days = (0, 90, 365, 730, 1095)
    return Curves(
        id="survival",
        title="Free of recurrence",
        description="Share of patients without recurrence, by SII at the decision.",
        x_label="days from the decision",
        y_label="free of recurrence",
        curves=(
            Curve(
                name=HOSTILE,
                xs=days,
                ys=(1, 0.9, 0.7, 0.5, 0.4),
                lower=(1, 0.85, 0.6, 0.4, 0.3),
                upper=(1, 0.95, 0.8, 0.6, 0.5),
            ),
            Curve(name="not above", xs=days, ys=(1, 0.95, 0.85, 0.8, 0.7)),
        ),
        y_form="share",
        steps=True,
        points=(CurvePoint(365, 0.7, "one year"),),
        limits=(Limit(730, "two years"),),
        counts=CountsBelow("at risk", days, (("above", ("120", "99", "70", "41", "20")), ("not above", ("130",) * 5))),
    )


def crowded_charts() -> tuple[Plot, ...]:
    """What leaves little room: few and many categories, long names, large and zero counts, marks side by side."""
    weeks = tuple(f"2026-W{number:02}" for number in range(1, 53))
    long = tuple(Series(f"a very long name of an outcome nobody expects {n}", tuple(range(52))) for n in range(8))
    days = [FIRST_DAY + timedelta(days=number) for number in range(28)]
    points = tuple(TimePoint(day=day, value=1_000 * (day.day % 11), upper=10_000) for day in days)
    marks = tuple(TimeMark(day, "change of rule") for day in days[::3])
    edges = (10, 18, 32, 56, 100, 140, 200, 280, 400, 560, 800, 1120, 1600, 3200, 10_000, 100_000)
    codes = tuple(Range(f"code {n} of a long name that goes on", 10**n, 2 * 10**n, 3 * 10**n) for n in range(6))
    at_risk = ("12,345", "9,999", "1,000", "999", "99", "9", "0")
    reasons = ("a-very-long-reason-code-without-any-space", "患者再発リスクの高い患者様のご予約の確認", "zero")
    limits = (405.08, 300, 400, 410, 415, 420)
    return (
        replace(stacked_bars(12), id="many-series"),
        replace(stacked_bars(), id="one-zero", categories=("2026-W10",), series=(Series("none", (0,)),)),
        replace(stacked_bars(), id="long-names", categories=weeks, series=long),
        replace(stacked_bars(), id="large", categories=weeks[:5], series=(Series("x", (12_345_678, 1, 0, 0, 9)),)),
        replace(time_series(), id="one-day", points=points[:1], marks=(), form="count"),
        replace(time_series(), id="marks", points=points, marks=marks, form="count", value_label="a label " * 6),
        replace(histogram(), id="all-spans", edges=edges, groups=(Series("hooks", tuple(range(15))),)),
        replace(histogram(), id="one-span", edges=(400, 560), groups=(Series("hooks", (1,)),)),
        replace(histogram(), id="limits", limits=tuple(Limit(value, "cut-off") for value in limits)),
        replace(horizontal_bars(), id="bars", bars=tuple(Bar(name, n * 1_234_567) for n, name in enumerate(reasons))),
        replace(horizontal_bars(), id="no-bar", bars=(Bar("zero", 0),)),
        replace(value_ranges(), id="wide-ranges", ranges=codes),
        replace(value_ranges(), id="one-range", ranges=(Range("777-3", 150, 150, 150),)),
        replace(
            curves(),
            id="close-numbers",
            counts=CountsBelow("at risk", (0, 30, 60, 365, 730, 760, 1095), (("above", at_risk), ("below", at_risk))),
            points=tuple(CurvePoint(100 * n, 0.5, f"cut-off {n}") for n in range(5)),
        ),
    )


def charts() -> tuple[Plot, ...]:
    return time_series(), stacked_bars(), histogram(), horizontal_bars(), value_ranges(), curves()


def page() -> Document:
    table = Table(caption="Clients", columns=(Column("Client"), Column("Hooks", numeric=True)), rows=((HOSTILE, "12"),))
    figures = Figures((Figure("Hooks", "1 204"), Figure("Cards shown", "97", "8.1 % of the hooks")))
    remarks = Remarks(
        (
            Remark(
                tag="blocks",
                tone="bad",
                code="unit-scale",
                title="Wrong scale",
                text=HOSTILE,
                points=("platelets 0.4 %, usually 3 %", "neutrophils"),
                actions=("Ask the laboratory.",),
            ),
        )
    )
    return Document(
        kind="Audit report",
        title="SII recurrence risk",
        lead="What the service was asked, and what became of its cards.",
        facts=("2026-03-02 to 2026-03-22", HOSTILE),
        notices=(Notice("Two lines of the log cannot be read."), Notice("The chain is whole.", "fine")),
        sections=(
            Section(
                id="summary",
                title="Summary",
                text="All times are UTC.",
                blocks=(figures, Points((HOSTILE,)), Listing(HOSTILE), table, remarks),
            ),
            Section(id="plots", title="Plots", blocks=charts()),
        ),
        footer="Made by sii-cds audit report.",
    )
