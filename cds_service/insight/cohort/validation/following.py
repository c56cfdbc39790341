"""Time to recurrence by the flag: curves, numbers at risk, log-rank, hazard ratios. Small groups are not told of."""

from __future__ import annotations

from dataclasses import dataclass
from math import nan
from typing import TYPE_CHECKING, Final

import numpy as np

from cds_service.insight.cohort.statistics.cox import CoxEffect, cox
from cds_service.insight.cohort.statistics.survival import (
    Curve,
    cumulative_incidence,
    kaplan_meier,
    log_rank,
    number_at_risk,
)
from cds_service.insight.cohort.statistics.values import NO_TEST, RECURRENCE, Test
from cds_service.insight.cohort.validation.suppression import is_small

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cds_service.insight.cohort.statistics.values import Flags, Numbers
    from cds_service.insight.cohort.validation.patients import Patients

ABOVE: Final = "above"
NOT_ABOVE: Final = "not_above"
NO_EFFECT: Final = CoxEffect(nan, nan, nan)


@dataclass(frozen=True, slots=True)
class GroupCurves:
    """The curves of one SII group, each ended where fewer than the least number are at risk."""

    kaplan_meier: Curve
    cumulative_incidence: Curve
    at_risk: Mapping[int, int | None]


@dataclass(frozen=True, slots=True)
class Following:
    """Kaplan-Meier (event-free, death censored) and cumulative incidence (death competing) by group, and their tests.

    `curves` is empty where a group is too small to be shown. With several sites log-rank and Cox are stratified.
    """

    curves: Mapping[str, GroupCurves]
    log_rank: Test
    cox_flag: CoxEffect
    cox_log2_sii: CoxEffect


def follow(patients: Patients, horizons: Sequence[int], least: int) -> Following:
    """Compute the figures; `horizons` are days from the decision."""
    groups = {ABOVE: patients.flagged, NOT_ABOVE: ~patients.flagged}
    recurred = patients.recurred
    sizes = [int(np.count_nonzero(group)) for group in groups.values()]
    events = [int(np.count_nonzero(group & recurred)) for group in groups.values()]
    if any(is_small(count, least) for count in (*sizes, *events)):
        return Following({}, NO_TEST, NO_EFFECT, _hazard(patients, _log2(patients.sii), least))
    stratum = patients.site if len(np.unique(patients.site)) > 1 else None
    return Following(
        {name: _curves(patients.only(group), horizons, least) for name, group in groups.items() if group.any()},
        log_rank(patients.time, recurred, patients.flagged, stratum),
        _hazard(patients, patients.flagged.astype(np.float64), least),
        _hazard(patients, _log2(patients.sii), least),
    )


def _curves(group: Patients, horizons: Sequence[int], least: int) -> GroupCurves:
    end = _last_day_with(group.time, least)
    days = [day for day in (0, *horizons) if day <= group.follow_up]
    at_risk = number_at_risk(group.time, np.array(days, dtype=np.float64)).astype(np.int64).tolist()
    return GroupCurves(
        _ended(kaplan_meier(group.time, group.recurred), end),
        _ended(cumulative_incidence(group.time, group.events, RECURRENCE), end),
        {day: None if is_small(number, least) else number for day, number in zip(days, at_risk, strict=True)},
    )


def _last_day_with(time: Numbers, least: int) -> float:
    """Return the last day on which so many are at risk: the time of the patient who leaves that many."""
    return float(np.sort(time)[-max(least, 1)]) if len(time) >= max(least, 1) else -np.inf


def _ended(curve: Curve, end: float) -> Curve:
    kept: Flags = curve.times <= end
    return Curve(
        curve.start, curve.times[kept], curve.estimate[kept], curve.se[kept], curve.at_risk[kept], min(end, curve.end)
    )


def _log2(sii: Numbers) -> Numbers:
    """Return doublings of SII; nought, which no laboratory prints, has none."""
    with np.errstate(divide="ignore"):
        return np.log2(sii)


def _hazard(patients: Patients, covariate: Numbers, least: int) -> CoxEffect:
    """Return the cause-specific effect: death is censored."""
    events = int(np.count_nonzero(patients.recurred))
    if is_small(events, least) or is_small(len(patients), least) or not np.isfinite(covariate).all():
        return NO_EFFECT
    stratum = patients.site if len(np.unique(patients.site)) > 1 else None
    return cox(patients.time, patients.recurred, covariate[:, None], stratum)[0] if len(patients) else NO_EFFECT
