"""Time to recurrence: Kaplan-Meier, cumulative incidence with death competing, log-rank."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.stats import chi2

from cds_service.insight.cohort.statistics.values import NO_TEST, Standard, Test

if TYPE_CHECKING:
    from cds_service.insight.cohort.statistics.values import Events, Flags, Numbers


class Curve(NamedTuple):
    """A step function of time in days: from `times[i]` on it is `estimate[i]`, with its standard error.

    `at_risk[i]` is the number of patients under observation just before `times[i]`. Times are those of events; before
    the first of them the value is `start`. `end` is the last time of anybody: beyond it nothing is known.
    """

    start: float
    times: Numbers
    estimate: Numbers
    se: Numbers
    at_risk: Numbers
    end: float

    def at(self, day: float) -> Standard:
        """Return the value at a day; nan beyond the last patient's follow-up."""
        if day > self.end:
            return Standard(math.nan, math.nan)
        position = int(np.searchsorted(self.times, day, side="right")) - 1
        if position < 0:
            return Standard(self.start, 0.0)
        return Standard(float(self.estimate[position]), float(self.se[position]))


class _Steps(NamedTuple):
    """Counts at each distinct time of any event: at risk, all events, those of the kind in question."""

    times: Numbers
    at_risk: Numbers
    all_events: Numbers
    of_kind: Numbers


def number_at_risk(time: Numbers, days: Numbers) -> Numbers:
    """Return how many patients are under observation just before each day."""
    return len(time) - np.searchsorted(np.sort(time), days, side="left").astype(np.float64)


def kaplan_meier(time: Numbers, event: Flags) -> Curve:
    """Return the share free of the event (Kaplan EL, Meier P, J Am Stat Assoc 1958;53:457), Greenwood's error.

    Whoever has no event is censored at the end of follow-up, on that day still at risk.
    """
    steps = _steps(time, event, event)
    survival = np.cumprod(1 - steps.all_events / steps.at_risk).astype(np.float64)
    with np.errstate(divide="ignore"):
        terms = steps.all_events / (steps.at_risk * (steps.at_risk - steps.all_events))
    with np.errstate(invalid="ignore"):
        se = np.where(survival > 0, survival * np.sqrt(np.cumsum(terms)), 0.0)
    return Curve(1.0, steps.times, survival, se, steps.at_risk, _end(time))


def cumulative_incidence(time: Numbers, events: Events, kind: int) -> Curve:
    """Return the share with an event of this kind, others competing (Aalen OO, Johansen S, Scand J Stat 1978;5:141).

    The error is that of the infinitesimal jackknife (Therneau TM, package survival 3.5, `survfit` of several states).
    """
    steps = _steps(time, events != 0, events == kind)
    survival = np.cumprod(1 - steps.all_events / steps.at_risk).astype(np.float64)
    before = np.concatenate(([1.0], survival))[: len(survival)]
    incidence: Numbers = np.cumsum(before * steps.of_kind / steps.at_risk)
    se = np.sqrt(_jackknife(time, events, kind, steps, before, incidence)) if len(steps.times) else steps.times
    return Curve(0.0, steps.times, incidence, se, steps.at_risk, _end(time))


def log_rank(time: Numbers, event: Flags, group: Flags, stratum: Events | None = None) -> Test:
    """Compare the event's hazard between two groups (Mantel N, Cancer Chemother Rep 1966;50:163), within strata if any.

    Positive and negative differences are not told apart: the statistic is chi-squared with one degree of freedom.
    """
    strata = np.zeros(len(time), dtype=np.int64) if stratum is None else stratum
    difference = variance = 0.0
    for one in np.unique(strata):
        inside = strata == one
        excess, spread = _excess(time[inside], event[inside], group[inside])
        difference, variance = difference + excess, variance + spread
    if variance <= 0:
        return NO_TEST
    statistic = difference**2 / variance
    return Test(statistic, float(chi2.sf(statistic, 1)))


def _excess(time: Numbers, event: Flags, group: Flags) -> tuple[float, float]:
    """Return events of the group beyond those expected, and their hypergeometric variance."""
    steps = _steps(time, event, event & group)
    risk, deaths = steps.at_risk, steps.all_events
    share = number_at_risk(time[group], steps.times) / risk
    with np.errstate(invalid="ignore"):
        spread = np.where(risk > 1, deaths * share * (1 - share) * (risk - deaths) / (risk - 1), 0.0)
    return float((steps.of_kind - deaths * share).sum()), float(spread.sum())


def _steps(time: Numbers, event: Flags, of_kind: Flags) -> _Steps:
    times, place = np.unique(time[event], return_inverse=True)
    all_events = np.bincount(place, minlength=len(times)).astype(np.float64)
    kind = np.bincount(place, weights=of_kind[event], minlength=len(times)).astype(np.float64)
    return _Steps(times, number_at_risk(time, times), all_events, kind)


def _end(time: Numbers) -> float:
    return float(time.max()) if len(time) else -math.inf


def _jackknife(time: Numbers, events: Events, kind: int, steps: _Steps, before: Numbers, incidence: Numbers) -> Numbers:
    """Return at each step the sum over patients of the squared derivative of the incidence by the patient's weight.

    A patient's derivative is linear in what happened up to his own time, so those whose time lies behind the step
    differ by three numbers only: sums over patients become running sums, and no patient meets every step.
    """
    risk, deaths = steps.at_risk, steps.all_events
    added = np.diff(incidence, prepend=0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        hazard = np.where(risk > deaths, deaths / (risk * (risk - deaths)), 0.0)
        freed = np.where(risk > deaths, 1 / (risk - deaths), 0.0)
    lost, own = np.cumsum(added / risk), np.cumsum(hazard)
    own_before = np.concatenate(([0.0], own[:-1]))
    passed = np.cumsum(added * own_before)
    # Behind his own time x a patient's derivative at t is  constant(x) + slope(x) * incidence(t).
    last = np.searchsorted(steps.times, time, side="right") - 1
    seen = last >= 0
    place = np.maximum(last, 0)
    happened = (events != 0) & seen
    slope = np.where(seen, own[place], 0.0) - np.where(happened, freed[place], 0.0)
    own_jump = np.where(events == kind, before[place] / risk[place], 0.0)
    constant = np.where(seen, passed[place] - lost[place] - slope * incidence[place] + own_jump, 0.0)
    order = np.argsort(last, kind="stable")
    until = np.searchsorted(last[order], np.arange(len(steps.times)), side="right")
    sums = [np.concatenate(([0.0], np.cumsum(part[order]))) for part in (constant**2, constant * slope, slope**2)]
    behind = sums[0][until] + 2 * incidence * sums[1][until] + incidence**2 * sums[2][until]
    ahead = (len(time) - until) * (passed - lost) ** 2
    # Never below zero but by rounding.
    squares: Numbers = np.maximum(behind + ahead, 0.0)
    return squares
