"""Counts, ROC, tests of means and the bootstrap against R, the study's abstract and closed forms; edges."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.insight.cohort.statistics.classification import (
    BinaryTable,
    negative_predictive_value,
    net_benefit,
    net_benefit_of_all,
    positive_predictive_value,
    relative_risk,
    sensitivity,
    specificity,
    tabulate,
    wilson,
)
from cds_service.insight.cohort.statistics.comparison import Summary, chi_squared, student_t, summarize, welch_t
from cds_service.insight.cohort.statistics.discrimination import auc, compare_auc, roc_curve, youden
from cds_service.insight.cohort.statistics.resampling import cutoff_loss
from cds_service.insight.cohort.statistics.thresholds import threshold_rows
from tests.unit.insight.cohort.statistics.datasets import column

CLOSED_FORM = 1e-9
POOR = column("asah", "outcome") == 1
# The cut-off, and the groups of Yu 2023 by recurrence (doi 10.21037/jgo-23-104, abstract).
CUTOFF = 405.08
WITH_RECURRENCE, WITHOUT = 112, 160


@pytest.mark.parametrize(
    ("measure", "estimate", "lower", "upper"),
    [
        ("s100b", 0.731368563686, 0.630118211762, 0.832618915610),
        ("ndka", 0.611957994580, 0.501244999, 0.722670990),
        ("wfns", 0.823678861789, 0.748534888, 0.898822836),
    ],
)
def test_auc_asah_equals_proc(measure: str, estimate: float, lower: float, upper: float) -> None:
    area = auc(column("asah", measure), POOR)

    assert area.interval == pytest.approx((estimate, lower, upper), abs=CLOSED_FORM)


def test_auc_asah_variance_equals_proc() -> None:
    assert auc(column("asah", "s100b"), POOR).se ** 2 == pytest.approx(0.00266868245717, abs=1e-14)


def test_compare_auc_asah_equals_proc() -> None:
    test = compare_auc(column("asah", "s100b"), column("asah", "wfns"), POOR)

    assert test == pytest.approx((-2.20898359144, 0.0271757822), abs=CLOSED_FORM)


def test_youden_asah_flags_whom_proc_flags() -> None:
    """PROC prints the midpoint 0.205 between observed values: sensitivity and specificity are compared."""
    best = youden(column("asah", "s100b"), POOR)
    table = tabulate(column("asah", "s100b"), POOR, best.cutoff)

    assert best.cutoff in column("asah", "s100b")
    assert sensitivity(table).estimate == pytest.approx(0.6341463414634)
    assert specificity(table).estimate == pytest.approx(0.8055555555556)
    assert best.j == pytest.approx(0.6341463414634 + 0.8055555555556 - 1)


def test_wilson_equals_r() -> None:
    assert wilson(45, 60) == pytest.approx((0.75, 0.62767929923, 0.842234774699), abs=1e-9)


@pytest.mark.parametrize(
    ("successes", "n", "lower", "upper"),
    [(0, 10, 0.0, 0.277532799), (10, 10, 0.722467201, 1.0), (0, 0, math.nan, math.nan)],
)
def test_wilson_at_the_ends(successes: int, n: int, lower: float, upper: float) -> None:
    assert wilson(successes, n)[1:] == pytest.approx((lower, upper), abs=1e-8, nan_ok=True)


@pytest.mark.parametrize(
    ("event", "no_event", "statistic", "reason"),
    [
        (Summary(112, 535.23, 174.05), Summary(160, 357.84, 120.21), 9.944435316, "SII of the abstract"),
        (Summary(0, math.nan, math.nan), Summary(9, 1.0, 1.0), math.nan, "an empty group"),
        (Summary(4, 2.0, 0.0), Summary(4, 2.0, 0.0), math.nan, "nothing varies"),
    ],
)
def test_student_t_of_published_groups(event: Summary, no_event: Summary, statistic: float, reason: str) -> None:
    assert student_t(event, no_event).statistic == pytest.approx(statistic, abs=1e-9, nan_ok=True), reason


@pytest.mark.parametrize(
    ("with_recurrence", "without", "p", "reason"),
    [
        (22, 13, 0.005238176, "two or more lesions: 19.64 and 8.12 %"),
        (12, 7, 0.043525692, "vascular invasion: 10.71 and 4.38 %"),
    ],
)
def test_chi_squared_of_published_counts(with_recurrence: int, without: int, p: float, reason: str) -> None:
    table = [[with_recurrence, WITH_RECURRENCE - with_recurrence], [without, WITHOUT - without]]

    assert chi_squared(table).p == pytest.approx(p, abs=1e-9), reason


@pytest.mark.parametrize(
    ("table", "reason"),
    [([[3, 4], [0, 0]], "one group"), ([[3, 0], [4, 0]], "one category"), ([[5]], "nothing to compare")],
)
def test_chi_squared_of_less_than_two_by_two_is_undetermined(table: list[list[int]], reason: str) -> None:
    assert math.isnan(chi_squared(table).p), reason


def test_welch_t_of_equal_sizes_and_spreads_is_students() -> None:
    one, two = Summary(20, 5.0, 2.0), Summary(20, 4.0, 2.0)

    assert welch_t(one, two) == pytest.approx(student_t(one, two), abs=1e-12)


def test_summarize_one_value_has_no_spread() -> None:
    assert summarize(np.array([3.0]))[:2] == (1, 3.0)
    assert math.isnan(summarize(np.array([3.0])).sd)


def test_tabulate_flags_strictly_above_the_cutoff() -> None:
    table = tabulate(np.array([405.07, CUTOFF, 405.09]), np.array([True, True, True]), CUTOFF)

    assert table == BinaryTable(tp=1, fp=0, fn=2, tn=0)


def test_predictive_values_and_relative_risk_by_hand() -> None:
    table = BinaryTable(tp=30, fp=10, fn=20, tn=40)

    assert positive_predictive_value(table).estimate == 0.75
    assert negative_predictive_value(table).estimate == pytest.approx(2 / 3)
    # exp(log(2.25) -+ 1.96 sqrt(1/30 - 1/40 + 1/20 - 1/60))
    assert relative_risk(table) == pytest.approx((2.25, 1.50810, 3.35687), abs=1e-5)


@pytest.mark.parametrize("table", [BinaryTable(0, 5, 3, 2), BinaryTable(3, 2, 0, 5), BinaryTable(0, 0, 3, 4)])
def test_relative_risk_with_an_empty_cell_is_undetermined(table: BinaryTable) -> None:
    assert all(map(math.isnan, relative_risk(table)))


@pytest.mark.parametrize(("threshold", "benefit"), [(0.2, 0.275), (0.5, 0.2)])
def test_net_benefit_by_hand(threshold: float, benefit: float) -> None:
    table = BinaryTable(tp=30, fp=10, fn=20, tn=40)

    assert net_benefit(table, threshold) == pytest.approx(benefit)
    assert net_benefit_of_all(table, threshold) == pytest.approx(0.5 - 0.5 * threshold / (1 - threshold))


def test_discrimination_of_one_kind_of_patients_is_undetermined() -> None:
    everybody = np.array([True, True])

    assert math.isnan(auc(np.array([1.0, 2.0]), everybody).estimate)
    assert math.isnan(compare_auc(np.array([1.0, 2.0]), np.array([2.0, 1.0]), everybody).p)
    with pytest.raises(ValueError, match="with and without the event"):
        roc_curve(np.array([1.0, 2.0]), everybody)
    with pytest.raises(ValueError, match="with and without the event"):
        cutoff_loss(
            np.array([1.0, 2.0]), everybody, np.array([0, 1]), np.array([False, True]), 10, np.random.default_rng(1)
        )


def test_threshold_rows_count_what_a_cutoff_means() -> None:
    sii, event = np.array([100.0, 300.0, 500.0, 700.0]), np.array([False, True, False, True])

    low, high = threshold_rows(sii, event, (200.0, 900.0), days=14)

    assert low == (200.0, 3, 1.5, 2, 0, 1.5)
    assert high[:5] == (900.0, 0, 0.0, 0, 2)
    assert math.isnan(high.flagged_for_one)


def test_cutoff_loss_of_two_seeds_agrees_and_of_the_best_cutoff_is_none() -> None:
    sii, patient = column("asah", "s100b"), np.arange(len(POOR))
    kept = [cutoff_loss(sii, POOR, patient, sii > 0.4, 2_000, np.random.default_rng(seed)) for seed in (1, 2)]
    best = cutoff_loss(sii, POOR, patient, sii > youden(sii, POOR).cutoff, 200, np.random.default_rng(1))

    assert kept[0].loss == pytest.approx(kept[1].loss, abs=0.01)
    assert kept[0].optimism == pytest.approx(kept[1].optimism, abs=0.01)
    assert best.loss.estimate == 0.0
    assert kept[0].loss.estimate > 0


def test_cutoff_loss_rows_of_one_patient_are_drawn_together() -> None:
    """Doubling every row of a patient adds no information: the interval stays as wide."""
    sii, patient = column("asah", "s100b"), np.arange(len(POOR))
    once = cutoff_loss(sii, POOR, patient, sii > 0.4, 300, np.random.default_rng(1))
    twice = cutoff_loss(
        np.tile(sii, 2), np.tile(POOR, 2), np.tile(patient, 2), np.tile(sii > 0.4, 2), 300, np.random.default_rng(1)
    )

    assert twice.loss == pytest.approx(once.loss, abs=1e-12)


rows = st.lists(st.tuples(st.integers(1, 20), st.booleans()), min_size=2, max_size=40).filter(
    lambda drawn: len({event for _, event in drawn}) == 2
)


@given(rows)
def test_auc_is_the_share_of_pairs_in_the_right_order_ties_by_half(drawn: list[tuple[int, bool]]) -> None:
    events = [value for value, event in drawn if event]
    others = [value for value, event in drawn if not event]
    pairs = [1.0 if e > o else 0.5 if e == o else 0.0 for e in events for o in others]
    sii, event = (np.array(part) for part in zip(*drawn, strict=True))

    assert auc(sii.astype(float), event).estimate == pytest.approx(sum(pairs) / len(pairs), abs=1e-12)


@given(rows)
def test_roc_curve_every_point_is_the_table_at_its_cutoff(drawn: list[tuple[int, bool]]) -> None:
    sii, event = (np.array(part) for part in zip(*drawn, strict=True))
    curve = roc_curve(sii.astype(float), event)

    assert list(curve.cutoffs) == sorted({*map(float, sii), -math.inf}, reverse=True)
    for cutoff, found, spared in zip(*curve, strict=True):
        table = tabulate(sii.astype(float), event, float(cutoff))
        assert (sensitivity(table).estimate, specificity(table).estimate) == pytest.approx((found, spared))
    assert youden(sii.astype(float), event).j == pytest.approx(max(curve.sensitivity + curve.specificity) - 1)
