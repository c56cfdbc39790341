"""A cohort in which one patient has far more results than all others together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.cohort.stories import cohort
from tests.support.cohort.synthetic_resources import PLATELETS, at_hour, observation

if TYPE_CHECKING:
    from tests.support.cohort.histories import History

# Long before the procedure, and of platelets alone: read and held as what may decide, and nothing of it does.
_FIRST_DAY = -3_000
_LAST_DAY = -400


def cohort_with_one_large_patient(patients: int, results: int, seed: int) -> list[History]:
    """Make histories; the right rows of all of them are those without the results of the large patient."""
    histories = cohort(patients, seed)
    large = next(history for history in histories if history.story == "ordinary")
    for number in range(results):
        when = at_hour(large.day(_FIRST_DAY + number % (_LAST_DAY - _FIRST_DAY)), number)
        name = f"{large.patient}-large-{number}"
        large.extra.append(observation(name, large.patient, PLATELETS, 100 + number % 300, "10*9/L", when))
    return histories
