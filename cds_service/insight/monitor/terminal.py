"""What a person reads in a terminal: findings with their numbers, then the last days of each client."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING, Final

from cds_service.insight.monitor.causes import CAUSES
from cds_service.insight.monitor.figures import (
    eligible_rate,
    firing_rate,
    indeterminate_rate,
    override_rate,
    quantile,
    rate,
)
from cds_service.insight.monitor.periods import LEAST_BASELINE_DAYS
from cds_service.insight.monitor.wording import detection, evidence, headline, number
from cds_service.insight.tally import LATENCY, SAMPLE_AGE, SII
from cds_service.reports.printable import printable
from cds_service.reports.text_table import table_lines

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from cds_service.insight.monitor.days import Tallies
    from cds_service.insight.monitor.findings import Finding
    from cds_service.insight.monitor.monitoring import ClientCharts, Monitoring
    from cds_service.insight.tally import Tally

_WIDTH: Final = 110
# A day is one line, whatever the width of the terminal.
_TABLE_WIDTH: Final = 400
_MOST_EVIDENCE: Final = 6
_LAST_DAYS: Final = 7
COLUMNS: Final = (
    "DAY",
    "HOOKS",
    "ELIGIBLE",
    "UNAVAILABLE",
    "PATIENTS",
    "INDETERMINATE",
    "FIRING",
    "CARDS",
    "OVERRIDDEN",
    "SII",
    "DRAW AGE",
    "TIME",
)


def text_lines(result: Monitoring, tallies: Tallies, today: date) -> Iterator[str]:
    """Yield the lines of the report; names of clients stand in it as somebody wrote them."""
    yield from map(printable, _lines(result, tallies, today))


def _lines(result: Monitoring, tallies: Tallies, today: date) -> Iterator[str]:
    periods = result.periods
    yield (
        f"Judged: {periods.first} to {periods.last}. Usual: {periods.baseline_first} to {periods.baseline_last}. "
        f"Records read: {tallies.records}."
    )
    yield from not_judged(result, tallies)
    yield ""
    yield summary(result)
    for found in result.findings:
        yield ""
        yield from _finding_lines(found, result)
    for charts in result.clients:
        yield ""
        yield from _table(charts, result, tallies, today)


def summary(result: Monitoring) -> str:
    """Return in one sentence what was found."""
    if not result.clients:
        return "Nothing was judged."
    if not result.findings:
        return "No finding: all is as usual."
    count, lasting = len(result.findings), len(result.open_findings)
    if count == 1:
        return f"1 finding, {'open' if lasting else 'ended'}."
    return f"{count} findings, {lasting} of them open."


def not_judged(result: Monitoring, tallies: Tallies) -> Iterator[str]:
    """Say what could not be judged, and why."""
    for client, days in result.unjudged.items():
        yield (
            f"{client} is not judged: it has a baseline of {days} complete day{'s' if days != 1 else ''}, and "
            f"{LEAST_BASELINE_DAYS} are needed."
        )
    for found in result.unsteady:
        yield (
            f"The baseline is not steady: {headline(found)} ({found.id}). Leave those days out (--leave-out), or state "
            "a clean period (--baseline-since, --baseline-until)."
        )
    if not result.clients and not result.unjudged:
        yield "There is no hook in these days: nobody calls this service, or this is the log of another one."
    if tallies.unreadable:
        yield f"Lines that cannot be read: {tallies.unreadable}; run sii-cds audit verify."


def _finding_lines(found: Finding, result: Monitoring) -> Iterator[str]:
    cause = CAUSES[found.id]
    yield " ".join([f"{'OPEN' if found.open else 'ENDED':<5}", found.id, *found.subjects])
    yield from _indented(f"{headline(found)}; {detection(found)}.")
    lines = evidence(found)
    for line in lines[:_MOST_EVIDENCE]:
        yield from _indented(line, "- ")
    if len(lines) > _MOST_EVIDENCE:
        yield from _indented(f"and {len(lines) - _MOST_EVIDENCE} more (--json)", "- ")
    if found.effects:
        yield from _indented(f"It explains: {', '.join(found.effects)}.")
    for change in result.changes_near(found):
        yield from _indented(f"Changed on {change.day} at {change.client}: {change.what}.")
    yield from _indented(f"Likely: {cause.likely}")
    yield from _indented(f"Look at: {cause.look_at}")


def _indented(text: str, bullet: str = "") -> list[str]:
    return wrap(text, _WIDTH, initial_indent=f"      {bullet}", subsequent_indent=" " * (6 + len(bullet)))


def _table(charts: ClientCharts, result: Monitoring, tallies: Tallies, today: date) -> Iterator[str]:
    usual = charts.baseline
    days = result.days[-_LAST_DAYS:]
    rows = [("usual", *day_cells(usual, len(charts.baseline_days)))]
    rows += [(day.isoformat(), *day_cells(tallies.of(charts.client, day))) for day in days]
    if tallies.of(charts.client, today).hooks:
        rows.append(("so far today", *day_cells(tallies.of(charts.client, today))))
    yield charts.client
    yield from table_lines(COLUMNS, rows, _TABLE_WIDTH, numeric=range(1, len(COLUMNS)))


def day_cells(tally: Tally, days: int = 1) -> tuple[str, ...]:
    """Return the cells of a day; counts are means where the tally is of several days."""
    return (
        _count(tally.hooks, days),
        percent(eligible_rate(tally)),
        percent(rate(tally.outcomes["data-unavailable"], tally.hooks)),
        _count(tally.eligible, days),
        percent(indeterminate_rate(tally)),
        percent(firing_rate(tally)),
        _count(tally.shown, days),
        percent(override_rate(tally)),
        number(quantile(tally, SII)),
        number(quantile(tally, SAMPLE_AGE), " d"),
        number(quantile(tally, LATENCY), " ms"),
    )


def _count(count: int, days: int) -> str:
    return str(count) if days == 1 else f"{count / days:.1f}"


def percent(share: float | None) -> str:
    """Print a share; a dash where there is none."""
    return "–" if share is None else f"{100 * share:.{0 if share >= 0.1 or share == 0 else 1}f} %"
