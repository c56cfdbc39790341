"""Small cells and few patients stay hidden; what is shown is right."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.insight.doctor.masking import Mask
from cds_service.insight.tally import median

MASK = Mask(5)


@pytest.mark.parametrize(
    ("count", "shown", "words"),
    [
        (0, 0, "0 results"),
        (1, "<5", "fewer than 5 results"),
        (4, "<5", "fewer than 5 results"),
        (5, 5, "5 results"),
        (12345, 12345, "12,345 results"),
    ],
)
def test_count_below_the_limit_is_masked(count: int, shown: object, words: str) -> None:
    assert MASK.count(count) == shown
    assert MASK.words(count, "result") == words


@pytest.mark.parametrize(
    ("part", "whole", "share", "reason"),
    [
        (50, 100, "50 %", "both large"),
        (0, 100, "0 %", "nothing is no person"),
        (3, 100, "", "the part is small"),
        (98, 100, "", "the rest is small"),
        (3, 4, "", "the whole is small"),
        (0, 0, "", "nothing of nothing"),
    ],
)
def test_share_that_would_tell_a_masked_count_is_left_out(part: int, whole: int, share: str, reason: str) -> None:
    assert MASK.share(part, whole) == share, reason


@pytest.mark.parametrize(
    ("patients", "keys", "reason"),
    [
        (4, [], "too few patients, however many values"),
        (5, ["p25", "p50", "p75"], "quartiles"),
        (19, ["p25", "p50", "p75"], "the outer ones would be values of single patients"),
        (20, ["p5", "p25", "p50", "p75", "p95"], "all"),
    ],
)
def test_quantiles_need_patients(patients: int, keys: list[str], reason: str) -> None:
    assert list(MASK.quantiles([float(n) for n in range(1000)], patients)) == keys, reason


def test_mask_of_zero_shows_everything() -> None:
    assert Mask(0).count(1) == 1
    assert list(Mask(0).quantiles([1.0], 1)) == ["p5", "p25", "p50", "p75", "p95"]


def test_one_of_something_is_singular() -> None:
    assert Mask(0).words(1, "entry") == "1 entry"
    assert MASK.words(9, "entry") == "9 entries"


@pytest.mark.parametrize(
    ("values", "expected"),
    [([3.0], 3.0), ([1.0, 2.0], 1.5), ([9.0, 1.0, 5.0], 5.0), ([4.0, 1.0, 3.0, 2.0], 2.5)],
)
def test_median_of_few_values(values: list[float], expected: float) -> None:
    assert median(values) == expected


@given(st.lists(st.floats(-1e6, 1e6), min_size=1), st.integers(1, 500))
def test_quantiles_rise_and_stay_within(values: list[float], patients: int) -> None:
    quantiles = list(MASK.quantiles(values, patients).values())

    assert quantiles == sorted(quantiles)
    assert all(min(values) - 1e-6 <= q <= max(values) + 1e-6 for q in quantiles)


@given(st.integers(0, 30), st.integers(2, 20))
def test_no_count_between_one_and_the_limit_is_ever_shown(count: int, below: int) -> None:
    said = json.dumps([Mask(below).count(count), Mask(below).words(count, "result")])

    assert (str(count) not in said.replace(str(below), "")) or not 0 < count < below
