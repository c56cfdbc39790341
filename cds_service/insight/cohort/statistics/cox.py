"""Cox's proportional hazards with Efron's treatment of ties; cause-specific when death is given as censoring."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from cds_service.insight.cohort.statistics.values import NORMAL_95, Interval

if TYPE_CHECKING:
    from cds_service.insight.cohort.statistics.values import Events, Flags, Numbers

_MOST_STEPS: Final = 50
_MOST_HALVINGS: Final = 20
# R's coxph stops at 1e-9 of the log likelihood; one Newton step more doubles the digits.
_TOLERANCE: Final = 1e-12
# Of the information at the start: less means that no finite coefficient is best, or that covariates say the same.
_FLAT: Final = 1e-7


class CoxEffect(NamedTuple):
    """Log hazard ratio of one covariate, its standard error, and the hazard ratio; nan where there is none."""

    coefficient: float
    se: float
    hazard_ratio: float

    @property
    def interval(self) -> Interval:
        """Return the hazard ratio with Wald's interval on the log scale."""
        half = NORMAL_95 * self.se
        return Interval(self.hazard_ratio, math.exp(self.coefficient - half), math.exp(self.coefficient + half))


class _Likelihood(NamedTuple):
    value: float
    gradient: Numbers
    information: Numbers


def cox(time: Numbers, event: Flags, covariates: Numbers, stratum: Events | None = None) -> tuple[CoxEffect, ...]:
    """Fit the model; one effect for each column of `covariates` (patients by columns).

    Ties as Efron B, J Am Stat Assoc 1977;72:557. All effects are nan where the likelihood has no maximum (no event,
    a covariate that does not vary, or one that separates the patients with events from those without).
    """
    columns = covariates.shape[1]
    missing = tuple(CoxEffect(math.nan, math.nan, math.nan) for _ in range(columns))
    if not event.any():
        return missing
    strata = np.zeros(len(time), dtype=np.int64) if stratum is None else stratum
    # Shifting and scaling changes no fit, and keeps exp() and the matrix in range.
    centre, scale = covariates.mean(axis=0), covariates.std(axis=0)
    if not (scale > 0).all():
        return missing
    blocks = [_Block.of(time[s], event[s], (covariates[s] - centre) / scale) for s in _members(strata)]
    fitted = _maximize(blocks, columns)
    if fitted is None:
        return missing
    beta, information = fitted
    variance = np.linalg.inv(information).diagonal() / scale**2
    estimate = beta / scale
    return tuple(CoxEffect(float(b), math.sqrt(v), math.exp(b)) for b, v in zip(estimate, variance, strict=True))


def _members(strata: Events) -> list[Flags]:
    return [strata == one for one in np.unique(strata)]


class _Block(NamedTuple):
    """One stratum by falling time. `first` and `last` bound the patients at each distinct time of an event.

    `risk_end[k]` is how many have a time not before it, so prefix sums give what is at risk.
    """

    covariates: Numbers
    event: Flags
    risk_end: Events
    place: Events
    deaths: Events

    @classmethod
    def of(cls, time: Numbers, event: Flags, covariates: Numbers) -> _Block:
        order = np.argsort(-time, kind="stable")
        falling, happened = time[order], event[order]
        times, place = np.unique(falling[happened], return_inverse=True)
        risk_end = np.searchsorted(-falling, -times, side="right")
        return cls(covariates[order], happened, risk_end, place, np.bincount(place, minlength=len(times)))


def _maximize(blocks: list[_Block], columns: int) -> tuple[Numbers, Numbers] | None:
    """Climb by Newton's steps, halved where they overshoot; None where there is no top to reach."""
    beta = np.zeros(columns)
    now = _evaluate(blocks, beta)
    known = float(np.linalg.eigvalsh(now.information).max())
    for _ in range(_MOST_STEPS):
        try:
            step = np.linalg.solve(now.information, now.gradient)
        except np.linalg.LinAlgError:
            return None
        for _ in range(_MOST_HALVINGS):
            tried = _evaluate(blocks, beta + step)
            if tried.value >= now.value - _TOLERANCE * abs(now.value):
                break
            step = step / 2
        beta, now = beta + step, tried
        # Where events and covariate separate, the likelihood flattens and the coefficient rises for ever.
        if not np.isfinite(beta).all() or np.linalg.eigvalsh(now.information).min() < _FLAT * known:
            return None
        if np.abs(step).max() < _TOLERANCE * max(1.0, np.abs(beta).max()) * 100:
            return beta, now.information
    return None


def _evaluate(blocks: list[_Block], beta: Numbers) -> _Likelihood:
    parts = [_likelihood(block, beta) for block in blocks]
    return _Likelihood(
        math.fsum(part.value for part in parts),
        np.sum([part.gradient for part in parts], axis=0),
        np.sum([part.information for part in parts], axis=0),
    )


def _likelihood(block: _Block, beta: Numbers) -> _Likelihood:
    """Return log partial likelihood, gradient and information of a stratum.

    Of d events at one time the l-th meets the risk set less l/d of those d. All sums run over event times and over
    patients once.
    """
    x, place, deaths = block.covariates, block.place, block.deaths
    eta = x @ beta
    shift = float(eta.max())
    weight = np.exp(eta - shift)
    products = x[:, :, None] * x[:, None, :]
    risk = [_prefix(part, block.risk_end) for part in (weight, weight[:, None] * x, weight[:, None, None] * products)]
    tied = [
        _by_place(part[block.event], place, len(deaths))
        for part in (weight, weight[:, None] * x, weight[:, None, None] * products)
    ]
    index = np.repeat(np.arange(len(deaths)), deaths)
    share = (np.arange(len(index)) - np.repeat(np.cumsum(deaths) - deaths, deaths)) / deaths[index]
    zero = risk[0][index] - share * tied[0][index]
    one = (risk[1][index] - share[:, None] * tied[1][index]) / zero[:, None]
    two = (risk[2][index] - share[:, None, None] * tied[2][index]) / zero[:, None, None]
    value = float((eta[block.event] - shift).sum() - np.log(zero).sum())
    gradient = x[block.event].sum(axis=0) - one.sum(axis=0)
    information = (two - one[:, :, None] * one[:, None, :]).sum(axis=0)
    return _Likelihood(value, gradient, information)


def _prefix(part: Numbers, ends: Events) -> Numbers:
    sums: Numbers = np.cumsum(part, axis=0)[ends - 1]
    return sums


def _by_place(part: Numbers, place: Events, places: int) -> Numbers:
    sums = np.zeros((places, *part.shape[1:]))
    np.add.at(sums, place, part)
    return sums
