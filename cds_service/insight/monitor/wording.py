"""Findings and measures in words, with their numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cds_service.clinical.models import Analyte
from cds_service.insight.monitor.causes import CAUSES
from cds_service.insight.monitor.naming import scale_of
from cds_service.insight.monitor.periods import LEAST_BASELINE_DAYS
from cds_service.insight.tally import LATENCY, SAMPLE_AGE, bin_value, quantile_bin
from cds_service.reports.counts import counted, thousands

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator

    from cds_service.insight.monitor.days import Tallies
    from cds_service.insight.monitor.findings import Finding
    from cds_service.insight.monitor.measures import Measure
    from cds_service.insight.monitor.monitoring import Monitoring
    from cds_service.insight.monitor.naming import Signal

_LABELS: Final = {
    "eligible": "eligible hooks",
    "indeterminate": "eligible patients whose SII cannot be told",
    "firing": "decided patients above the cut-off",
    "shown": "cards above the cut-off that were shown",
    "overridden": "feedback that overrides the card",
    "feedback": "shown cards with feedback",
    "albumin": "decided patients with albumin",
    "unavailable": "hooks refused because {} could not be had",
    "refused": "hooks not eligible for {}",
    "lacking": "eligible patients with newer results but none of {}",
    "reason": "eligible patients with {}",
    "excluded": "eligible patients with {} excluded as {}",
    "shifted": "{} above the usual median",
    "outside-high": "{} above the usual range",
    "outside-low": "{} below the usual range",
}
_SPREADS: Final = {LATENCY: "decision times", SAMPLE_AGE: "ages of the draw", "sii": "SII"}
_ANALYTES: Final = frozenset(map(str, Analyte))
_WHOLE: Final = 100
_UNITS: Final = {LATENCY: " ms", SAMPLE_AGE: " days", "sii": "", "albumin": " g/L"}


def summary(result: Monitoring) -> str:
    """Return in one sentence what was found."""
    if not result.clients:
        return "Nothing was judged."
    if not result.findings:
        return "No finding: all is as usual."
    count, lasting = len(result.findings), len(result.open_findings)
    if count == 1:
        return f"1 finding, {'open' if lasting else 'ended'}."
    how_many = "all" if lasting == count else f"{lasting or 'none'} of them"
    return f"{count} findings, {how_many} open."


def not_judged(result: Monitoring, tallies: Tallies) -> Iterator[str]:
    """Say what could not be judged, and why."""
    for client, days in result.unjudged.items():
        yield (
            f"{client} is not judged: it has a baseline of {counted(days, 'complete day')}, and {LEAST_BASELINE_DAYS} "
            "are needed."
        )
    for found in result.unsteady:
        yield (
            f"The baseline is not steady: {headline(found)} ({found.id}). Leave those days out (--leave-out), or state "
            "a clean period (--baseline-since, --baseline-until)."
        )
    if not result.clients and not result.unjudged:
        yield "There is no hook in these days: nobody calls this service, or this is the log of another one."
    if tallies.unreadable:
        yield f"Lines that cannot be read: {thousands(tallies.unreadable)}; run sii-cds audit verify."


def label(measure: Measure) -> str:
    """Name what a measure counts."""
    subject = _SPREADS.get(measure.subject, measure.subject)
    if measure.kind == "excluded":
        reason, _, analyte = measure.subject.partition(":")
        return _LABELS["excluded"].format(analyte.replace("-", " "), reason)
    return _LABELS[measure.kind].format(subject)


def headline(finding: Finding) -> str:
    """Return what is seen, of what, at which clients and since when, in one line."""
    subjects = f" ({', '.join(finding.subjects)})" if finding.subjects else ""
    until = "" if finding.open else f" until {finding.last_day}"
    return f"{CAUSES[finding.id].title}{subjects} at {', '.join(finding.clients)} since {finding.first_day}{until}"


def detection(finding: Finding) -> str:
    """Return how long it took to be seen."""
    days = finding.days_to_detection
    taken = "on its first day" if days == 0 else f"after {counted(days, 'day')}, on {finding.noticed}"
    return f"found {taken}"


def evidence(finding: Finding, most: int | None = None) -> list[str]:
    """Return the numbers before and after, the measures that name the finding first."""
    many = len(finding.clients) > 1
    lines = [f"{f'{client}: ' if many else ''}{numbers(signal)}" for client, signal in finding.signals]
    return lines[:most]


def numbers(signal: Signal) -> str:
    """Return a measure before and after."""
    measure = signal.measure
    if measure is None:
        days = signal.episode.last - signal.episode.first + 1
        return f"hooks a day {signal.after.hooks / days:.1f}, usually {signal.usual / days:.1f}"
    before, after = (_share(measure.part(tally), measure.whole(tally)) for tally in (signal.before, signal.after))
    text = f"{label(measure)} {after}, usually {before}"
    if not measure.spread:
        return text
    medians = (median(tally.spreads.get(measure.spread), measure.spread) for tally in (signal.after, signal.before))
    scale = scale_of(signal, measure.spread) if measure.spread in _ANALYTES else None
    times = f"; about {scale:g} times the usual" if scale is not None else ""
    return f"{text} (median {', usually '.join(medians)}{times})"


def median(spread: Counter[int] | None, name: str) -> str:
    """Return the median of a spread with its unit; a dash where there is none."""
    if not spread:
        return "–"
    return number(spread_value(name, quantile_bin(spread, 0.5)), _unit(name))


def number(value: float | None, unit: str = "") -> str:
    """Print a value to three digits; a dash where there is none."""
    if value is None:
        return "–"
    return f"{value:.0f}{unit}" if value >= _WHOLE else f"{value:.3g}{unit}"


def _unit(name: str) -> str:
    return "" if name.endswith("-share") else _UNITS.get(name, " 10⁹/L")


def spread_value(name: str, position: int) -> float:
    """Return the value that a bin of a spread stands for."""
    return float(position) if name == SAMPLE_AGE else bin_value(position)


def _share(part: int, whole: int) -> str:
    if whole == 0:
        return "none"
    percent = 100 * part / whole
    return f"{percent:.{0 if percent >= 10 else 1 if percent >= 1 or percent == 0 else 2}f} % ({part} of {whole})"
