"""Counting that stays small: patients up to a number, a sample of values, the ids a seed puts first."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from cds_service.insight.doctor.tallies import MOST_VALUES, IdSample, Patients, Sample

IDS = st.lists(st.text(min_size=1, max_size=8), max_size=60)


def test_patients_are_counted_once_and_up_to_a_number() -> None:
    patients = Patients(most=3)
    for identifier in ("a", "b", "a"):
        patients.add(identifier)

    assert (len(patients), patients.is_full) == (2, False)

    for identifier in ("c", "d", "e"):
        patients.add(identifier)

    assert (len(patients), patients.is_full) == (3, True)


def test_sample_keeps_few_values_and_their_distribution() -> None:
    sample = Sample(seed=1)
    for value in range(100_000):
        sample.add(float(value))

    assert len(sample.values) == MOST_VALUES
    assert abs(sum(sample.values) / MOST_VALUES - 50_000) < 5_000


@given(IDS, st.integers(0, 20), st.integers(0, 5))
def test_draw_does_not_depend_on_order_or_repetition(ids: list[str], size: int, seed: int) -> None:
    once, shuffled = IdSample(size, seed), IdSample(size, seed)
    for identifier in ids:
        once.add(identifier)
    for identifier in (*sorted(ids), *reversed(ids)):
        shuffled.add(identifier)

    assert once.ids() == shuffled.ids()
    assert len(once.ids()) == min(size, len(set(ids)))
    assert set(once.ids()) <= set(ids)


def test_draw_many_draws_choose_each_member_equally_often() -> None:
    """2 of 10 by 500 seeds: each is expected 100 times, with a standard deviation of 9."""
    taken: Counter[str] = Counter()
    for seed in range(500):
        draw = IdSample(2, seed)
        for number in range(10):
            draw.add(f"patient-{number}")
        taken.update(draw.ids())

    assert all(60 < count < 140 for count in taken.values())
    assert len(taken) == 10
