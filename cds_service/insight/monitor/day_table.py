"""The days of one client as a table: what is usual, today as far as it has come, and each day, the newest first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cds_service.insight.monitor.figures import (
    eligible_rate,
    firing_rate,
    indeterminate_rate,
    override_rate,
    quantile,
    rate,
)
from cds_service.insight.monitor.wording import number
from cds_service.insight.row import UNAVAILABLE
from cds_service.insight.tally import LATENCY, SAMPLE_AGE, SII
from cds_service.reports.content import Column, Table
from cds_service.reports.counts import thousands

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from cds_service.insight.monitor.days import Tallies
    from cds_service.insight.monitor.monitoring import ClientCharts
    from cds_service.insight.tally import Tally

_LAST_DAYS: Final = 7
# A share from here on is told in whole percent.
_WHOLE_FROM: Final = 0.1
_FIGURES: Final = (
    Column("Hooks", numeric=True),
    Column("Eligible", numeric=True),
    Column("Unavailable", numeric=True, minor=True),
    Column("Patients", numeric=True),
    Column("Indeterminate", numeric=True),
    Column("Firing", numeric=True),
    Column("Cards", numeric=True, minor=True),
    Column("Overridden", numeric=True, minor=True),
    Column("SII", numeric=True, minor=True),
    Column("Draw age", numeric=True, minor=True),
    Column("Time", numeric=True, minor=True),
)


def day_table(charts: ClientCharts, days: Sequence[date], tallies: Tallies, today: date) -> Table:
    """Return the table; a terminal shows the newest week of it."""
    rows = [("usual", *_cells(charts.baseline, len(charts.baseline_days)))]
    now = tallies.of(charts.client, today)
    if now.hooks:
        rows.append(("so far today", *_cells(now)))
    brief = len(rows) + _LAST_DAYS
    rows += [(f"{day:%a} {day}", *_cells(tallies.of(charts.client, day))) for day in reversed(days)]
    caption = f"Days of {charts.client}, the newest first"
    return Table(caption=caption, columns=(Column("Day"), *_FIGURES), rows=tuple(rows), brief=brief)


def _cells(tally: Tally, days: int = 1) -> tuple[str, ...]:
    """Return the figures; counts are means where the tally is of several days."""
    return (
        _mean(tally.hooks, days),
        _percent(eligible_rate(tally)),
        _percent(rate(tally.outcomes[UNAVAILABLE], tally.hooks)),
        _mean(tally.eligible, days),
        _percent(indeterminate_rate(tally)),
        _percent(firing_rate(tally)),
        _mean(tally.shown, days),
        _percent(override_rate(tally)),
        number(quantile(tally, SII)),
        number(quantile(tally, SAMPLE_AGE), " d"),
        number(quantile(tally, LATENCY), " ms"),
    )


def _mean(count: int, days: int) -> str:
    return thousands(count) if days == 1 else f"{count / days:,.1f}"


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.{0 if share >= _WHOLE_FROM or share == 0 else 1}f} %"
