"""Conditions and Procedures in company: what one of them is never ends the reading of the next."""

from __future__ import annotations

import pytest

from cds_service.acquisition.resources import Condition, Procedure
from cds_service.clinical.chart_facts import ConditionFact, ProcedureFact
from cds_service.normalization.eligibility_facts import ExcludedFact
from tests.support.charts import ICD10CM, Json, condition, procedure
from tests.unit.normalization.reading import fact_reader, typed


@pytest.mark.parametrize(
    ("before", "reason"),
    [
        (procedure("1"), "a code that is none of ours"),
        (procedure(status="in-progress", id="unfinished"), "one that is not done"),
        (procedure(code=None), "one without a code"),
    ],
)
def test_procedure_after_one_that_does_not_count_is_read(before: Json, reason: str) -> None:
    found = list(fact_reader().read_procedures([typed(Procedure, r) for r in (before, procedure(id="done"))]))

    assert isinstance(found[-1], ProcedureFact), reason
    assert found[-1].reference == "Procedure/done", reason


@pytest.mark.parametrize(
    ("before", "reason"),
    [
        (condition("I10"), "a diagnosis that is none of ours"),
        (condition(subject=None, id="whose"), "one of nobody"),
        (condition(code=None), "one without a code"),
    ],
)
def test_condition_after_one_that_does_not_count_is_read(before: Json, reason: str) -> None:
    found = list(fact_reader().read_conditions([typed(Condition, r) for r in (before, condition(id="cancer"))]))

    assert isinstance(found[-1], ConditionFact), reason
    assert found[-1].reference == "Condition/cancer", reason


def test_spread_beside_a_cancer_that_does_not_count_is_read() -> None:
    # The status is a text: it makes no cancer, and takes no spread back.
    codings = [{"system": ICD10CM, "code": code} for code in ("C22.0", "C78.7")]
    resource = condition(code={"coding": codings}, verificationStatus={"text": "sure"}, id="both")

    found = list(fact_reader().read_conditions([typed(Condition, resource)]))

    assert found[0] == ExcludedFact("Condition", "Condition/both", "C22.0", "status-not-accepted")  # type: ignore[arg-type]
    assert [(f.category, f.reference) for f in found[1:] if isinstance(f, ConditionFact)] == [
        ("secondary", "Condition/both")
    ]
