"""What is kept of resources that could not be read: that they were there, and a code only where the tables know it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from cds_service.audit.chart_entries import ChartEntry
from cds_service.audit.chart_keeping import MOST_RESOURCES, ChartKeeper
from tests.support.charts import (
    ABLATION,
    ICD10CM,
    LOINC,
    NOW,
    PATIENT_ID,
    PLATELETS,
    SNOMED,
    Json,
    bundle,
    condition,
    draw,
    hook_request,
    procedure,
)
from tests.unit.decision.asking import SITE, decision

OTHER_TEST = "99999-9"


def kept(body: Json) -> ChartEntry | None:
    decided = decision(body)
    laboratory = decided.laboratory.chart if decided.laboratory is not None else None
    keeper = ChartKeeper(SITE.mappings)
    chart = keeper.keep(PATIENT_ID, decided.chart, decided.facts.patient, laboratory, NOW.date())
    return msgspec.json.decode(chart, type=ChartEntry) if chart is not None else None


def broken(kind: str, code: Any, **members: Any) -> Json:
    return {"resourceType": kind, "id": "b", "subject": 5, "code": code} | members


def concept(system: str, *codes: str) -> Json:
    return {"coding": [{"system": system, "code": code} for code in codes]}


FACTS = [
    (concept(ICD10CM, "C22.0"), concept(SNOMED, ABLATION), True, "of the tables"),
    (concept(ICD10CM, "C22.9"), concept(SNOMED, "314617008"), True, "refused by the tables"),
    (concept(ICD10CM, "F20.0"), concept(SNOMED, "12345"), False, "of no table: nobody's business"),
    ({"text": "F20.0"}, {"text": "12345"}, False, "no code at all"),
    (5, 5, False, "not even a code that can be read"),
]


@pytest.mark.parametrize(("diagnosis", "therapy", "has_code", "reason"), FACTS)
def test_unreadable_diagnosis_and_procedure_keep_their_place_and_a_known_code(
    diagnosis: Any, therapy: Any, has_code: bool, reason: str
) -> None:
    chart = kept(
        hook_request(
            conditions=bundle(condition(), broken("Condition", diagnosis)),
            procedures=bundle(procedure(), broken("Procedure", therapy)),
        )
    )

    assert chart is not None
    for entries in (chart.malformed_diagnoses, chart.malformed_therapies):
        assert [(entry.id, entry.code is not None) for entry in entries] == [("b", has_code)], reason


RESULTS = [
    (concept(LOINC, PLATELETS), {}, True, True, "one of ours"),
    (concept(LOINC, OTHER_TEST), {}, False, False, "another test, which the rule does not look at"),
    ({"text": "HIV"}, {}, False, False, "a code element that says nothing is none of ours"),
    (5, {}, True, False, "no code could be read: it may be any of ours"),
    (concept(LOINC, OTHER_TEST), {"component": [{"code": 5}]}, True, False, "a panel may hold ours"),
    (concept(LOINC, OTHER_TEST, PLATELETS), {}, True, True, "one of its codes is ours"),
]


@pytest.mark.parametrize(("code", "members", "is_kept", "has_code", "reason"), RESULTS)
def test_unreadable_result_is_kept_where_it_may_be_ours(
    code: Any, members: Json, is_kept: bool, has_code: bool, reason: str
) -> None:
    chart = kept(hook_request(*draw(), broken("Observation", code, **members)))

    assert chart is not None
    assert chart.blood_counts is not None
    assert [(entry.id, entry.code is not None, entry.has_components) for entry in chart.blood_counts.malformed] == (
        [("b", has_code, bool(members))] if is_kept else []
    ), reason


def test_unreadable_results_of_other_tests_do_not_make_a_chart_too_large() -> None:
    others = [broken("Observation", concept(LOINC, OTHER_TEST)) for _ in range(MOST_RESOURCES + 1)]

    assert kept(hook_request(*draw(), *others)) is not None
