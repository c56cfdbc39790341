"""The flag against recurrence within follow-up: counts, shares, ROC, net benefit. Small groups are not told of."""

from __future__ import annotations

from dataclasses import dataclass
from math import nan
from typing import TYPE_CHECKING, Final

import numpy as np

from cds_service.insight.cohort.statistics.classification import (
    BinaryTable,
    negative_predictive_value,
    net_benefit,
    net_benefit_of_all,
    positive_predictive_value,
    relative_risk,
    sensitivity,
    specificity,
    tabulate_flags,
)
from cds_service.insight.cohort.statistics.comparison import student_t, summarize, welch_t
from cds_service.insight.cohort.statistics.discrimination import AUC, ROC, Youden, auc, roc_curve, youden
from cds_service.insight.cohort.statistics.values import DEATH, NO_TEST, UNDETERMINED, Interval, Test
from cds_service.insight.cohort.validation.suppression import is_small, shown_count, shown_cutoffs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cds_service.insight.cohort.validation.patients import Patients

# Probabilities of recurrence from which somebody might act; the contract names 0.2 to 0.5.
ACTING_FROM: Final = tuple(round(0.05 * step, 2) for step in range(2, 15))


@dataclass(frozen=True, slots=True)
class Classification:
    """How well the flag, and SII itself, tell patients with recurrence from those without.

    Whoever was lost earlier than 90 days before the end of follow-up is in `left_out` and in nothing else. Counts are
    None and figures nan where the data do not determine them, or where they would tell of a small group.
    """

    n: int | None
    events: int | None
    left_out: int | None
    table: BinaryTable | None
    auc: AUC
    sensitivity: Interval
    specificity: Interval
    ppv: Interval
    npv: Interval
    youden: Youden
    relative_risk: Interval
    t_test: Test
    welch: Test
    net_benefit: Mapping[float, float]
    net_benefit_of_all: Mapping[float, float]
    roc: ROC | None
    auc_without_deaths: AUC


def classify(patients: Patients, least: int) -> Classification:
    """Compute the figures of the patients who are followed."""
    followed = patients.only(patients.followed)
    table = tabulate_flags(followed.flagged, followed.recurred)
    # With the totals known, one cell of four gives the other three, and so does every share.
    shown = table if not any(is_small(cell, least) for cell in table) else None
    groups_shown = not (is_small(table.events, least) or is_small(table.n - table.events, least))
    both = bool(groups_shown and table.events and table.n - table.events)
    counted = shown or BinaryTable(0, 0, 0, 0)
    event, no_event = (summarize(followed.sii[group]) for group in (followed.recurred, ~followed.recurred))
    return Classification(
        table.n if groups_shown else None,
        table.events if groups_shown else None,
        shown_count(len(patients) - table.n, least),
        shown,
        _auc(followed, least),
        sensitivity(counted),
        specificity(counted),
        positive_predictive_value(counted),
        negative_predictive_value(counted),
        youden(followed.sii, followed.recurred) if both else Youden(nan, nan),
        relative_risk(counted) if shown else UNDETERMINED,
        student_t(event, no_event) if both else NO_TEST,
        welch_t(event, no_event) if both else NO_TEST,
        {chance: net_benefit(counted, chance) for chance in ACTING_FROM},
        {chance: net_benefit_of_all(table, chance) if groups_shown else nan for chance in ACTING_FROM},
        _roc(followed, least) if both else None,
        _auc(followed.only(followed.events != DEATH), least),
    )


def _auc(patients: Patients, least: int) -> AUC:
    recurred = patients.recurred
    sizes = (int(np.count_nonzero(recurred)), int(np.count_nonzero(~recurred)))
    if any(is_small(size, least) for size in sizes):
        return AUC(nan, nan, UNDETERMINED)
    return auc(patients.sii, recurred)


def _roc(patients: Patients, least: int) -> ROC:
    """Return the curve at cut-offs between which nobody stands alone, and its two ends."""
    curve = roc_curve(patients.sii, patients.recurred)
    kept = np.isin(curve.cutoffs, shown_cutoffs(patients.sii, patients.recurred, curve.cutoffs[:-1].tolist(), least))
    kept[[0, -1]] = True
    return ROC(curve.cutoffs[kept], curve.sensitivity[kept], curve.specificity[kept])
