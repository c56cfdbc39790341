"""The audit report as a page: key numbers first, then weeks, clients, reasons, and what the report rests on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cds_service.audit.records import HOOK_OUTCOMES
from cds_service.insight.tally import ACCEPTED, OVERRIDDEN
from cds_service.insight.usage.report_figures import (
    all_weeks,
    decide_percentiles,
    most_first,
    outcome_names,
    rates,
    reason_lists,
)
from cds_service.insight.usage.statistics import SII_EDGES
from cds_service.reports.content import Column, Document, Figure, Figures, Notice, Section, Table
from cds_service.reports.plots import Bar, Histogram, HorizontalBars, Limit, Series, StackedBars
from cds_service.reports.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import tzinfo

    from cds_service.insight.tally import Tally
    from cds_service.insight.usage.statistics import Statistics

_HEADS: Final = ("Hooks", "Above", "Not above", "Indeterminate", "Not eligible", "Unavailable", "Shown", "Accepted")
_HEADS_OF_CARDS: Final = ("Overridden", "Not answered", "Kept back")
_REASON_IDS: Final = ("overridden", "indeterminate", "not-eligible", "unavailable", "exclusions")


def report_page(statistics: Statistics, source: str, zone: tzinfo, version: str) -> Document:
    """Return the page. `source` names the log, `version` the program that counted."""
    total = statistics.total
    period = "No hook call in this period."
    if statistics.first is not None and statistics.last is not None:
        period = f"{statistics.first.astimezone(zone):%Y-%m-%d} to {statistics.last.astimezone(zone):%Y-%m-%d}"
    return Document(
        kind="Audit report",
        title="SII recurrence risk: decisions, cards and feedback",
        lead="Counted from the audit log. A card counts in the week of its hook, whenever its feedback came.",
        facts=(statistics.service, period, f"{total.hooks} hook calls", f"weeks in {zone}", source),
        notices=_notices(statistics),
        sections=(
            _summary(statistics),
            _weeks(statistics),
            _clients(statistics),
            _reasons(statistics),
            _values(statistics),
            _basis(statistics),
        ),
        footer=f"Made by sii-cds {version} audit report. The page runs nothing and loads nothing.",
    )


def _notices(statistics: Statistics) -> tuple[Notice, ...]:
    notices = []
    if statistics.unreadable:
        text = f"Lines of the log that cannot be read and are not counted: {statistics.unreadable}. Run audit verify."
        notices.append(Notice(text))
    notices += [
        Notice(f"Hook calls of another service, which this page is not about: {printable(name)}, {number}.")
        for name, number in most_first(statistics.other_services)
    ]
    if statistics.feedback_unknown:
        text = f"Feedback items that name a card this log does not know: {statistics.feedback_unknown}."
        notices.append(Notice(text))
    return tuple(notices)


def _summary(statistics: Statistics) -> Section:
    total, held = statistics.total, statistics.total.presentations
    patients = len(statistics.shown_per_patient)
    most = max(statistics.shown_per_patient.values(), default=0)
    figures = (
        Figure("Hook calls", str(total.hooks), f"{len(statistics.users)} users"),
        Figure("Cards shown", str(total.shown), f"for {patients} patients, at most {most} for one"),
        Figure("Accepted", str(total.answers[ACCEPTED])),
        Figure("Overridden", str(total.answers[OVERRIDDEN])),
        Figure("Not answered", str(total.unanswered), "no feedback came"),
        *_trend_app(statistics),
        Figure("Kept back", str(_kept_back(total)), f"{held['silent']} silent, {held['snoozed']} snoozed"),
    )
    rows = tuple((rate.name, rate.text, str(rate.part), str(rate.whole)) for rate in rates(total))
    columns = (Column("Rate"), *(Column(name, numeric=True) for name in ("Share", "Count", "Of")))
    return Section(
        id="summary",
        title="Summary",
        blocks=(Figures(figures), Table(caption="Rates of the whole period", columns=columns, rows=rows)),
    )


def _trend_app(statistics: Statistics) -> tuple[Figure, ...]:
    views, refused = statistics.views, statistics.views_refused
    return (Figure("Trend app", str(views - refused), f"pages shown, {refused} refused"),) if views else ()


def _weeks(statistics: Statistics) -> Section:
    weeks = all_weeks(statistics)
    outcomes = StackedBars(
        id="outcomes-by-week",
        title="Outcomes by week",
        description="Hook calls of each ISO week by outcome.",
        category_label="ISO week",
        value_label="hook calls",
        categories=tuple(weeks),
        series=tuple(
            Series(name, tuple(counts.outcomes[name] for counts in weeks.values()))
            for name in outcome_names(statistics)
            if statistics.total.outcomes[name]
        ),
    )
    answers = StackedBars(
        id="answers-by-week",
        title="Shown cards by week",
        description="Cards shown in each ISO week by what became of them.",
        category_label="ISO week",
        value_label="cards",
        categories=tuple(weeks),
        series=(
            Series("accepted", tuple(counts.answers[ACCEPTED] for counts in weeks.values())),
            Series("overridden", tuple(counts.answers[OVERRIDDEN] for counts in weeks.values())),
            Series("not answered", tuple(counts.unanswered for counts in weeks.values())),
        ),
    )
    return Section(
        id="weeks",
        title="By week",
        blocks=(outcomes, answers, _table("Weeks", "Week", weeks.items(), "No hook call.")),
    )


def _clients(statistics: Statistics) -> Section:
    rows = sorted(statistics.clients.items())
    return Section(id="clients", title="By client", blocks=(_table("Clients", "Client", rows, "No hook call."),))


def _table(caption: str, first: str, rows: Iterable[tuple[str, Tally]], empty: str) -> Table:
    columns = (Column(first), *(Column(name, numeric=True) for name in (*_HEADS, *_HEADS_OF_CARDS)))
    return Table(caption=caption, columns=columns, rows=tuple(_row(name, counts) for name, counts in rows), empty=empty)


def _row(name: str, counts: Tally) -> tuple[str, ...]:
    cards = (counts.shown, counts.answers[ACCEPTED], counts.answers[OVERRIDDEN], counts.unanswered, _kept_back(counts))
    return (name, *map(str, (counts.hooks, *(counts.outcomes[outcome] for outcome in HOOK_OUTCOMES), *cards)))


def _kept_back(counts: Tally) -> int:
    return counts.presentations["silent"] + counts.presentations["snoozed"]


def _reasons(statistics: Statistics) -> Section:
    lists = zip(_REASON_IDS, reason_lists(statistics), strict=True)
    blocks = tuple(_reason_bars(name, title, counter) for name, (title, counter) in lists if counter)
    empty = Table(caption="Reasons", columns=(Column("Reason"),), rows=(), empty="No reason in this period.")
    return Section(
        id="reasons",
        title="Reasons",
        text="One hook call can have several reasons, and several results that were not used.",
        blocks=blocks or (empty,),
    )


def _reason_bars(name: str, title: str, counter: Mapping[str, int]) -> HorizontalBars:
    return HorizontalBars(
        id=f"reasons-{name}",
        title=title,
        description="The code of each reason and how often it was met.",
        item_label="Reason",
        value_label="times",
        bars=tuple(Bar(printable(reason), number) for reason, number in most_first(counter)),
    )


def _values(statistics: Statistics) -> Section:
    limits = tuple(Limit(float(cutoff), "cut-off") for cutoff, _ in most_first(statistics.cutoffs))
    used = [place for place, hooks in enumerate(statistics.sii) if hooks]
    first, last = (used[0], used[-1] + 1) if used else (0, 1)
    chart = Histogram(
        id="sii",
        title="SII of decided hook calls",
        description=(
            f"{statistics.near_cutoff} of {statistics.total.decided} lie within 85 of the cut-off, where the "
            "imprecision of the laboratory alone may change the side (derived)."
        ),
        value_label="SII (10⁹/L)",
        count_label="hook calls",
        edges=tuple(map(float, SII_EDGES[first : last + 1])),
        groups=(Series("hook calls", tuple(map(float, statistics.sii[first:last]))),),
        limits=limits,
        logarithmic=True,
    )
    return Section(id="values", title="SII", blocks=(chart,))


def _basis(statistics: Statistics) -> Section:
    versions = Table(
        caption="Versions that decided",
        columns=(*map(Column, ("Rule", "Mappings", "Configuration", "First", "Last")), Column("Hooks", numeric=True)),
        rows=tuple(
            (*version, f"{use.first:%Y-%m-%d %H:%M}", f"{use.last:%Y-%m-%d %H:%M}", str(use.hooks))
            for version, use in statistics.versions.items()
        ),
        empty="No hook call.",
    )
    percentiles = decide_percentiles(statistics)
    feedback = Table(
        caption="Feedback and speed",
        columns=(Column("What"), Column("Figure", numeric=True)),
        rows=(
            ("Feedback items on cards of this period, or on unknown cards", str(statistics.feedback_items)),
            ("Items for a card that had feedback already; the last one counts", str(statistics.feedback_repeated)),
            ("Items for cards this log does not know", str(statistics.feedback_unknown)),
            ("Items for cards that were not shown", str(statistics.feedback_not_shown)),
            ("Median time of a decision (ms)", f"{percentiles[0]:.1f}" if percentiles else "–"),
            ("95th percentile of that time (ms)", f"{percentiles[1]:.1f}" if percentiles else "–"),
        ),
    )
    return Section(id="basis", title="What this rests on", text="Times are UTC.", blocks=(versions, feedback))
