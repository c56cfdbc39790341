"""The result for programs: one JSON object."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cds_service.insight.monitor.causes import CAUSES
from cds_service.insight.monitor.daily import figures
from cds_service.insight.monitor.wording import detection, evidence, headline, label

if TYPE_CHECKING:
    from cds_service.insight.monitor.findings import Finding
    from cds_service.insight.monitor.monitoring import Monitoring
    from cds_service.insight.monitor.naming import Signal
    from cds_service.insight.monitor.reading import Tallies


def as_object(result: Monitoring, tallies: Tallies) -> dict[str, Any]:
    """Return findings, and the figures of every judged day of every client. Holds no patient data."""
    periods = result.periods
    return {
        "judged": {"first": periods.first.isoformat(), "last": periods.last.isoformat()},
        "baseline": {"first": periods.baseline_first.isoformat(), "last": periods.baseline_last.isoformat()},
        "records": tallies.records,
        "unreadable_lines": tallies.unreadable,
        "limit": result.limit,
        "tests_a_day": result.tests,
        "not_judged": result.unjudged,
        "findings": [finding_object(found, result) for found in result.findings],
        "unsteady_baseline": [finding_object(found, result) for found in result.unsteady],
        "changes": [
            {"day": change.day.isoformat(), "client": change.client, "what": change.what} for change in result.changes
        ],
        "clients": [
            {
                "client": charts.client,
                "baseline": {"days": len(charts.baseline_days), **figures(charts.baseline)},
                "days": [{"day": day.isoformat(), **figures(tallies.of(charts.client, day))} for day in result.days],
            }
            for charts in result.clients
        ],
    }


def finding_object(found: Finding, result: Monitoring) -> dict[str, Any]:
    """Return a finding with its words and its numbers."""
    cause = CAUSES[found.id]
    return {
        "id": found.id,
        "subjects": list(found.subjects),
        "clients": list(found.clients),
        "open": found.open,
        "first_day": found.first_day.isoformat(),
        "last_day": found.last_day.isoformat(),
        "found_on": found.noticed.isoformat(),
        "days_to_detection": found.days_to_detection,
        "sentence": f"{headline(found)}; {detection(found)}.",
        "evidence": [
            {"text": text, **_measured(client, signal)}
            for text, (client, signal) in zip(evidence(found), found.signals, strict=True)
        ],
        "explains": list(found.effects),
        "changed": [change.what for change in result.changes_near(found)],
        "likely_cause": cause.likely,
        "look_at": cause.look_at,
    }


def _measured(client: str, signal: Signal) -> dict[str, Any]:
    measure = signal.measure
    if measure is None:
        return {
            "client": client,
            "measure": "hooks",
            "count": signal.after.hooks,
            "usual_count": round(signal.usual, 1),
        }
    return {
        "client": client,
        "measure": label(measure),
        "count": measure.part(signal.after),
        "of": measure.whole(signal.after),
        "baseline_count": measure.part(signal.before),
        "baseline_of": measure.whole(signal.before),
    }
