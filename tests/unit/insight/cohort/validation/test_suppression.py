"""What is hidden cannot be had by subtraction, and no more is hidden than that takes."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.insight.cohort.validation.suppression import is_small, shown_counts, shown_cutoffs, shown_groups

LEAST = 10


@pytest.mark.parametrize(
    ("counts", "shown", "reason"),
    [
        ({"a": 10, "b": 20}, {"a", "b"}, "at the limit"),
        ({"a": 9, "b": 20, "c": 30}, {"c"}, "one alone would be the total less the others"),
        ({"a": 0, "b": 20}, {"a", "b"}, "nought counts nobody"),
        ({"a": 0, "b": 3, "c": 20}, {"a"}, "nought hides nothing, so the other must"),
        ({"a": 4, "b": 6, "c": 20}, {"c"}, "two that together are no small cell"),
        ({"a": 4, "b": 5, "c": 20, "d": 30}, {"d"}, "two that together are one"),
        ({}, set(), "no cell"),
    ],
)
def test_shown_counts_hide_small_cells_and_what_gives_them_away(
    counts: dict[str, int], shown: set[str], reason: str
) -> None:
    told = shown_counts(counts, LEAST)

    assert {name for name, count in told.items() if count is not None} == shown, reason
    assert all(told[name] == counts[name] for name in shown)


def test_shown_groups_of_several_cells_hide_the_group_of_a_small_one_and_the_smallest_beside_it() -> None:
    cells = {"women": (50, 9), "men": (60, 70), "unknown": (20, 15)}

    assert shown_groups(cells, LEAST) == {"men"}


groups = st.dictionaries(st.text("abcdef", min_size=1, max_size=2), st.tuples(*[st.integers(0, 30)] * 2), max_size=6)


@given(groups, st.integers(1, 12))
def test_shown_groups_what_is_hidden_adds_up_to_no_small_cell_or_is_all(
    cells: dict[str, tuple[int, int]], least: int
) -> None:
    shown = shown_groups(cells, least)
    hidden = [counts for name, counts in cells.items() if name not in shown]

    assert not any(is_small(count, least) for name in shown for count in cells[name])
    if any(any(cells[name]) for name in shown):
        assert not any(is_small(sum(column), least) for column in zip(*hidden, strict=True))
    if not any(is_small(count, least) for counts in cells.values() for count in counts):
        assert shown == set(cells)


people = st.lists(st.tuples(st.integers(1, 60), st.booleans()), min_size=1, max_size=200)


@given(people, st.integers(1, 12), st.one_of(st.none(), st.integers(1, 60)))
def test_shown_cutoffs_no_small_cell_between_neighbours_or_beyond(
    rows: list[tuple[int, bool]], least: int, first: int | None
) -> None:
    sii, event = (np.array(column) for column in zip(*rows, strict=True))
    kept = shown_cutoffs(sii, event, [5, 10, 20, 30, 40, 50], least, first=first)

    edges = [-np.inf, *kept, np.inf]
    for low, high in pairwise(edges):
        between = (sii > low) & (sii <= high)
        cells = [int(np.count_nonzero(between & group)) for group in (event, ~event)]
        assert not kept or not any(is_small(cell, least) for cell in cells)


def test_shown_cutoffs_prefer_the_one_in_use() -> None:
    sii = np.arange(1.0, 101)
    event = np.arange(100) % 2 == 0

    assert 57.0 in shown_cutoffs(sii, event, [50, 60], LEAST, first=57.0)
    assert shown_cutoffs(sii, event, [50, 60], LEAST) == [60]
