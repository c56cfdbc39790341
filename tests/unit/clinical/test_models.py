"""The order of times, and what a draw says of itself."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from typing import Any

import pytest

from cds_service.clinical.models import Analyte, Basis, BloodDraw, EffectiveTime
from cds_service.clinical.reasons import Reason
from tests.unit.clinical.values import at, day, draw, result

MORNING, EVENING = at(day(1), "07:00"), at(day(1), "19:00")


@pytest.mark.parametrize(
    ("older", "newer", "reason"),
    [
        (at(day(2)), at(day(1)), "by day"),
        (MORNING, EVENING, "by instant within a day"),
        (at(day(1)), at(day(1), "00:00"), "a day alone stands before its first minute"),
        (at(day(2), "23:59"), at(day(1)), "but after all of the day before"),
        (
            EffectiveTime(day(1), datetime(2026, 3, 9, 3, 0, tzinfo=UTC)),
            at(day(1), "11:01"),
            "instants compare across zones: 03:00 in UTC is 11:00 in Shanghai",
        ),
    ],
)
def test_time_order_tells_older_from_newer(older: EffectiveTime, newer: EffectiveTime, reason: str) -> None:
    assert older.order < newer.order, reason
    assert not newer.order < older.order, reason


@pytest.mark.parametrize(
    ("time", "text"),
    [(at("2026-03-01"), "2026-03-01"), (at("2026-03-01", "07:15"), "2026-03-01T07:15:00+08:00")],
)
def test_time_as_text_has_its_own_precision(time: EffectiveTime, text: str) -> None:
    assert time.isoformat() == text


@pytest.mark.parametrize("time", [at("2026-03-01"), MORNING])
def test_time_copied_is_the_same_time(time: EffectiveTime) -> None:
    assert copy.deepcopy(time) == time
    assert copy.deepcopy(time).order == time.order


ONE = draw(MORNING)


@pytest.mark.parametrize(
    ("other", "same", "reason"),
    [
        (draw(MORNING), True, "the same results"),
        (draw(MORNING, name="other"), False, "of the same time, and other results"),
        (draw(EVENING), False, "of another time"),
        (draw(MORNING, ("211", "6", "1.8")), False, "of other values"),
        (draw(MORNING, ("210", "6", "1.8"), Reason.CONFLICTING_RESULTS), False, "with a problem"),
        (draw(EVENING, ("1", "1", "1"), name="other"), False, "nothing alike but the lack of problems"),
    ],
)
def test_draws_are_the_same_by_time_results_and_problems(other: object, same: bool, reason: str) -> None:
    assert (other == ONE) is same, reason
    assert not same or hash(other) == hash(ONE)


@pytest.mark.parametrize("latest", ["platelets", "neutrophils", "lymphocytes"])
def test_draw_time_is_that_of_its_latest_result(latest: str) -> None:
    results: dict[str, Any] = {
        name: result(Analyte(name), "1", EVENING if name == latest else MORNING)
        for name in ("neutrophils", "lymphocytes", "platelets")
    }

    assert BloodDraw(**results).effective == EVENING


def test_draw_of_a_day_and_a_moment_has_the_moment() -> None:
    results: dict[str, Any] = {name: result(Analyte(name), "1", at(day(1))) for name in ("neutrophils", "lymphocytes")}

    assert BloodDraw(**results, platelets=result(Analyte.PLATELETS, "1", MORNING)).effective == MORNING


def test_draw_results_come_in_the_order_of_the_formula() -> None:
    assert [r.analyte for r in draw(MORNING).results] == [
        Analyte.PLATELETS,
        Analyte.NEUTROPHILS,
        Analyte.LYMPHOCYTES,
    ]


@pytest.mark.parametrize("basis", [Basis.ABSOLUTE, Basis.PERCENT])
def test_draw_basis_is_that_of_its_differential(basis: Basis) -> None:
    shares: dict[str, Any] = {
        name: result(Analyte(name), "0.2", MORNING, basis=basis) for name in ("neutrophils", "lymphocytes")
    }

    assert BloodDraw(**shares, platelets=result(Analyte.PLATELETS, "200", MORNING)).basis is basis


def test_draws_of_the_same_results_and_problems_are_one() -> None:
    same, problem = draw(MORNING), draw(MORNING, ("210", "6", "1.8"), Reason.CONFLICTING_RESULTS)

    assert len({draw(MORNING), same, problem, draw(EVENING)}) == 3
    assert same != repr(same)


def test_draw_in_a_failed_comparison_shows_its_results_and_problems() -> None:
    shown = repr(draw(MORNING, ("210", "6", "0"), Reason.ZERO_LYMPHOCYTES))

    assert "Decimal('210')" in shown
    assert "zero-lymphocytes" in shown


def test_basis_is_named_as_the_response_names_it() -> None:
    assert [str(basis) for basis in Basis] == ["absolute", "percent", "mass"]
