"""From a measure that became unusual to the kind of finding it speaks of."""

from __future__ import annotations

from dataclasses import dataclass
from math import log10
from typing import TYPE_CHECKING, Final

from cds_service.clinical.models import Analyte
from cds_service.clinical.reasons import Reason
from cds_service.insight.monitor.measures import FALL, RISE
from cds_service.insight.tally import LATENCY, SAMPLE_AGE, SII, bin_value, quantile_bin

if TYPE_CHECKING:
    from collections import Counter

    from cds_service.insight.monitor.control_charts import Episode
    from cds_service.insight.monitor.measures import Measure
    from cds_service.insight.tally import Tally

VOLUME: Final = "hooks"

_BY_REASON: Final[dict[str, str]] = {
    Reason.UNIT_UNKNOWN: "unit-changed",
    Reason.UNIT_MISSING: "unit-changed",
    Reason.UNIT_CONFLICT: "unit-changed",
    Reason.FRACTION_MISLABELLED: "unit-changed",
    Reason.IMPLAUSIBLE: "scale-changed",
    Reason.VALUE_MISSING: "value-form-changed",
    Reason.VALUE_NOT_NUMERIC: "value-form-changed",
    Reason.COMPARATOR: "value-form-changed",
    Reason.DATA_ABSENT: "value-form-changed",
    Reason.STATUS_NOT_ACCEPTED: "status-changed",
    Reason.FUTURE_TIME: "clock-trouble",
    Reason.NO_EFFECTIVE_TIME: "times-missing",
    Reason.IMPRECISE_TIME: "times-missing",
    Reason.SUBJECT_MISMATCH: "wrong-subject",
    Reason.SUBJECT_MISSING: "wrong-subject",
    Reason.MALFORMED: "malformed-results",
    Reason.CODE_CONFLICT: "code-conflict",
    Reason.STALE: "results-stale",
}
MISSING: Final[dict[str, str]] = {
    Reason.MISSING_NEUTROPHILS: Analyte.NEUTROPHILS.value,
    Reason.MISSING_LYMPHOCYTES: Analyte.LYMPHOCYTES.value,
    Reason.MISSING_PLATELETS: Analyte.PLATELETS.value,
}
_EMPTY_BY_REFUSAL: Final[dict[str, str]] = {
    Reason.NO_PRIMARY_LIVER_CANCER: "conditions-empty",
    Reason.NO_INTERVENTIONAL_PROCEDURE: "procedures-empty",
}
# Below this part of what is usual something has stopped, and not only become less.
_STOPPED: Final = 0.1
# Outlying values this many times the median, or a median so moved, are on another scale.
_OTHER_SCALE: Final = 5.0


@dataclass(frozen=True, slots=True)
class Signal:
    """An unusual measure of a client: the episode, the days of the baseline and of the episode added up.

    `usual` is what was due in the episode where the measure counts hooks; `measure` is None there.
    """

    measure: Measure | None
    episode: Episode
    before: Tally
    after: Tally
    usual: float = 0.0

    @property
    def key(self) -> str:
        """Name what became unusual."""
        return self.measure.key if self.measure is not None else VOLUME


def name_signal(signal: Signal) -> tuple[str, str]:
    """Return the id of the finding a signal speaks of, and its subject (an analyte, a prefetch key, a reason)."""
    measure, direction = signal.measure, signal.episode.direction
    if measure is None:
        return _name_volume(signal), ""
    match measure.kind:
        case "unavailable" | "lacking":
            return _OF_SUBJECT[measure.kind], measure.subject
        case "eligible" | "refused":
            return _name_eligibility(signal, measure)
        case "excluded":
            reason, _, analyte = measure.subject.partition(":")
            return _BY_REASON.get(reason, "reason-rose"), analyte if reason in _BY_REASON else reason
        case "reason":
            return _name_reason(measure.subject)
        case "shifted" | "outside-high" | "outside-low":
            return _name_position(signal, measure)
        case "firing":
            return _name_firing(signal, direction), ""
        case _:
            return _FIXED[measure.kind], ""


_OF_SUBJECT: Final = {"unavailable": "data-unavailable", "lacking": "code-changed"}
_FIXED: Final = {
    "indeterminate": "indeterminate-rose",
    "shown": "cards-not-shown",
    "overridden": "override-wave",
    "feedback": "feedback-stopped",
    "albumin": "albumin-missing",
}


def _name_volume(signal: Signal) -> str:
    if signal.episode.direction == RISE:
        return "hooks-rose"
    return "hooks-stopped" if signal.after.hooks < _STOPPED * signal.usual else "hooks-dropped"


def _name_eligibility(signal: Signal, measure: Measure) -> tuple[str, str]:
    eligible = [tally.outcomes.total() - tally.outcomes["not-eligible"] for tally in (signal.before, signal.after)]
    shares = [count / max(tally.hooks, 1) for count, tally in zip(eligible, (signal.before, signal.after), strict=True)]
    if shares[1] < _STOPPED * shares[0]:
        return max(_EMPTY_BY_REFUSAL.items(), key=lambda item: _refusal_growth(signal, item[0]))[1], ""
    if measure.kind == "eligible":
        return ("eligible-rose" if signal.episode.direction == RISE else "eligible-fell"), ""
    return "reason-rose", measure.subject


def _refusal_growth(signal: Signal, reason: str) -> float:
    before, after = (tally.refusals[reason] / max(tally.hooks, 1) for tally in (signal.before, signal.after))
    return after - before


def _name_reason(reason: str) -> tuple[str, str]:
    if reason in MISSING:
        return "code-changed", MISSING[reason]
    if reason in _BY_REASON:
        return _BY_REASON[reason], ""
    return "reason-rose", reason


def _name_position(signal: Signal, measure: Measure) -> tuple[str, str]:
    if measure.spread == LATENCY:
        return "latency-rose", ""
    if measure.spread == SAMPLE_AGE:
        return "results-stale", ""
    if measure.spread != SII and scale_of(signal, measure.spread) is not None:
        return "scale-changed", measure.spread
    return "values-shifted", measure.spread


def scale_of(signal: Signal, spread: str) -> float | None:
    """Return the factor by which values are on another scale (a power of ten); None when they are not.

    Looks at the values beyond the baseline's outermost hundredths: one of several laboratories may have changed.
    """
    usual, now = signal.before.spreads[spread], signal.after.spreads.get(spread)
    if not now:
        return None
    high, low = quantile_bin(usual, 0.99), quantile_bin(usual, 0.01)
    outside = type(now)({place: count for place, count in now.items() if place > high or place < low})
    if outside.total() < 0.1 * now.total():
        return None
    factor = _ratio(usual, outside)
    return 10.0 ** round(log10(factor)) if not 1 / _OTHER_SCALE < factor < _OTHER_SCALE else None


def _ratio(before: Counter[int], after: Counter[int]) -> float:
    return bin_value(quantile_bin(after, 0.5)) / bin_value(quantile_bin(before, 0.5))


def _name_firing(signal: Signal, direction: str) -> str:
    if direction == RISE:
        return "firing-rose"
    before, after = (tally.patients["above-cutoff"] / max(tally.decided, 1) for tally in (signal.before, signal.after))
    return "firing-stopped" if direction == FALL and after < _STOPPED * before else "firing-fell"
