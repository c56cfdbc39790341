"""The audit report as a page: key numbers first, then weeks, clients, reasons, and what the report rests on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cds_service.audit.records import HOOK_OUTCOMES
from cds_service.insight.row import INDETERMINATE
from cds_service.insight.tally import ACCEPTED, OVERRIDDEN
from cds_service.insight.usage.changes import changes, changes_table
from cds_service.insight.usage.report_figures import (
    all_weeks,
    decide_percentiles,
    most_first,
    outcome_names,
    rates,
    reason_lists,
)
from cds_service.reports.content import Column, Document, Figure, Figures, Notice, Section, Table
from cds_service.reports.counts import counted, thousands
from cds_service.reports.plots import Bar, Histogram, HorizontalBars, Limit, Series, StackedBars
from cds_service.reports.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import tzinfo

    from cds_service.insight.tally import Tally
    from cds_service.insight.usage.statistics import Statistics

_HEADS: Final = ("Hooks", "Above", "Not above", "Indeterminate", "Not eligible", "Unavailable", "Shown", "Accepted")
_HEADS_OF_CARDS: Final = ("Overridden", "Not answered", "Kept back")
_ELIGIBLE: Final = ("above-cutoff", "not-above-cutoff", INDETERMINATE)
_REASON_IDS: Final = ("overridden", "indeterminate", "not-eligible", "unavailable", "exclusions")


def report_page(statistics: Statistics, source: str, zone: tzinfo, version: str) -> Document:
    """Return the page. `source` names the log, `version` the program that counted."""
    total = statistics.total
    return Document(
        kind="Audit report",
        title=f"{index_name(statistics)}: decisions, cards and feedback",
        lead="Counted from the audit log. A card counts in the week of its hook, whenever its feedback came.",
        facts=(
            statistics.service.id,
            period_text(statistics, zone),
            counted(total.hooks, "hook call"),
            f"weeks and times in {zone}",
            source,
        ),
        notices=_notices(statistics),
        sections=(
            _summary(statistics),
            _weeks(statistics),
            _clients(statistics),
            _reasons(statistics),
            _values(statistics),
            _basis(statistics, zone),
        ),
        footer=f"Made by sii-cds {version} audit report. The page runs nothing and loads nothing.",
    )


def period_text(statistics: Statistics, zone: tzinfo) -> str:
    """Name the days of the first and the last hook."""
    if statistics.first is None or statistics.last is None:
        return "No hook call in this period."
    return f"{statistics.first.astimezone(zone):%Y-%m-%d} to {statistics.last.astimezone(zone):%Y-%m-%d}"


def _notices(statistics: Statistics) -> tuple[Notice, ...]:
    notices = []
    if statistics.unreadable:
        lines = thousands(statistics.unreadable)
        notices.append(Notice(f"Lines of the log that cannot be read and are not counted: {lines}. Run audit verify."))
    notices += [
        Notice(f"Hook calls of another service, which this page is not about: {printable(name)}, {thousands(number)}.")
        for name, number in most_first(statistics.other_services)
    ]
    if statistics.feedback_unknown:
        items = thousands(statistics.feedback_unknown)
        notices.append(Notice(f"Feedback items that name a card this log does not know: {items}."))
    return tuple(notices)


def _summary(statistics: Statistics) -> Section:
    total, held = statistics.total, statistics.total.presentations
    patients = len(statistics.shown_per_patient)
    most = max(statistics.shown_per_patient.values(), default=0)
    figures = (
        Figure("Hook calls", thousands(total.hooks), counted(len(statistics.users), "user")),
        Figure(
            "Cards shown",
            thousands(total.shown),
            f"for {counted(patients, 'patient')}, at most {thousands(most)} for one",
        ),
        Figure("Accepted", thousands(total.answers[ACCEPTED])),
        Figure("Overridden", thousands(total.answers[OVERRIDDEN])),
        Figure("Not answered", thousands(total.unanswered), "no feedback came"),
        *_trend_app(statistics),
        Figure(
            "Kept back",
            thousands(_kept_back(total)),
            f"{thousands(held['silent'])} silent, {thousands(held['snoozed'])} snoozed",
        ),
    )
    rows = tuple((rate.name, rate.text, thousands(rate.part), thousands(rate.whole)) for rate in rates(total))
    columns = (Column("Rate"), *(Column(name, numeric=True) for name in ("Share", "Count", "Of")))
    return Section(
        id="summary",
        title="Summary",
        blocks=(Figures(figures), Table(caption="Rates of the whole period", columns=columns, rows=rows)),
    )


def _trend_app(statistics: Statistics) -> tuple[Figure, ...]:
    views, refused = statistics.views, statistics.views_refused
    if not views:
        return ()
    pages = "page" if views - refused == 1 else "pages"
    return (Figure("Trend app", thousands(views - refused), f"{pages} shown, {thousands(refused)} refused"),)


def _weeks(statistics: Statistics) -> Section:
    weeks = all_weeks(statistics)
    table = _table("Weeks", "Week", weeks.items(), "No hook call.")
    blocks = (_asked(statistics, weeks), eligible_by_week(weeks), answers_by_week(weeks), table)
    return Section(id="weeks", title="By week", blocks=blocks)


def _asked(statistics: Statistics, weeks: Mapping[str, Tally]) -> StackedBars:
    """Draw all hooks; those of eligible patients, which are few among them, have a plot of their own."""
    others = [name for name in outcome_names(statistics) if name not in _ELIGIBLE and statistics.total.outcomes[name]]
    eligible = Series("eligible", tuple(sum(week.outcomes[name] for name in _ELIGIBLE) for week in weeks.values()))
    series = (Series(name, tuple(week.outcomes[name] for week in weeks.values())) for name in others)
    return StackedBars(
        id="hooks-by-week",
        title="Hook calls by week",
        description="All hook calls of each ISO week: for eligible patients, and why not for the others.",
        category_label="ISO week",
        value_label="hook calls",
        categories=tuple(weeks),
        series=(eligible, *series),
    )


def eligible_by_week(weeks: Mapping[str, Tally]) -> StackedBars:
    """Draw the hooks of eligible patients alone."""
    return StackedBars(
        id="eligible-by-week",
        title="Eligible patients by week",
        description="Hook calls of each ISO week for eligible patients, by what was decided.",
        category_label="ISO week",
        value_label="hook calls",
        categories=tuple(weeks),
        series=tuple(Series(name, tuple(week.outcomes[name] for week in weeks.values())) for name in _ELIGIBLE),
    )


def answers_by_week(weeks: Mapping[str, Tally]) -> StackedBars:
    """Draw shown cards by what became of them."""
    return StackedBars(
        id="answers-by-week",
        title="Shown cards by week",
        description="Cards shown in each ISO week by what became of them.",
        category_label="ISO week",
        value_label="cards",
        categories=tuple(weeks),
        series=(
            Series("accepted", tuple(counts.answers[ACCEPTED] for counts in weeks.values())),
            Series("overridden", tuple(counts.answers[OVERRIDDEN] for counts in weeks.values())),
            Series("not answered", tuple(counts.unanswered for counts in weeks.values()), neutral=True),
        ),
    )


def _clients(statistics: Statistics) -> Section:
    rows = sorted(statistics.clients.items())
    return Section(id="clients", title="By client", blocks=(_table("Clients", "Client", rows, "No hook call."),))


def _table(caption: str, first: str, rows: Iterable[tuple[str, Tally]], empty: str) -> Table:
    columns = (Column(first), *(Column(name, numeric=True) for name in (*_HEADS, *_HEADS_OF_CARDS)))
    return Table(caption=caption, columns=columns, rows=tuple(_row(name, counts) for name, counts in rows), empty=empty)


def _row(name: str, counts: Tally) -> tuple[str, ...]:
    cards = (counts.shown, counts.answers[ACCEPTED], counts.answers[OVERRIDDEN], counts.unanswered, _kept_back(counts))
    return (name, *map(thousands, (counts.hooks, *(counts.outcomes[outcome] for outcome in HOOK_OUTCOMES), *cards)))


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
    name, rule = index_name(statistics), statistics.service.rule
    used = [place for place, hooks in enumerate(statistics.index) if hooks]
    first, last = (used[0], used[-1] + 1) if used else (0, 1)
    near, known = statistics.near_cutoff, sum(statistics.index)
    chart = Histogram(
        id="index",
        title=f"{name} of decided hook calls",
        description=(
            f"{thousands(near)} of {thousands(known)} {'lies' if near == 1 else 'lie'} within {rule.imprecision} of "
            "the cut-off, where the imprecision of the laboratory alone may change the side (derived)."
        ),
        value_label=f"{name} ({rule.unit})" if rule.unit else name,
        count_label="hook calls",
        edges=tuple(map(float, rule.spans[first : last + 1])),
        groups=(Series("hook calls", tuple(map(float, statistics.index[first:last]))),),
        limits=limits,
        logarithmic=True,
    )
    return Section(id="values", title=name, blocks=(chart,))


def index_name(statistics: Statistics) -> str:
    """Name the index of the service, as its cards do."""
    return statistics.service.voice.topic.display or statistics.service.id


def _basis(statistics: Statistics, zone: tzinfo) -> Section:
    versions = Table(
        caption="Versions that decided",
        columns=(*map(Column, ("Rule", "Mappings", "Configuration", "First", "Last")), Column("Hooks", numeric=True)),
        rows=tuple(
            (
                *version,
                *(at.astimezone(zone).isoformat(" ", "minutes") for at in (use.first, use.last)),
                thousands(use.hooks),
            )
            for version, use in statistics.versions.items()
        ),
        empty="No hook call.",
    )
    percentiles = decide_percentiles(statistics)
    feedback = Table(
        caption="Feedback and speed",
        columns=(Column("What"), Column("Figure", numeric=True)),
        rows=(
            ("Feedback items on cards of this period, or on unknown cards", thousands(statistics.feedback_items)),
            (
                "Items for a card that had feedback already; the last one counts",
                thousands(statistics.feedback_repeated),
            ),
            ("Items for cards this log does not know", thousands(statistics.feedback_unknown)),
            ("Items for cards that were not shown", thousands(statistics.feedback_not_shown)),
            ("Median time of a decision (ms)", f"{percentiles[0]:.1f}" if percentiles else "–"),
            ("95th percentile of that time (ms)", f"{percentiles[1]:.1f}" if percentiles else "–"),
        ),
    )
    changed = changes_table(changes(statistics, zone))
    return Section(id="basis", title="What this rests on", blocks=(changed, versions, feedback))
