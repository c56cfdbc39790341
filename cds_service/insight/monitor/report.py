"""What the monitor says to people as one document: findings, what was changed, then each client's charts and days."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from cds_service.clinical.models import Analyte
from cds_service.insight.monitor.causes import CAUSES
from cds_service.insight.monitor.day_table import day_table
from cds_service.insight.monitor.figures import quantile
from cds_service.insight.monitor.wording import detection, evidence, headline, label, not_judged, summary
from cds_service.insight.tally import SAMPLE_AGE, SII
from cds_service.reports.content import Column, Document, Notice, Remark, Remarks, Section, Table
from cds_service.reports.counts import thousands
from cds_service.reports.plots import TimeMark, TimePoint, TimeSeries

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from cds_service.insight.monitor.days import Tallies
    from cds_service.insight.monitor.findings import Finding
    from cds_service.insight.monitor.monitoring import Charted, ClientCharts, Monitoring

_MEDIANS: Final = {
    SII: "SII",
    Analyte.PLATELETS.value: "platelets (10⁹/L)",
    Analyte.NEUTROPHILS.value: "neutrophils (10⁹/L)",
    Analyte.LYMPHOCYTES.value: "lymphocytes (10⁹/L)",
    Analyte.ALBUMIN.value: "albumin (g/L)",
    SAMPLE_AGE: "age of the draw (days)",
}
# Charts that are always drawn; others only where they signal.
_ALWAYS: Final = ("hooks", "eligible", "indeterminate", "firing")
_MOST_SIGNALLING: Final = 10


def monitor_document(result: Monitoring, tallies: Tallies, now: datetime) -> Document:
    """Return the document. `now` is in the zone in which days are counted. Holds no patient data."""
    periods = result.periods
    quiet = bool(result.clients) and not result.open_findings
    return Document(
        kind="Monitor",
        title="Does the rule still behave?",
        lead="What became unusual in the judged days, by the days before them.",
        facts=(
            f"Judged: {periods.first} to {periods.last}",
            f"Usual: {periods.baseline_first} to {periods.baseline_last}",
            f"Records read: {thousands(tallies.records)}",
            f"Made: {now.isoformat(' ', 'minutes')}",
        ),
        notices=(
            Notice(summary(result), "fine" if quiet else "warning"),
            *(Notice(line) for line in not_judged(result, tallies)),
        ),
        sections=(
            *_findings(result),
            *_changes(result),
            *(_client(number, charts, result, tallies, now) for number, charts in enumerate(result.clients, 1)),
        ),
        footer=(
            f"A chart signals when what was seen has a probability below {_plain(result.limit)}; "
            f"{thousands(result.tests)} probabilities are looked at each day. Rates of patients count a patient once a "
            "day."
        ),
    )


def _plain(probability: float) -> str:
    """Write a small number without an exponent, to one digit."""
    return f"{Decimal(f'{probability:.1g}'):f}"


def _findings(result: Monitoring) -> Iterator[Section]:
    """Tell what lasts before what has ended, each in the order of time."""
    if result.findings:
        ordered = sorted(result.findings, key=lambda found: not found.open)
        remarks = Remarks(tuple(_remark(found, result) for found in ordered))
        yield Section(id="findings", title="Findings", blocks=(remarks,))


def _remark(found: Finding, result: Monitoring) -> Remark:
    cause = CAUSES[found.id]
    actions = [f"It explains: {', '.join(found.effects)}."] if found.effects else []
    actions += [f"Changed on {change.day} at {change.client}: {change.what}." for change in result.changes_near(found)]
    return Remark(
        tag="open" if found.open else "ended",
        tone="warning" if found.open else "neutral",
        code=" ".join((found.id, *found.subjects)),
        title=cause.title,
        text=f"{headline(found)}; {detection(found)}.",
        points=tuple(evidence(found)),
        actions=(*actions, f"Likely: {cause.likely}", f"Look at: {cause.look_at}"),
    )


def _changes(result: Monitoring) -> Iterator[Section]:
    if result.changes:
        rows = tuple((change.day.isoformat(), change.client, change.what) for change in result.changes)
        table = Table(
            caption="Changes of configuration, rule and mapping",
            columns=(Column("Day"), Column("Client"), Column("Change")),
            rows=rows,
        )
        yield Section(id="changes", title="What was changed on purpose", blocks=(table,))


def _client(number: int, charts: ClientCharts, result: Monitoring, tallies: Tallies, now: datetime) -> Section:
    signalling = [one for one in charts.charted if one.episodes]
    drawn = [one for one in charts.charted if one.key in _ALWAYS and not one.episodes]
    series = [
        _series(f"client-{number}-chart-{place}", one, result)
        for place, one in enumerate([*signalling[:_MOST_SIGNALLING], *drawn])
    ]
    medians = _medians(f"client-{number}", charts, result, tallies)
    table = day_table(charts, result.days, tallies, now.date())
    return Section(id=f"client-{number}", title=charts.client, blocks=(*series, *medians, table))


def _series(chart_id: str, one: Charted, result: Monitoring) -> TimeSeries:
    chart, measure = one.chart, one.measure
    points = []
    for place, day in enumerate(result.days):
        whole = chart.most(place) if measure is not None else 1
        unusual = any(episode.first <= place <= episode.last for episode in one.episodes)
        if whole == 0:
            points.append(TimePoint(day=day, value=None))
            continue
        low, high = chart.usual_range(place, result.limit)
        points.append(
            TimePoint(
                day=day,
                value=float(chart.counts[place]) / whole,
                lower=low / whole,
                center=float(chart.expected[place]) / whole,
                upper=high / whole,
                alarm=unusual,
            )
        )
    title = label(measure) if measure is not None else "hooks"
    return TimeSeries(
        id=chart_id,
        title=title[0].upper() + title[1:],
        description=_description(one),
        value_label="share" if measure is not None else "hooks",
        points=tuple(points),
        marks=tuple(TimeMark(result.days[episode.first], "change") for episode in one.episodes),
        form="share" if measure is not None else "count",
        center_label="usual",
        limits_label="limits of a single day",
        alarm_label="day of a change",
    )


def _medians(prefix: str, charts: ClientCharts, result: Monitoring, tallies: Tallies) -> Iterator[TimeSeries]:
    """Draw SII, what it is computed from, and the age of the draw, where the log holds them."""
    for name, title in _MEDIANS.items():
        usual = quantile(charts.baseline, name)
        if usual is None:
            continue
        medians = [(day, quantile(tallies.of(charts.client, day), name)) for day in result.days]
        yield TimeSeries(
            id=f"{prefix}-median-{name}",
            title=f"Median {title} of the decided patients",
            description="The line is the median of the baseline. Shifts are judged by the share above it.",
            value_label=title,
            points=tuple(TimePoint(day=day, value=value, center=usual) for day, value in medians),
            center_label="median of the baseline",
        )


def _description(one: Charted) -> str:
    if not one.episodes:
        return "As usual. The limits are those of a single day; weeks and months are judged as well."
    return (
        "Marked days belong to a change. The limits are those of a single day; weeks and months are judged as well, so "
        "that days within their limits may belong to a change."
    )
