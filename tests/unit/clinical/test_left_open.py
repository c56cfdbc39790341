"""A list that came cut off may hold what makes the patient eligible: the outcome is left open, and why."""

from __future__ import annotations

import pytest

from cds_service.clinical.assessment import leave_open
from cds_service.clinical.chart_facts import ChartFacts, ConditionFact, ProcedureFact
from cds_service.clinical.outcomes import Indeterminate
from cds_service.clinical.reasons import Reason
from tests.unit.clinical.values import POLICY, at, day, done

DOUBTS = (Reason.MALFORMED, Reason.TRUNCATED)
ABLATION = ProcedureFact("ablation", "Procedure/1", "1", "x", done(at(day(60))))


def diagnosis(category: str) -> ConditionFact:
    return ConditionFact(category, "Condition/1", "1", "C", False, day(400), day(400))


def test_outcome_left_open_says_what_is_missing_and_nothing_of_blood() -> None:
    found = leave_open(ChartFacts(None, (diagnosis("primary"),), ()), DOUBTS, POLICY)

    assert found == Indeterminate(
        cutoff=POLICY.cutoff,
        reasons=DOUBTS,
        taken={},
        exclusions={},
        latest_procedure=None,
        newest_draw=None,
        newest_result=None,
        has_grounds=True,
        open_days=None,
    )


@pytest.mark.parametrize(
    ("facts", "expected", "reason"),
    [
        (ChartFacts(None, (diagnosis("primary"),), ()), True, "a liver cancer"),
        (ChartFacts(None, (diagnosis("history"),), ()), True, "the history of one"),
        (ChartFacts(None, (), (ABLATION,)), True, "a procedure"),
        (ChartFacts(None, (diagnosis("metastasis"), diagnosis("primary")), ()), True, "whatever stands beside it"),
        (ChartFacts(None, (diagnosis("other-histology"),), ()), False, "a cancer that was not studied"),
        (ChartFacts(None, (diagnosis("metastasis"),), ()), False, "a metastasis of something"),
        (ChartFacts(None, (), ()), False, "nothing"),
    ],
)
def test_outcome_left_open_has_grounds_where_a_diagnosis_or_a_procedure_speaks_for_it(
    facts: ChartFacts, expected: bool, reason: str
) -> None:
    assert leave_open(facts, DOUBTS, POLICY).has_grounds is expected, reason
