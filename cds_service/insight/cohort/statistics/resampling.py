"""What keeping a cut-off costs on these patients, by bootstrap: resamples of patients, percentile intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cds_service.insight.cohort.statistics.values import Interval

if TYPE_CHECKING:
    from cds_service.insight.cohort.statistics.values import Events, Flags, Numbers


class CutoffLoss(NamedTuple):
    """Youden's index at the best cut-off of the data less that at the cut-off in use.

    `loss` is percentile-based (Efron B, Tibshirani RJ, An Introduction to the Bootstrap, 1993, chapter 13).
    `optimism` is how much better a cut-off looks on the resample it was chosen on than on the patients themselves
    (Harrell FE et al., Stat Med 1996;15:361): what choosing a new one promises too much. `resamples` is how many had
    both kinds of patients.
    """

    loss: Interval
    optimism: float
    resamples: int


def cutoff_loss(
    sii: Numbers, event: Flags, patient: Events, flagged: Flags, resamples: int, generator: np.random.Generator
) -> CutoffLoss:
    """Resample patients (all rows of one together) and compare the best cut-off with the one in use.

    `flagged` is what the cut-off in use says of each row. `patient` numbers patients from 0 without gaps. Raises
    ValueError without patients of both kinds.
    """
    table = _Table.of(sii, event, flagged)
    best, kept = table.best(np.ones(len(sii)))
    losses, optimism = [], []
    count = int(patient.max()) + 1
    for _ in range(resamples):
        drawn = np.bincount(generator.integers(count, size=count), minlength=count)
        weights = drawn[patient].astype(np.float64)
        if not table.has_both(weights):
            continue
        position, at_cutoff = table.best(weights)
        apparent = table.index_at(position, weights)
        losses.append(apparent - at_cutoff)
        optimism.append(apparent - table.index_at(position, np.ones(len(sii))))
    estimate = table.index_at(best, np.ones(len(sii))) - kept
    lower, upper = np.percentile(losses, [2.5, 97.5]) if losses else (np.nan, np.nan)
    mean = float(np.mean(optimism)) if optimism else float("nan")
    return CutoffLoss(Interval(float(estimate), float(lower), float(upper)), mean, len(losses))


class _Table(NamedTuple):
    """Rows by falling SII, sorted once for all resamples. `ends` bounds the rows above each observed value."""

    order: Events
    event: Flags
    ends: Events
    flagged: Flags

    @classmethod
    def of(cls, sii: Numbers, event: Flags, flagged: Flags) -> _Table:
        if event.all() or not event.any():
            raise ValueError("a cut-off needs patients with and without the event")
        order = np.argsort(-sii, kind="stable")
        falling = sii[order]
        changes = np.append(np.flatnonzero(np.diff(falling)) + 1, len(falling))
        ends = np.concatenate(([0], changes))
        return cls(order, event[order], ends, flagged[order])

    def has_both(self, weights: Numbers) -> bool:
        falling = weights[self.order]
        return bool((falling[self.event] > 0).any() and (falling[~self.event] > 0).any())

    def best(self, weights: Numbers) -> tuple[int, float]:
        """Return how many rows the best cut-off flags (the lowest of equals), and Youden's index at the one in use."""
        index = self._index(weights)
        at_values = index[self.ends]
        position = int(self.ends[np.flatnonzero(at_values >= at_values.max() - 1e-12)[-1]])
        return position, self._kept(weights[self.order])

    def _kept(self, falling: Numbers) -> float:
        caught = falling[self.event & self.flagged].sum() / falling[self.event].sum()
        return float(caught - falling[~self.event & self.flagged].sum() / falling[~self.event].sum())

    def index_at(self, position: int, weights: Numbers) -> float:
        """Return Youden's index when the first so many rows are flagged."""
        return float(self._index(weights)[position])

    def _index(self, weights: Numbers) -> Numbers:
        falling = weights[self.order]
        hits, others = np.where(self.event, falling, 0.0), np.where(self.event, 0.0, falling)
        caught = np.concatenate(([0.0], np.cumsum(hits))) / hits.sum()
        flagged = np.concatenate(([0.0], np.cumsum(others))) / others.sum()
        index: Numbers = caught - flagged
        return index
