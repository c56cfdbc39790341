"""No sender decides what a body costs: time grows as its length does. Counted in processor time, not by the clock."""

import pytest
from werkzeug.test import Client

from tests.benchmarks.growth import (
    FAMILIES,
    HALF_A_MEGABYTE,
    MOST_RATIO,
    MOST_SECONDS,
    application,
    cost,
    ratio,
)

pytestmark = pytest.mark.alone


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Client:
    return application(tmp_path_factory.mktemp("costs"))


@pytest.mark.parametrize("family", FAMILIES)
def test_half_a_megabyte_takes_at_most_a_second(client: Client, family: str) -> None:
    assert cost(client, family, HALF_A_MEGABYTE, repeats=2) <= MOST_SECONDS


@pytest.mark.parametrize("family", FAMILIES)
def test_twice_the_input_takes_at_most_three_times_the_processor(client: Client, family: str) -> None:
    assert ratio(client, family, HALF_A_MEGABYTE) <= MOST_RATIO
