"""A rule that flags patients against what became of them: four counts, and what follows from them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cds_service.insight.cohort.statistics.values import NORMAL_95, UNDETERMINED, Interval

if TYPE_CHECKING:
    from cds_service.insight.cohort.statistics.values import Flags, Numbers


class BinaryTable(NamedTuple):
    """Patients by flag (SII above the cut-off) and event (recurrence within follow-up)."""

    tp: int
    fp: int
    fn: int
    tn: int

    @property
    def n(self) -> int:
        """All patients."""
        return sum(self)

    @property
    def events(self) -> int:
        """Patients with the event."""
        return self.tp + self.fn


def tabulate(sii: Numbers, event: Flags, cutoff: float) -> BinaryTable:
    """Count patients; one is flagged when SII is strictly above the cut-off."""
    return tabulate_flags(sii > cutoff, event)


def tabulate_flags(flagged: Flags, event: Flags) -> BinaryTable:
    """Count patients by flag and event."""
    return BinaryTable(
        int(np.count_nonzero(flagged & event)),
        int(np.count_nonzero(flagged & ~event)),
        int(np.count_nonzero(~flagged & event)),
        int(np.count_nonzero(~flagged & ~event)),
    )


def wilson(successes: int, n: int) -> Interval:
    """Return a proportion with Wilson's score interval, undetermined for n = 0.

    Wilson EB, J Am Stat Assoc 1927;22:209.
    """
    if n == 0:
        return UNDETERMINED
    share, z = successes / n, NORMAL_95
    scale = 1 + z * z / n
    centre = (share + z * z / (2 * n)) / scale
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / scale
    # At none and at all the interval ends there; rounding would leave it a trifle away.
    lower = 0.0 if successes == 0 else centre - half
    upper = 1.0 if successes == n else centre + half
    return Interval(share, lower, upper)


def sensitivity(table: BinaryTable) -> Interval:
    """Return the share of patients with the event that are flagged."""
    return wilson(table.tp, table.tp + table.fn)


def specificity(table: BinaryTable) -> Interval:
    """Return the share of patients without the event that are not flagged."""
    return wilson(table.tn, table.tn + table.fp)


def positive_predictive_value(table: BinaryTable) -> Interval:
    """Return the share of flagged patients with the event."""
    return wilson(table.tp, table.tp + table.fp)


def negative_predictive_value(table: BinaryTable) -> Interval:
    """Return the share of patients who are not flagged without the event."""
    return wilson(table.tn, table.tn + table.fn)


def relative_risk(table: BinaryTable) -> Interval:
    """Return the risk of the flagged by that of the others; interval on the log scale (Katz D, Biometrics 1978;34:469).

    Undetermined where a group is empty or has no event: nothing is added to the cells.
    """
    flagged, others = table.tp + table.fp, table.fn + table.tn
    if not (table.tp and table.fn):
        return UNDETERMINED
    ratio = (table.tp / flagged) / (table.fn / others)
    half = NORMAL_95 * math.sqrt(1 / table.tp - 1 / flagged + 1 / table.fn - 1 / others)
    return Interval(ratio, ratio * math.exp(-half), ratio * math.exp(half))


def net_benefit(table: BinaryTable, threshold: float) -> float:
    """Return true positives less false positives weighted by the odds of the threshold, per patient; nan without any.

    `threshold` is the probability of recurrence above which somebody would act (Vickers AJ, Elkin EB, Med Decis Making
    2006;26:565).
    """
    if not table.n:
        return math.nan
    return table.tp / table.n - table.fp / table.n * threshold / (1 - threshold)


def net_benefit_of_all(table: BinaryTable, threshold: float) -> float:
    """Return the net benefit of acting on every patient, to which that of a rule is compared."""
    return net_benefit(BinaryTable(table.events, table.n - table.events, 0, 0), threshold)
