"""Two groups compared, as the study's own table does: means by t, counts by chi-squared."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.stats import chi2, t

from cds_service.insight.cohort.statistics.values import NO_TEST, Test

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cds_service.insight.cohort.statistics.values import Numbers


class Summary(NamedTuple):
    """Number, mean and standard deviation (n - 1) of a group; nan where they are not determined."""

    n: int
    mean: float
    sd: float


def summarize(values: Numbers) -> Summary:
    """Describe a group."""
    n = len(values)
    return Summary(n, float(values.mean()) if n else math.nan, float(values.std(ddof=1)) if n > 1 else math.nan)


def student_t(event: Summary, no_event: Summary) -> Test:
    """Compare means with the pooled variance (Student's t); the difference is event less no event."""
    if min(event.n, no_event.n) < 1 or event.n + no_event.n < 3:
        return NO_TEST
    freedom = event.n + no_event.n - 2
    squares = sum((group.n - 1) * group.sd**2 for group in (event, no_event) if group.n > 1)
    return _t(event.mean - no_event.mean, squares / freedom * (1 / event.n + 1 / no_event.n), freedom)


def welch_t(event: Summary, no_event: Summary) -> Test:
    """Compare means of groups with different variances (Welch BL, Biometrika 1947;34:28)."""
    if min(event.n, no_event.n) < 2:
        return NO_TEST
    one, two = event.sd**2 / event.n, no_event.sd**2 / no_event.n
    if one + two == 0:
        return NO_TEST
    freedom = (one + two) ** 2 / (one**2 / (event.n - 1) + two**2 / (no_event.n - 1))
    return _t(event.mean - no_event.mean, one + two, freedom)


def chi_squared(counts: Sequence[Sequence[int]]) -> Test:
    """Compare shares in a table of groups by categories: Pearson's chi-squared, without Yates's correction.

    Rows and columns that are empty do not count; with fewer than two of either nothing is compared.
    """
    table = np.asarray(counts, dtype=np.float64)
    table = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    if min(table.shape) < 2:
        return NO_TEST
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
    statistic = float(((table - expected) ** 2 / expected).sum())
    freedom = (table.shape[0] - 1) * (table.shape[1] - 1)
    return Test(statistic, float(chi2.sf(statistic, freedom)))


def _t(difference: float, variance: float, freedom: float) -> Test:
    if not variance > 0:
        return NO_TEST
    statistic = difference / math.sqrt(variance)
    return Test(statistic, float(2 * t.sf(abs(statistic), freedom)))
