"""The result for Prometheus: a file for the textfile collector of the node exporter."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import TYPE_CHECKING, Final

from prometheus_client import CollectorRegistry, Gauge, write_to_textfile

from cds_service.insight.monitor.causes import CAUSES
from cds_service.insight.monitor.figures import (
    eligible_rate,
    firing_rate,
    indeterminate_rate,
    override_rate,
    quantile,
    rate,
)
from cds_service.insight.tally import LATENCY, SII

if TYPE_CHECKING:
    from pathlib import Path

    from cds_service.insight.monitor.days import Tallies
    from cds_service.insight.monitor.monitoring import ClientCharts, Monitoring
    from cds_service.insight.tally import Tally

_PREFIX: Final = "sii_cds_monitor"


def write_metrics(path: Path, result: Monitoring, tallies: Tallies, now: datetime) -> None:
    """Write the file whole or not at all, by renaming. Labels hold clients and ids of findings only. Raises OSError."""
    registry = CollectorRegistry()

    def gauge(name: str, text: str, labels: tuple[str, ...] = ()) -> Gauge:
        return Gauge(f"{_PREFIX}_{name}", text, labels, registry=registry)

    gauge("last_run_timestamp_seconds", "When the monitor ran.").set(now.timestamp())
    last = datetime.combine(result.periods.last, time.min, UTC)
    gauge("last_day_timestamp_seconds", "The newest judged day, as its midnight in UTC.").set(last.timestamp())
    gauge("unreadable_lines", "Lines of the audit log that cannot be read.").set(tallies.unreadable)
    gauge("unsteady_baseline", "Changes within the baseline itself.").set(len(result.unsteady))
    found = gauge("open_findings", "Findings that last, by kind and client; all kinds.", ("finding", "client"))
    judged = gauge("client_judged", "Whether a client has a baseline and is judged.", ("client",))
    for client in result.unjudged:
        judged.labels(client).set(0)
    for charts in result.clients:
        judged.labels(charts.client).set(1)
        for kind in CAUSES:
            count = sum(kind == one.id and charts.client in one.clients for one in result.open_findings)
            found.labels(kind, charts.client).set(count)
    day = gauge("day_value", "Figures of the newest judged day and of a usual day.", ("client", "figure", "of"))
    for charts in result.clients:
        _set_figures(day, charts, tallies, result)
    write_to_textfile(str(path), registry)


def _set_figures(day: Gauge, charts: ClientCharts, tallies: Tallies, result: Monitoring) -> None:
    newest = tallies.of(charts.client, result.days[-1])
    for which, tally, days in (("day", newest, 1), ("usual", charts.baseline, len(charts.baseline_days))):
        for name, value in _figures(tally, days).items():
            if value is not None:
                day.labels(charts.client, name, which).set(value)


def _figures(tally: Tally, days: int) -> dict[str, float | None]:
    return {
        "hooks": tally.hooks / days,
        "eligible_ratio": eligible_rate(tally),
        "unavailable_ratio": rate(tally.outcomes["data-unavailable"], tally.hooks),
        "indeterminate_ratio": indeterminate_rate(tally),
        "firing_ratio": firing_rate(tally),
        "override_ratio": override_rate(tally),
        "cards_shown": tally.shown / days,
        "median_sii": quantile(tally, SII),
        "median_latency_ms": quantile(tally, LATENCY),
    }
