"""What the explanation says of Conditions and Procedures: the days that they close, their codes as sent."""

from __future__ import annotations

import pytest

from tests.support.charts import ICD10CM, SNOMED, Json, bundle, condition, hook_request, procedure
from tests.unit.decision.asking import explanation

RESECTION, ABLATION = "107963000", "609232008"
GERMAN = "http://fhir.de/CodeSystem/bfarm/icd-10-gm"
OPERATION: Json = {"treatment": "does not qualify", "code": RESECTION, "therapy": "liver-resection"}
EXCLUDED: Json = {"treatment": "excluded", "reason": "status-not-accepted", "code": ABLATION}
# A Procedure beside a completed ablation, and its row.
CLOSING: list[tuple[Json, Json, str]] = [
    (
        procedure(RESECTION, when="2026-10-01"),
        OPERATION | {"performed": "2026-10-01", "note": "blood drawn from 2026-10-01 to 2026-10-28 is not used"},
        "a resection",
    ),
    (
        procedure(RESECTION, when="2026-11-20T09:00:00Z", status="in-progress"),
        OPERATION
        | {"performed": "2026-11-20T17:00:00+08:00", "note": "blood drawn from 2026-11-20 to 2026-12-17 is not used"},
        "one in progress; days to come are told",
    ),
    (
        procedure(RESECTION, when="2026-10"),
        OPERATION | {"performed": "2026-10", "note": "closes no days: its day is not known"},
        "known to the month",
    ),
    (
        procedure(RESECTION, performedDateTime=None),
        OPERATION | {"performed": None, "note": "closes no days: its day is not known"},
        "undated",
    ),
    (
        procedure(when="2026-11-01", status="on-hold"),
        EXCLUDED | {"note": "blood drawn from 2026-11-01 to 2026-11-28 is not used"},
        "an ablation that was begun",
    ),
    (procedure(when="2026-11-01", status="not-done"), EXCLUDED, "an ablation that was not"),
    (
        procedure(RESECTION, when="2026-10-01", status="not-done"),
        {
            "treatment": "ignored",
            "code": f"{SNOMED}|{RESECTION}",
            "note": "an operation that does not qualify: resection of liver",
        },
        "a resection that was not",
    ),
]


@pytest.mark.parametrize(("sent", "row", "reason"), CLOSING)
@pytest.mark.parametrize("reference", ["Procedure/other", ""])
def test_explanation_says_which_days_a_procedure_closes(sent: Json, row: Json, reference: str, reason: str) -> None:
    other = {name: value for name, value in sent.items() if name != "id"} | ({"id": "other"} if reference else {})

    rows = explanation(hook_request(procedures=bundle(procedure(id="ours"), other)))["eligibility"]["procedures"]

    assert rows[1:] == [{"reference": reference} | row], reason


def test_explanation_tells_of_an_operation_beside_an_ablation_once() -> None:
    both = {"coding": [{"system": SNOMED, "code": RESECTION}, {"system": SNOMED, "code": ABLATION}]}

    rows = explanation(hook_request(procedures=bundle(procedure(code=both))))["eligibility"]["procedures"]

    assert [(row["code"], row["treatment"]) for row in rows] == [(ABLATION, "counted")]


def test_explanation_tells_of_each_condition_without_an_id_once() -> None:
    sent = (condition(id=None), condition("D13.4", id=None), condition("Z23", id=None))

    rows = explanation(hook_request(conditions=bundle(*sent)))["eligibility"]["conditions"]

    assert [(row["code"], row["treatment"]) for row in rows] == [
        ("C22.0", "counted"),
        (f"{ICD10CM}|D13.4", "ignored"),
        (f"{ICD10CM}|Z23", "ignored"),
    ]


# A system and a code that a wider row, or one written in another way, speaks for.
AS_SENT = [
    (ICD10CM, "C78.00", "metastasis", "the row is C78 and what is below"),
    (ICD10CM, "c7800", "metastasis", "written without its dot"),
    (ICD10CM, "C220", "primary", "the row has a dot"),
    (ICD10CM, "C229", "ambiguous", "one that counts for nothing by itself"),
    (GERMAN, "C22.0G", "primary", "the row is that of the WHO edition"),
]


@pytest.mark.parametrize(("system", "code", "category", "reason"), AS_SENT)
def test_explanation_names_a_diagnosis_by_its_code_as_sent(system: str, code: str, category: str, reason: str) -> None:
    sent = condition("x", id="x", code={"coding": [{"system": system, "code": code}]})

    (row,) = explanation(hook_request(conditions=bundle(sent)))["eligibility"]["conditions"]

    assert (row["code"], row["category"]) == (code, category), reason


def test_explanation_names_a_procedure_by_its_code_as_sent() -> None:
    sent = procedure("x", code={"coding": [{"system": "http://www.cms.gov/Medicare/Coding/ICD10", "code": "0f503zz"}]})

    (row,) = explanation(hook_request(procedures=bundle(sent)))["eligibility"]["procedures"]

    assert (row["code"], row["treatment"]) == ("0f503zz", "counted")


def test_card_names_a_suspicion_and_a_confounder_by_their_codes_as_sent() -> None:
    suspected = condition("C78.01", verificationStatus={"coding": [{"code": "unconfirmed"}]})
    infection = condition("A41.9", onsetDateTime="2026-10-10")

    (card,) = explanation(hook_request(conditions=bundle(condition(), suspected, infection)))["cards"]

    assert "metastasis (C78\\.01)" in card["detail"]
    assert "infection (A41\\.9, 2026-10-10)" in card["detail"]
