"""The figures of the audit report in the order they are told: as data, and for the page."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from cds_service.audit.records import HOOK_OUTCOMES
from cds_service.insight.row import INDETERMINATE, UNAVAILABLE
from cds_service.insight.tally import ACCEPTED, OVERRIDDEN, Tally, quantile
from cds_service.insight.usage.statistics import week_name

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Mapping

    from cds_service.insight.usage.statistics import Statistics


class Rate(NamedTuple):
    """A share with what it is a share of: `part` of `whole`."""

    name: str
    part: int
    whole: int

    @property
    def text(self) -> str:
        """Return the share in percent; a dash where the whole is empty."""
        return f"{self.part / self.whole * 100:.1f} %" if self.whole else "–"


def rates(counts: Tally) -> tuple[Rate, ...]:
    """Return the rates a patient-safety officer watches."""
    outcomes = counts.outcomes
    return (
        Rate("Data unavailable, of all hooks", outcomes[UNAVAILABLE], counts.hooks),
        Rate("Indeterminate, of eligible", outcomes[INDETERMINATE], counts.eligible),
        Rate("Above the cut-off, of decided", outcomes["above-cutoff"], counts.decided),
        Rate("Cards accepted, of shown", counts.answers[ACCEPTED], counts.shown),
        Rate("Cards overridden, of shown", counts.answers[OVERRIDDEN], counts.shown),
        Rate("Cards not answered, of shown", counts.unanswered, counts.shown),
    )


def outcome_names(statistics: Statistics) -> tuple[str, ...]:
    """Return every outcome that is counted, those of the rule first."""
    others = sorted(set(statistics.total.outcomes) - set(HOOK_OUTCOMES))
    return (*HOOK_OUTCOMES, *others)


def all_weeks(statistics: Statistics) -> dict[str, Tally]:
    """Return the weeks from the first to the last hook, also those without any."""
    names = sorted(statistics.weeks)
    if not names:
        return {}
    monday, last = (date.fromisoformat(f"{name}-1") for name in (names[0], names[-1]))
    weeks: dict[str, Tally] = {}
    while monday <= last:
        name = week_name(monday)
        weeks[name] = statistics.weeks.of(name)
        monday += timedelta(days=7)
    return weeks


def most_first(counter: Mapping[str, int]) -> list[tuple[str, int]]:
    """Sort by count, then by name, so that equal counts stand in one order always."""
    return sorted(counter.items(), key=lambda item: (-item[1], item[0]))


def decide_percentiles(statistics: Statistics) -> tuple[float, float] | None:
    """Return median and 95th percentile of the time a decision took, in ms; None for fewer than two."""
    taken = statistics.decide_ms
    return (quantile(taken, 0.5), quantile(taken, 0.95)) if taken.total() > 1 else None


def as_data(statistics: Statistics) -> dict[str, Any]:
    """Return all figures for JSON. Names are stable; times are UTC."""
    percentiles = decide_percentiles(statistics)
    return {
        "service": statistics.service.id,
        "other_services": _counter(statistics.other_services),
        "first_hook": _moment(statistics.first),
        "last_hook": _moment(statistics.last),
        "total": _counts(statistics.total, statistics),
        "weeks": {name: _counts(counts, statistics) for name, counts in all_weeks(statistics).items()},
        "clients": {name: _counts(statistics.clients[name], statistics) for name in sorted(statistics.clients)},
        "reasons": {
            "not_eligible": _counter(statistics.total.refusals),
            "indeterminate": _counter(statistics.total.reasons),
            "data_unavailable": _counter(statistics.total.missing),
            "excluded_results": _counter(statistics.total.unused),
            "overridden": _counter(statistics.total.override_reasons),
        },
        "patients_with_cards": len(statistics.shown_per_patient),
        "most_cards_for_one_patient": max(statistics.shown_per_patient.values(), default=0),
        "users": len(statistics.users),
        "near_cutoff": statistics.near_cutoff,
        "sii": _values(statistics),
        "decide_ms": {"median": percentiles[0], "p95": percentiles[1]} if percentiles else None,
        "versions": [
            {**version._asdict(), "first": _moment(use.first), "last": _moment(use.last), "hooks": use.hooks}
            for version, use in statistics.versions.items()
        ],
        "views": {"shown": statistics.views - statistics.views_refused, "refused": statistics.views_refused},
        "feedback": {
            "items": statistics.feedback_items,
            "repeated": statistics.feedback_repeated,
            "unknown_cards": statistics.feedback_unknown,
            "cards_not_shown": statistics.feedback_not_shown,
        },
        "unreadable_lines": statistics.unreadable,
    }


def reason_lists(statistics: Statistics) -> tuple[tuple[str, Counter[str]], ...]:
    """Return every list of reasons with its heading."""
    total = statistics.total
    return (
        ("Why cards were overridden", total.override_reasons),
        ("Why SII could not be told", total.reasons),
        ("Why patients were not eligible", total.refusals),
        ("Which data could not be had", total.missing),
        ("Why results were not used", total.unused),
    )


def _counts(counts: Tally, statistics: Statistics) -> dict[str, Any]:
    return {
        "hooks": counts.hooks,
        "outcomes": {name: counts.outcomes[name] for name in outcome_names(statistics)},
        "cards": {
            "shown": counts.shown,
            "accepted": counts.answers[ACCEPTED],
            "overridden": counts.answers[OVERRIDDEN],
            "not_answered": counts.unanswered,
            "silent": counts.presentations["silent"],
            "snoozed": counts.presentations["snoozed"],
        },
    }


def _values(statistics: Statistics) -> list[dict[str, int]]:
    spans = statistics.service.rule.spans
    return [
        {"from": low, "to": high, "hooks": hooks}
        for low, high, hooks in zip(spans, spans[1:], statistics.index, strict=False)
    ]


def _counter(counter: Counter[str]) -> dict[str, int]:
    return dict(most_first(counter))


def _moment(moment: Any) -> str | None:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ") if moment is not None else None
