"""Twice the results cost at most three times the processor time, however a caller arranges them."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest

from cds_service.acquisition import resources
from cds_service.clinical.sii import compute_sii
from cds_service.normalization.draws import pair_draws
from tests.support.crowded_charts import LABORATORY_FAMILIES
from tests.unit.normalization.reading import MAPPINGS, observation_reader, typed

pytestmark = pytest.mark.alone

SIZE = 1000
REPEATS = 2
ATTEMPTS = 4


def seconds(name: str, number: int) -> float:
    """Processor time of reading and pairing, the least of several runs."""
    observations = [typed(resources.Observation, o) for o in LABORATORY_FAMILIES[name](number)]
    found = []
    for _ in range(REPEATS):
        began = time.process_time()
        reading = observation_reader().read_all(observations)
        pair_draws(reading, timedelta(minutes=60), MAPPINGS.differential, compute_sii, truncated=False)
        found.append(time.process_time() - began)
    return min(found)


@pytest.mark.parametrize("name", LABORATORY_FAMILIES)
def test_pairing_twice_the_results_costs_at_most_three_times(name: str) -> None:
    # What others do on the machine only ever adds to one side or the other: the best of a few pairs is told.
    ratios = (seconds(name, 2 * SIZE) / seconds(name, SIZE) for _ in range(ATTEMPTS))

    assert any(ratio <= 3 for ratio in ratios)
