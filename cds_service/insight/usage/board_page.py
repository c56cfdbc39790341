"""One page for the safety board: four figures, two plots, and what was changed. It is printed on one sheet of A4."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cds_service.insight.row import INDETERMINATE, UNAVAILABLE
from cds_service.insight.tally import OVERRIDDEN
from cds_service.insight.usage.changes import changes, changes_table
from cds_service.insight.usage.report_figures import Rate, all_weeks
from cds_service.insight.usage.report_page import answers_by_week, eligible_by_week, index_name, period_text
from cds_service.reports.content import Document, Figure, Figures, Notice, Section
from cds_service.reports.counts import counted, thousands

if TYPE_CHECKING:
    from datetime import tzinfo

    from cds_service.insight.tally import Tally
    from cds_service.insight.usage.statistics import Statistics

# As many as the sheet has room for.
_MOST_CHANGES: Final = 6


def board_page(statistics: Statistics, source: str, zone: tzinfo, version: str) -> Document:
    """Return the page. `source` names the log, `version` the program that counted. Holds no patient data."""
    name, weeks = index_name(statistics), all_weeks(statistics)
    told = changes(statistics, zone)
    more = len(told) - _MOST_CHANGES
    earlier = f"{counted(more, 'earlier change')}: audit report --html lists all." if more > 0 else ""
    return Document(
        kind="Safety board",
        title=f"{name}: what the rule did, and what became of its cards",
        lead="Counted from the audit log. A card counts in the week of its hook call, whenever its feedback came.",
        facts=(
            statistics.service.id,
            period_text(statistics, zone),
            counted(statistics.total.hooks, "hook call"),
            f"weeks and days in {zone}",
            source,
        ),
        notices=_notices(statistics),
        sections=(
            Section(id="figures", title="Four figures", blocks=(_figures(statistics.total, name),)),
            Section(id="weeks", title="By week", blocks=(eligible_by_week(weeks), answers_by_week(weeks))),
            Section(id="changes", title="What changed", text=earlier, blocks=(changes_table(told[:_MOST_CHANGES]),)),
        ),
        footer=f"Made by sii-cds {version} audit report. The page runs nothing and loads nothing.",
        one_sheet=True,
    )


def _notices(statistics: Statistics) -> tuple[Notice, ...]:
    if not statistics.unreadable:
        return ()
    lines = counted(statistics.unreadable, "line")
    return (Notice(f"The figures may be too low: {lines} of the log cannot be read. Run audit verify."),)


def _figures(total: Tally, name: str) -> Figures:
    """Return how often the rule speaks, cannot tell, cannot read, and is contradicted; each with its denominator."""
    rates = (
        (Rate("Above the cut-off", total.outcomes["above-cutoff"], total.decided), "hook call", f" with {name}"),
        (Rate(f"{name} could not be told", total.outcomes[INDETERMINATE], total.eligible), "eligible hook call", ""),
        (Rate("Data unavailable", total.outcomes[UNAVAILABLE], total.hooks), "hook call", ""),
        (Rate("Cards overridden", total.answers[OVERRIDDEN], total.shown), "shown card", ""),
    )
    return Figures(
        tuple(
            Figure(rate.name, rate.text, f"{thousands(rate.part)} of {counted(rate.whole, noun)}{more}")
            for rate, noun, more in rates
        )
    )
