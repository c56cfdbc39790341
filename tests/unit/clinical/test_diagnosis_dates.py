"""Since when liver cancer is recorded, and whether a procedure was done before: only what is sure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cds_service.clinical.chart_facts import ConditionFact, ProcedureTime
from cds_service.clinical.diagnosis_dates import are_any_before_diagnosis, diagnosed_since, is_before_diagnosis
from tests.unit.clinical.values import at, day, done

if TYPE_CHECKING:
    from datetime import date


def diagnosis(category: str, first: int | None) -> ConditionFact:
    found = day(first) if first is not None else None
    return ConditionFact(category, "Condition/1", "1", "C", False, day(1), found)


@pytest.mark.parametrize(
    ("conditions", "expected", "reason"),
    [
        ((), None, "no diagnosis"),
        ((diagnosis("primary", 100),), day(100), "one"),
        ((diagnosis("primary", 100), diagnosis("primary", 200)), day(200), "the earliest of two"),
        ((diagnosis("primary", 200), diagnosis("primary", 100)), day(200), "in any order"),
        ((diagnosis("primary", None),), None, "undated"),
        ((diagnosis("primary", 100), diagnosis("primary", None)), None, "an undated one may be older"),
        ((diagnosis("history", 100),), None, "a history was written down at any time"),
        ((diagnosis("primary", 100), diagnosis("history", 50)), None, "beside a history nobody knows"),
        ((diagnosis("primary", 100), diagnosis("history", None)), None, "nor beside an undated one"),
        ((diagnosis("primary", 100), diagnosis("metastasis", 300)), day(100), "what is no liver cancer does not count"),
        ((diagnosis("primary", 100), diagnosis("metastasis", None)), day(100), "dated or not"),
    ],
)
def test_diagnosed_since(conditions: tuple[ConditionFact, ...], expected: date | None, reason: str) -> None:
    assert diagnosed_since(conditions) == expected, reason


@pytest.mark.parametrize(
    ("performed", "since", "expected", "reason"),
    [
        (done(at(day(131))), day(100), True, "31 days before"),
        (done(at(day(130))), day(100), False, "30 days before"),
        (done(at(day(400)), at(day(130))), day(100), False, "the last day of a span counts"),
        (None, day(100), False, "undated"),
        (done(at(day(400))), None, False, "a cancer of no known day"),
    ],
)
def test_procedure_before_the_diagnosis(
    performed: ProcedureTime | None, since: date | None, expected: bool, reason: str
) -> None:
    assert is_before_diagnosis(performed, since) is expected, reason


def test_any_of_several_procedures_may_be_before_the_diagnosis() -> None:
    early, late = done(at(day(200))), done(at(day(50)))

    assert are_any_before_diagnosis((late, early), day(100))
    assert not are_any_before_diagnosis((late,), day(100))
    assert not are_any_before_diagnosis((), day(100))
