"""Procedures that do not qualify and change blood counts all the same: which ones, and what of them is read."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.acquisition.resources import Condition, Procedure
from cds_service.clinical.chart_facts import OperationFact, ProcedureTime
from cds_service.clinical.models import EffectiveTime
from cds_service.normalization.eligibility_facts import FactReader
from cds_service.normalization.subject import SubjectMatcher
from tests.support.charts import ABLATION, ICD10CM, PATIENT_ID, SNOMED, Json, condition, procedure
from tests.unit.normalization.reading import MAPPINGS, fact_reader, times, typed

PCS = "http://www.cms.gov/Medicare/Coding/ICD10"
RESECTION, TRANSPLANT, SPLENECTOMY = "107963000", "18027006", "234319005"
APPENDECTOMY = "0DTJ4ZZ"
CATEGORY: Json = {"category": {"coding": [{"system": SNOMED, "code": "387713003"}]}}


def operations(*resources: Json) -> list[OperationFact]:
    return list(fact_reader().read_operations([typed(Procedure, resource) for resource in resources]))


def coded(*codes: tuple[str, str], **members: Any) -> Json:
    return procedure(code={"coding": [{"system": system, "code": code} for system, code in codes]}, **members)


# A Procedure; the kind, code and completion of the fact, None where there is none.
KINDS: list[tuple[Json, tuple[str, str, bool] | None, str]] = [
    (procedure(RESECTION), ("liver-resection", RESECTION, True), "completed"),
    (procedure(RESECTION, status="in-progress"), ("liver-resection", RESECTION, False), "begun"),
    (procedure(RESECTION, status="on-hold"), ("liver-resection", RESECTION, False), "interrupted"),
    (procedure(RESECTION, status="stopped"), ("liver-resection", RESECTION, False), "given up"),
    (procedure(RESECTION, status="unknown"), ("liver-resection", RESECTION, False), "nobody knows"),
    (procedure(RESECTION, status=None), ("liver-resection", RESECTION, False), "without a status"),
    (procedure(RESECTION, status="not-done"), None, "not done"),
    (procedure(RESECTION, status="preparation"), None, "not yet begun"),
    (procedure(RESECTION, status="entered-in-error"), None, "taken back"),
    (procedure(RESECTION, subject={"reference": "Patient/other"}), None, "of somebody else"),
    (procedure(RESECTION, when="2027-01-01"), None, "in the future"),
    (procedure(TRANSPLANT), ("liver-transplant", TRANSPLANT, True), "a transplant"),
    (procedure(SPLENECTOMY), ("splenectomy", SPLENECTOMY, True), "a removed spleen"),
    (procedure(APPENDECTOMY, PCS), ("other", APPENDECTOMY, True), "another operation, by its form"),
    (procedure("0fb00zz", PCS), ("liver-resection", "0fb00zz", True), "the code as sent"),
    (procedure("1", **CATEGORY), ("other", "1", True), "an unlisted code of the category of operations"),
    (procedure(code=None, **CATEGORY), ("other", "", True), "the category alone"),
    (procedure(code={"coding": [{"system": SNOMED}]}, **CATEGORY), ("other", "", True), "beside a coding of no code"),
    (procedure("1"), None, "an unlisted code"),
    (procedure(code=None), None, "no code"),
    (procedure("1", category={"coding": [{"system": SNOMED, "code": "103693007"}]}), None, "a diagnostic procedure"),
    (procedure("1", category={"coding": [{"code": "387713003"}]}), None, "a category without a system"),
    (procedure("1", category={"coding": [{"system": SNOMED}]}), None, "a category without a code"),
    (procedure(), None, "an ablation that was completed qualifies"),
    (procedure(status="stopped"), ("interventional", ABLATION, False), "one that was not completed"),
    (procedure(status=None), ("interventional", ABLATION, False), "one without a status"),
    (procedure(**CATEGORY), None, "an ablation under the category of operations is still an ablation"),
    (procedure(status="not-done"), None, "one that was not done"),
    (
        coded((SNOMED, ABLATION), (SNOMED, RESECTION)),
        ("liver-resection", RESECTION, True),
        "an ablation with a resection closes as the latter",
    ),
    (
        coded((SNOMED, ABLATION), (SNOMED, RESECTION), status="stopped"),
        ("interventional", ABLATION, False),
        "the same, not completed",
    ),
    (coded((SNOMED, ABLATION), (PCS, APPENDECTOMY)), None, "an ablation is no other operation"),
    (coded((PCS, APPENDECTOMY), (SNOMED, RESECTION)), ("liver-resection", RESECTION, True), "the listed one wins"),
    (coded((SNOMED, RESECTION), (PCS, APPENDECTOMY)), ("liver-resection", RESECTION, True), "in any order"),
    (coded((SNOMED, "1"), (PCS, APPENDECTOMY)), ("other", APPENDECTOMY, True), "a code of ours beside another one"),
    (coded((PCS, APPENDECTOMY), (PCS, "0DTJ0ZZ")), ("other", APPENDECTOMY, True), "the first of two"),
    (coded((SNOMED, "1"), (SNOMED, "2"), **CATEGORY), ("other", "1", True), "the first of two unlisted ones"),
    (coded((SNOMED, SPLENECTOMY), **CATEGORY), ("splenectomy", SPLENECTOMY, True), "a kind says more than a category"),
]


@pytest.mark.parametrize(("resource", "expected", "reason"), KINDS)
def test_operation_by_code_and_status(resource: Json, expected: tuple[str, str, bool] | None, reason: str) -> None:
    found = [(fact.kind, fact.code, fact.completed) for fact in operations(resource)]

    assert found == ([expected] if expected else []), reason


def test_operation_carries_its_reference_and_its_day() -> None:
    first, second = operations(
        procedure(RESECTION, id="dated", when="2026-10-01"),
        procedure(SPLENECTOMY, id=None, performedDateTime=None),
    )

    day = EffectiveTime(first.performed.first.day, None) if first.performed else None
    assert day is not None
    assert first == OperationFact(
        "liver-resection",
        "Procedure/dated",
        RESECTION,
        completed=True,
        performed=ProcedureTime(day, day, "2026-10-01", "2026-10-01"),
    )
    assert second == OperationFact("splenectomy", "", SPLENECTOMY, completed=True, performed=None)


@pytest.mark.parametrize(
    ("before", "reason"),
    [
        (procedure("1"), "a code that is none of ours"),
        (procedure(RESECTION, id="not-done", status="not-done"), "one that was not done"),
        (
            procedure(id="elsewhere", status="stopped", bodySite=[{"text": "uterus"}]),
            "an unfinished one at another organ",
        ),
        (
            procedure(id="bleeding", status="stopped", reasonCode=[{"text": "bleeding"}]),
            "an unfinished one for another reason",
        ),
    ],
)
def test_operation_after_one_that_is_not_yielded_is_read(before: Json, reason: str) -> None:
    found = operations(before, procedure(RESECTION, id="done"))

    assert [fact.reference for fact in found] == ["Procedure/done"], reason


def test_operation_at_another_organ_is_yielded() -> None:
    # Where and why it was done says whether an interventional procedure is one of the liver.
    (found,) = operations(procedure(SPLENECTOMY, bodySite=[{"text": "spleen"}]))

    assert found.kind == "splenectomy"


def test_operation_taken_back_in_another_version_is_not_yielded() -> None:
    versions = procedure(RESECTION, id="1"), procedure(RESECTION, id="1", status="entered-in-error")

    assert operations(*versions) == []


def test_operation_for_a_metastasis_by_a_refused_code_is_not_yielded() -> None:
    assert operations(coded((SNOMED, ABLATION), (SNOMED, "314617008"), status="stopped")) == []


def test_unfinished_procedure_is_judged_by_the_diagnosis_that_it_points_to() -> None:
    aneurysm = typed(Condition, condition("I72.8", ICD10CM, id="a"))
    diagnoses = {"a": aneurysm.code} if aneurysm.code is not None else {}
    reader = FactReader(MAPPINGS, SubjectMatcher(PATIENT_ID, {}), times(), diagnoses)
    pointing = procedure(status="stopped", reasonReference=[{"reference": "Condition/a"}])

    assert list(reader.read_operations([typed(Procedure, pointing)])) == []
    assert len(operations(pointing)) == 1
