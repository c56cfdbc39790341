"""The figures of a day, and the whole result for programs: one JSON object."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cds_service.insight.monitor.causes import CAUSES
from cds_service.insight.monitor.wording import detection, evidence, headline, label, spread_value
from cds_service.insight.row import UNAVAILABLE
from cds_service.insight.tally import LATENCY, OVERRIDDEN, SAMPLE_AGE, SII, quantile_bin

if TYPE_CHECKING:
    from collections import Counter

    from cds_service.insight.monitor.days import Tallies
    from cds_service.insight.monitor.findings import Finding
    from cds_service.insight.monitor.monitoring import Monitoring
    from cds_service.insight.monitor.naming import Signal
    from cds_service.insight.tally import Tally


def rate(part: int, whole: int) -> float | None:
    """Return a share; None of nothing."""
    return part / whole if whole else None


def rates(parts: Counter[Any], whole: int) -> dict[str, float]:
    """Return the share of each, the most frequent first."""
    return {
        key if isinstance(key, str) else ":".join(key): count / whole for key, count in parts.most_common() if whole
    }


def eligible_rate(tally: Tally) -> float | None:
    """Share of the answered hooks that were about an eligible patient."""
    return rate(tally.answered - tally.outcomes["not-eligible"], tally.answered)


def firing_rate(tally: Tally) -> float | None:
    """Share of the decided patients that were above the cut-off."""
    return rate(tally.patients["above-cutoff"], tally.decided)


def indeterminate_rate(tally: Tally) -> float | None:
    """Share of the eligible patients whose SII could not be told."""
    return rate(tally.patients["indeterminate"], tally.eligible)


def override_rate(tally: Tally) -> float | None:
    """Share of the feedback that overrides the card."""
    return rate(tally.answers[OVERRIDDEN], tally.answers.total())


def quantile(tally: Tally, name: str, share: float = 0.5) -> float | None:
    """Return a quantile of a spread, exact to 1.2 % (to the day for the age of the draw)."""
    spread = tally.spreads.get(name)
    return float(f"{spread_value(name, quantile_bin(spread, share)):.4g}") if spread else None


def figures(tally: Tally) -> dict[str, Any]:
    """Return all figures of a day (or of several added up). Rates are shares of 1; None where there is nothing."""
    analytes = sorted(set(tally.spreads) - {SII, LATENCY, SAMPLE_AGE})
    return {
        "hooks": tally.hooks,
        "eligible_rate": eligible_rate(tally),
        "eligible_patients": tally.eligible,
        "firing_rate": firing_rate(tally),
        "indeterminate_rate": indeterminate_rate(tally),
        "reasons": rates(tally.reasons, tally.eligible),
        "not_eligible_reasons": rates(tally.refusals, tally.answered),
        "exclusions": rates(tally.excluded, tally.eligible),
        "unavailable_rate": rate(tally.outcomes[UNAVAILABLE], tally.hooks),
        "unavailable_keys": rates(tally.missing, tally.hooks),
        "cards_shown": tally.shown,
        "feedback": tally.answers.total(),
        "override_rate": override_rate(tally),
        "override_reasons": rates(tally.override_reasons, tally.answers[OVERRIDDEN]),
        "median_sii": quantile(tally, SII),
        "medians": {name: quantile(tally, name) for name in analytes},
        "median_sample_age_days": quantile(tally, SAMPLE_AGE),
        "latency_ms": {"median": quantile(tally, LATENCY), "p95": quantile(tally, LATENCY, 0.95)},
    }


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
