"""Other cut-offs, and how SII is distributed: at values between which nobody stands alone."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from cds_service.insight.cohort.statistics.thresholds import ThresholdRow, threshold_rows
from cds_service.insight.cohort.validation.suppression import is_small, shown_cutoffs

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from cds_service.insight.cohort.statistics.values import Numbers
    from cds_service.insight.cohort.validation.patients import Patients

# Round values on both sides of the published cut-off.
_ROUND: Final = (100.0, 150.0, 200.0, 250.0, 300.0, 350.0, 400.0, 450.0, 500.0, 600.0, 700.0, 800.0, 1000.0, 1500.0)


class Spread(NamedTuple):
    """Quantiles of SII in a group; nan where fewer than the least number of patients lie beyond."""

    p5: float
    p25: float
    median: float
    p75: float
    p95: float


_QUANTILES: Final = (5, 25, 50, 75, 95)


class Distribution(NamedTuple):
    """Patients with and without recurrence between rising bounds of SII: above one, up to the next."""

    bounds: tuple[float, ...]
    event: tuple[int, ...]
    no_event: tuple[int, ...]


def thresholds(patients: Patients, cutoffs: Sequence[Decimal], least: int) -> tuple[ThresholdRow, ...]:
    """Return what each cut-off would have meant in the patients who are followed, the one in use among them."""
    followed = patients.only(patients.followed)
    days = float(patients.decision.max() - patients.decision.min()) if len(patients) else 0.0
    return threshold_rows(followed.sii, followed.recurred, _shown(followed, cutoffs, least), days)


def distribution(patients: Patients, cutoffs: Sequence[Decimal], least: int) -> Distribution:
    """Count the patients who are followed between the same values; empty where no value can be told."""
    followed = patients.only(patients.followed)
    inner = _shown(followed, cutoffs, least)
    if not inner:
        return Distribution((), (), ())
    edges = [-np.inf, *inner, np.inf]
    counts = [
        tuple(
            int(np.count_nonzero(group & (followed.sii > low) & (followed.sii <= high)))
            for low, high in pairwise(edges)
        )
        for group in (followed.recurred, ~followed.recurred)
    ]
    return Distribution(tuple(inner), counts[0], counts[1])


def spreads(patients: Patients, least: int) -> dict[str, Spread]:
    """Return the quantiles of SII in the patients who are followed, with recurrence and without."""
    followed = patients.only(patients.followed)
    groups = {"event": followed.sii[followed.recurred], "no_event": followed.sii[~followed.recurred]}
    return {name: _spread(sii, least) for name, sii in groups.items()}


def _spread(sii: Numbers, least: int) -> Spread:
    values = np.percentile(sii, _QUANTILES).tolist() if len(sii) else [np.nan] * len(_QUANTILES)
    beyond = [len(sii) * min(share, 100 - share) / 100 for share in _QUANTILES]
    told = (value if few >= least else np.nan for value, few in zip(values, beyond, strict=True))
    return Spread(*told)


def _shown(followed: Patients, cutoffs: Sequence[Decimal], least: int) -> list[float]:
    recurred = followed.recurred
    sizes = (int(np.count_nonzero(recurred)), int(np.count_nonzero(~recurred)))
    if not len(followed) or any(is_small(size, least) for size in sizes):
        return []
    used = [float(cutoff) for cutoff in cutoffs]
    low, high = float(followed.sii.min()), float(followed.sii.max())
    between = [cutoff for cutoff in _ROUND if low <= cutoff < high]
    return shown_cutoffs(followed.sii, recurred, [*between, *used], least, first=used[0])
