"""What rows add up to: groups, quantiles, and words that somebody else chooses."""

from __future__ import annotations

from collections import Counter
from datetime import UTC
from statistics import quantiles

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.insight.row import row_of_record
from cds_service.insight.tally import (
    MOST_OVERRIDE_REASONS,
    OTHER_REASONS,
    Groups,
    Tally,
    added,
    bin_value,
    log_bin,
    quantile,
    quantile_bin,
)
from tests.unit.insight.monitor.samples import hook

VALUES = st.lists(st.integers(0, 50).map(float), min_size=2, max_size=40)


@pytest.mark.parametrize("value", [0.05, 1.0, 405.08, 2000.0])
def test_bin_holds_a_value_within_its_width(value: float) -> None:
    assert bin_value(log_bin(value)) == pytest.approx(value, rel=0.012)


@pytest.mark.parametrize(
    ("share", "position", "reason"),
    [(0.0, 1, "the lowest"), (0.5, 2, "the median of an even number is the lower one"), (0.51, 3, ""), (1.0, 4, "")],
)
def test_quantile_bin_of_four(share: float, position: int, reason: str) -> None:
    assert quantile_bin(Counter({1: 1, 2: 1, 3: 1, 4: 1}), share) == position, reason


@given(VALUES, st.integers(1, 99))
def test_quantile_is_that_of_the_standard_library(values: list[float], percent: int) -> None:
    found = quantile(Counter(values), percent / 100)

    assert found == pytest.approx(quantiles(values, n=100, method="inclusive")[percent - 1])


@pytest.mark.parametrize(("share", "expected"), [(0.0, 2.5), (0.5, 2.5), (1.0, 2.5)])
def test_quantile_of_one_value_is_the_value(share: float, expected: float) -> None:
    assert quantile(Counter([2.5]), share) == expected


def test_groups_add_up_to_larger_ones() -> None:
    row = row_of_record(hook(), UTC)
    groups: Groups[tuple[str, str]] = Groups()
    for key in (("W1", "a"), ("W1", "b"), ("W2", "a")):
        groups.at(key).add(row)

    assert {name: tally.hooks for name, tally in groups.by(lambda key: key[0]).items()} == {"W1": 2, "W2": 1}
    assert {name: tally.hooks for name, tally in groups.by(lambda key: key[1]).items()} == {"a": 2, "b": 1}
    assert added(groups.values()).hooks == 3


def test_groups_reading_a_group_makes_none() -> None:
    groups: Groups[str] = Groups()

    assert groups.of("a").hooks == 0
    assert not groups


def test_tally_override_reasons_beyond_the_most_count_as_others() -> None:
    tally = Tally()
    for number in range(MOST_OVERRIDE_REASONS + 5):
        tally.add_answer("overridden", f"code-{number}")
    tally.add_answer("overridden", "code-0")

    assert tally.override_reasons[OTHER_REASONS] == 5
    assert tally.override_reasons["code-0"] == 2
    assert tally.answers["overridden"] == tally.override_reasons.total()


def test_tally_patient_counted_before_is_a_hook_alone() -> None:
    tally = Tally()
    row = row_of_record(hook("indeterminate", reasons=("stale",)), UTC)
    tally.add(row)
    tally.add(row, new_patient=False, times=2)

    assert (tally.hooks, tally.outcomes["indeterminate"], tally.eligible) == (3, 3, 1)
    assert tally.reasons == {"stale": 1}
