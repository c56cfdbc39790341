"""The figures of one day, as they are shown and exported."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cds_service.insight.monitor.tallies import LATENCY, SAMPLE_AGE, SII, quantile_bin
from cds_service.insight.monitor.wording import spread_value

if TYPE_CHECKING:
    from collections import Counter

    from cds_service.insight.monitor.tallies import DayTally


def rate(part: int, whole: int) -> float | None:
    """Return a share; None of nothing."""
    return part / whole if whole else None


def rates(parts: Counter[Any], whole: int) -> dict[str, float]:
    """Return the share of each, the most frequent first."""
    return {
        key if isinstance(key, str) else ":".join(key): count / whole for key, count in parts.most_common() if whole
    }


def eligible_rate(tally: DayTally) -> float | None:
    """Share of the answered hooks that were about an eligible patient."""
    answered = tally.hooks - tally.outcomes["data-unavailable"]
    return rate(answered - tally.outcomes["not-eligible"], answered)


def firing_rate(tally: DayTally) -> float | None:
    """Share of the decided patients that were above the cut-off."""
    return rate(tally.patients["above-cutoff"], tally.decided)


def indeterminate_rate(tally: DayTally) -> float | None:
    """Share of the eligible patients whose SII could not be told."""
    return rate(tally.patients["indeterminate"], tally.eligible)


def override_rate(tally: DayTally) -> float | None:
    """Share of the feedback that overrides the card."""
    return rate(tally.feedback["overridden"], tally.feedback.total())


def quantile(tally: DayTally, name: str, share: float = 0.5) -> float | None:
    """Return a quantile of a spread, exact to 1.2 % (to the day for the age of the draw)."""
    spread = tally.spreads.get(name)
    return float(f"{spread_value(name, quantile_bin(spread, share)):.4g}") if spread else None


def figures(tally: DayTally) -> dict[str, Any]:
    """Return all figures of a day (or of several added up). Rates are shares of 1; None where there is nothing."""
    answered = tally.hooks - tally.outcomes["data-unavailable"]
    analytes = sorted(set(tally.spreads) - {SII, LATENCY, SAMPLE_AGE})
    return {
        "hooks": tally.hooks,
        "eligible_rate": eligible_rate(tally),
        "eligible_patients": tally.eligible,
        "firing_rate": firing_rate(tally),
        "indeterminate_rate": indeterminate_rate(tally),
        "reasons": rates(tally.reasons, tally.eligible),
        "not_eligible_reasons": rates(tally.refusals, answered),
        "exclusions": rates(tally.exclusions, tally.eligible),
        "unavailable_rate": rate(tally.outcomes["data-unavailable"], tally.hooks),
        "unavailable_keys": rates(tally.missing_keys, tally.hooks),
        "cards_shown": tally.cards_shown,
        "feedback": tally.feedback.total(),
        "override_rate": override_rate(tally),
        "override_reasons": rates(tally.override_reasons, tally.feedback["overridden"]),
        "median_sii": quantile(tally, SII),
        "medians": {name: quantile(tally, name) for name in analytes},
        "median_sample_age_days": quantile(tally, SAMPLE_AGE),
        "latency_ms": {"median": quantile(tally, LATENCY), "p95": quantile(tally, LATENCY, 0.95)},
    }
