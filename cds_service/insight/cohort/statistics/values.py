"""What the figures are made of: arrays of one row a patient, and estimates with their 95 % intervals."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]
# How follow-up ended: 0 censored, 1 recurrence, 2 death without recurrence.
Events = NDArray[np.int64]

CENSORED: Final = 0
RECURRENCE: Final = 1
DEATH: Final = 2

# The 97.5 % point of the standard normal distribution: all intervals are two-sided at 95 %.
NORMAL_95: Final = 1.959963984540054


class Interval(NamedTuple):
    """An estimate with its 95 % interval. All three are nan where the data do not determine them."""

    estimate: float
    lower: float
    upper: float


class Standard(NamedTuple):
    """An estimate with its standard error."""

    estimate: float
    se: float


class Test(NamedTuple):
    """A test statistic with its two-sided P value; nan where the data do not determine them."""

    statistic: float
    p: float


UNDETERMINED: Final = Interval(float("nan"), float("nan"), float("nan"))
NO_TEST: Final = Test(float("nan"), float("nan"))
