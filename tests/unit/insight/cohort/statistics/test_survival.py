"""Kaplan-Meier, cumulative incidence, log-rank and Cox against R's survival on public data; edges and properties."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.insight.cohort.statistics.cox import cox
from cds_service.insight.cohort.statistics.survival import (
    cumulative_incidence,
    kaplan_meier,
    log_rank,
    number_at_risk,
)
from tests.unit.insight.cohort.statistics.datasets import column, mgus2

if TYPE_CHECKING:
    from random import Random

    from cds_service.insight.cohort.statistics.values import Events, Flags, Numbers

CLOSED_FORM = 1e-9
ITERATED = 1e-7


@pytest.mark.parametrize(
    ("sex", "day", "estimate", "se"),
    [
        (1, 100, 0.82608695652174, 0.03226557558788),
        (1, 365, 0.33608783463938, 0.04342358884180),
        (1, 700, 0.08928467573374, 0.02925794540259),
        (2, 100, 0.92208835341365, 0.02827941365274),
        (2, 365, 0.52646303018591, 0.05973685399044),
        (2, 700, 0.24964333054007, 0.06520746352405),
    ],
)
def test_kaplan_meier_lung_equals_survfit(sex: int, day: float, estimate: float, se: float) -> None:
    mine = column("lung", "sex") == sex
    curve = kaplan_meier(column("lung", "time")[mine], column("lung", "status")[mine] == 2)

    assert curve.at(day) == pytest.approx((estimate, se), abs=CLOSED_FORM)


@pytest.mark.parametrize(
    ("female", "kind", "month", "estimate", "se"),
    [
        (True, 1, 24, 0.02383323719164, 0.006079968513305),
        (True, 1, 120, 0.0738856643759, 0.010769797376488),
        (True, 1, 240, 0.1049406741861, 0.014262957434497),
        (True, 2, 120, 0.4804900457747, 0.020804914518020),
        (False, 1, 120, 0.0553102406482, 0.008644316552196),
        (False, 1, 240, 0.0956507550310, 0.013525830949187),
        (False, 2, 24, 0.1912350597610, 0.014331690740020),
        (False, 2, 240, 0.7481278892657, 0.020668866928040),
    ],
)
def test_cumulative_incidence_mgus2_equals_survfit(
    female: bool, kind: int, month: float, estimate: float, se: float
) -> None:
    data = mgus2()
    mine = data.female == female

    curve = cumulative_incidence(data.time[mine], data.events[mine], kind)

    assert curve.at(month) == pytest.approx((estimate, se), abs=CLOSED_FORM)


@pytest.mark.parametrize(
    ("name", "event", "group", "stratum", "statistic", "reason"),
    [
        ("lung", 2, ("sex", 2), None, 10.3267419549, "ties, two groups"),
        ("veteran", 1, ("trt", 2), None, 0.008227343202351, "hardly a difference"),
        ("veteran", 1, ("trt", 2), ("karno", 60), 0.07510158668357, "within strata"),
    ],
)
def test_log_rank_equals_survdiff(
    name: str, event: int, group: tuple[str, int], stratum: tuple[str, int] | None, statistic: float, reason: str
) -> None:
    strata = (column(name, stratum[0]) > stratum[1]).astype(np.int64) if stratum is not None else None
    test = log_rank(column(name, "time"), column(name, "status") == event, column(name, group[0]) == group[1], strata)

    assert test.statistic == pytest.approx(statistic, rel=CLOSED_FORM), reason


def test_log_rank_lung_p_equals_survdiff() -> None:
    test = log_rank(column("lung", "time"), column("lung", "status") == 2, column("lung", "sex") == 2)

    assert test.p == pytest.approx(0.00131116452, rel=1e-8)


@pytest.mark.parametrize(
    ("name", "event", "titles", "stratum", "effects", "reason"),
    [
        ("lung", 2, ("sex",), None, ((-0.5310235376195, 0.1671785832308),), "one covariate, ties"),
        (
            "lung",
            2,
            ("age", "sex", "ph.ecog"),
            None,
            (
                (0.011066764560, 0.009267411014),
                (-0.552612395704, 0.167739053787),
                (0.463728475370, 0.113577266162),
            ),
            "three covariates",
        ),
        (
            "veteran",
            1,
            ("karno", "trt"),
            None,
            ((-0.03395356435185, 0.005083554974119), (0.17732225669218, 0.183148518326050)),
            "many ties",
        ),
        ("lung", 2, ("age",), "sex", ((0.016214651864878, 0.009186854601263),), "stratified"),
    ],
)
def test_cox_equals_coxph(
    name: str,
    event: int,
    titles: tuple[str, ...],
    stratum: str | None,
    effects: tuple[tuple[float, float], ...],
    reason: str,
) -> None:
    covariates = np.stack([column(name, title) for title in titles], axis=1)
    known = ~np.isnan(covariates).any(axis=1)
    strata = column(name, stratum).astype(np.int64)[known] if stratum is not None else None

    fitted = cox(column(name, "time")[known], (column(name, "status") == event)[known], covariates[known], strata)

    for effect, (coefficient, se) in zip(fitted, effects, strict=True):
        assert (effect.coefficient, effect.se) == pytest.approx((coefficient, se), abs=ITERATED), reason
        assert effect.hazard_ratio == pytest.approx(math.exp(coefficient), rel=ITERATED), reason


def days(*values: float) -> Numbers:
    return np.array(values, dtype=np.float64)


@pytest.mark.parametrize(
    ("time", "event", "covariate", "reason"),
    [
        (days(1, 2, 3), [False, False, False], days(0, 1, 0), "no event"),
        (days(1, 2, 3), [True, True, False], days(1, 1, 1), "a covariate that does not vary"),
        (days(1, 2, 3, 4), [True, True, False, False], days(1, 1, 0, 0), "events in one group only"),
        (days(1, 2, 3), [True, True, True], days(3, 2, 1), "the order of the events is that of the covariate"),
    ],
)
def test_cox_likelihood_without_a_maximum_gives_no_number(
    time: Numbers, event: list[bool], covariate: Numbers, reason: str
) -> None:
    (effect,) = cox(time, np.array(event), covariate[:, None])

    assert all(map(math.isnan, effect)), reason


def test_curve_before_the_first_event_and_beyond_the_last_patient() -> None:
    curve = kaplan_meier(days(5, 10, 20), np.array([True, False, False]))

    assert curve.at(4) == (1.0, 0.0)
    assert curve.at(20) == pytest.approx((2 / 3, math.sqrt(1 / 3 * 2 / 9)))
    assert all(map(math.isnan, curve.at(21)))


def test_kaplan_meier_last_patient_has_the_event_ends_at_zero_without_error() -> None:
    curve = kaplan_meier(days(5, 10), np.array([True, True]))

    assert curve.at(10) == (0.0, 0.0)


def test_kaplan_meier_censored_on_the_day_of_an_event_is_at_risk_then() -> None:
    curve = kaplan_meier(days(5, 5), np.array([True, False]))

    assert curve.at(5).estimate == 0.5


def test_survival_without_patients_or_events_says_so() -> None:
    nobody, none = np.array([]), np.array([], dtype=bool)

    assert math.isnan(kaplan_meier(nobody, none).at(0).estimate)
    assert cumulative_incidence(days(3, 4), np.array([0, 0]), 1).at(4) == (0.0, 0.0)
    assert math.isnan(log_rank(days(3, 4), np.array([False, False]), np.array([True, False])).statistic)


def test_number_at_risk_counts_who_is_there_just_before_the_day() -> None:
    assert list(number_at_risk(days(1, 2, 2, 5), days(0, 1, 2, 3, 5, 6))) == [4, 4, 3, 1, 1, 0]


patients = st.lists(st.tuples(st.integers(1, 12), st.integers(0, 2), st.booleans()), min_size=2, max_size=60)


def arrays(rows: list[tuple[int, int, bool]]) -> tuple[Numbers, Events, Flags]:
    time, events, group = zip(*rows, strict=True)
    return np.array(time, dtype=np.float64), np.array(events, dtype=np.int64), np.array(group)


@given(patients)
def test_incidences_of_all_kinds_and_survival_add_up_to_one(rows: list[tuple[int, int, bool]]) -> None:
    time, events, _ = arrays(rows)
    free = kaplan_meier(time, events != 0)

    for day in range(int(time.max()) + 1):
        parts = [cumulative_incidence(time, events, kind).at(day).estimate for kind in (1, 2)]
        assert free.at(day).estimate + sum(parts) == pytest.approx(1.0, abs=1e-12)


@given(patients)
def test_incidence_without_competing_deaths_is_one_less_kaplan_meier(rows: list[tuple[int, int, bool]]) -> None:
    time, events, _ = arrays(rows)
    only = np.where(events == 1, 1, 0)
    curve, free = cumulative_incidence(time, only, 1), kaplan_meier(time, only == 1)

    for day in range(int(time.max()) + 1):
        assert curve.at(day).estimate == pytest.approx(1 - free.at(day).estimate, abs=1e-12)


@given(patients, st.randoms(use_true_random=False))
def test_statistics_do_not_depend_on_the_order_of_patients(rows: list[tuple[int, int, bool]], random: Random) -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)
    (time, events, group), (time2, events2, group2) = arrays(rows), arrays(shuffled)

    one, two = log_rank(time, events == 1, group), log_rank(time2, events2 == 1, group2)
    assert one == pytest.approx(two, nan_ok=True, abs=1e-9)
    curve, curve2 = cumulative_incidence(time, events, 1), cumulative_incidence(time2, events2, 1)
    assert curve.estimate == pytest.approx(curve2.estimate, abs=1e-12)
    assert curve.se == pytest.approx(curve2.se, abs=1e-7)
