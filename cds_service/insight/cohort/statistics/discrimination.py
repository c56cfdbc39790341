"""How well SII tells patients with recurrence from those without, whatever the cut-off."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.stats import norm, rankdata

from cds_service.insight.cohort.statistics.values import NO_TEST, NORMAL_95, Interval, Test

if TYPE_CHECKING:
    from cds_service.insight.cohort.statistics.values import Flags, Numbers


class AUC(NamedTuple):
    """Area under the ROC curve with its standard error; nan where there is no event, or nothing else."""

    estimate: float
    se: float
    interval: Interval


class ROC(NamedTuple):
    """The ROC curve by falling cut-off: `cutoffs` are observed values, a patient is flagged strictly above.

    The first point flags nobody above the highest value; the last, at minus infinity, flags everybody.
    """

    cutoffs: Numbers
    sensitivity: Numbers
    specificity: Numbers


class Youden(NamedTuple):
    """The observed value with the largest sensitivity + specificity - 1 (Youden WJ, Cancer 1950;3:32)."""

    cutoff: float
    j: float


def roc_curve(sii: Numbers, event: Flags) -> ROC:
    """Return sensitivity and specificity at every observed value. Raises ValueError without both kinds of patients."""
    events, others = int(np.count_nonzero(event)), int(np.count_nonzero(~event))
    if not events or not others:
        raise ValueError("a ROC curve needs patients with and without the event")
    order = np.argsort(-sii, kind="stable")
    falling, hit = sii[order], event[order]
    last_of_value = np.append(np.flatnonzero(np.diff(falling)), len(falling) - 1)
    above = np.concatenate(([0], last_of_value + 1))
    caught = np.concatenate(([0], np.cumsum(hit)))[above]
    cutoffs = np.concatenate((falling[last_of_value], [-np.inf]))
    return ROC(cutoffs, caught / events, 1 - (above - caught) / others)


def youden(sii: Numbers, event: Flags) -> Youden:
    """Return the best observed cut-off; of equals the lowest, which finds the most recurrences."""
    curve = roc_curve(sii, event)
    # Youden's index in whole patients: sums of fractions would break ties by rounding.
    events, others = int(np.count_nonzero(event)), int(np.count_nonzero(~event))
    caught, spared = np.rint(curve.sensitivity * events), np.rint(curve.specificity * others)
    score = caught * others + spared * events
    best = int(np.flatnonzero(score == score.max())[-1])
    return Youden(float(curve.cutoffs[best]), float(score[best] / (events * others) - 1))


def auc(sii: Numbers, event: Flags) -> AUC:
    """Return the area under the ROC curve with its interval by DeLong's variance, ended at 0 and 1.

    DeLong ER et al., Biometrics 1988;44:837, by ranks (Sun X, Xu W, IEEE Signal Process Lett 2014;21:1389).
    """
    if event.all() or not event.any():
        return AUC(math.nan, math.nan, Interval(math.nan, math.nan, math.nan))
    of_events, of_others = _placements(sii, event)
    estimate = float(of_events.mean())
    se = math.sqrt(_variance(of_events, of_events, of_others, of_others))
    half = NORMAL_95 * se
    return AUC(estimate, se, Interval(estimate, max(estimate - half, 0.0), min(estimate + half, 1.0)))


def compare_auc(first: Numbers, second: Numbers, event: Flags) -> Test:
    """Compare the areas of two measures of the same patients (DeLong's paired test); Z is first less second."""
    if event.all() or not event.any():
        return NO_TEST
    one_events, one_others = _placements(first, event)
    two_events, two_others = _placements(second, event)
    variance = (
        _variance(one_events, one_events, one_others, one_others)
        + _variance(two_events, two_events, two_others, two_others)
        - 2 * _variance(one_events, two_events, one_others, two_others)
    )
    if variance <= 0:
        return NO_TEST
    z = float((one_events.mean() - two_events.mean()) / math.sqrt(variance))
    return Test(z, float(2 * norm.sf(abs(z))))


def _placements(sii: Numbers, event: Flags) -> tuple[Numbers, Numbers]:
    """Return for each patient the share of the other kind that it is on the right side of, ties by half."""
    events, others = sii[event], sii[~event]
    ranks = rankdata(sii)
    of_events = (ranks[event] - rankdata(events)) / len(others)
    of_others = 1 - (ranks[~event] - rankdata(others)) / len(events)
    return of_events, of_others


def _variance(one_events: Numbers, two_events: Numbers, one_others: Numbers, two_others: Numbers) -> float:
    """Return the covariance of two areas; nan where a kind has one patient only."""
    return _covariance(one_events, two_events) / len(one_events) + _covariance(one_others, two_others) / len(one_others)


def _covariance(one: Numbers, two: Numbers) -> float:
    if len(one) < 2:
        return math.nan
    return float(np.dot(one - one.mean(), two - two.mean()) / (len(one) - 1))
