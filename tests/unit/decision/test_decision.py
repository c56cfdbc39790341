"""The flow of a decision: eligibility first, required data, what the EHR vouches for, and what did not come."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.errors import DataUnavailableError, PatientMismatchError
from tests.support.charts import (
    LOINC,
    PLATELETS,
    Json,
    bundle,
    condition,
    days_ago,
    draw,
    hook_request,
    observation,
    patient,
    prefetch,
    procedure,
)
from tests.unit.decision.asking import ASSUMING, SITE, assessment, decision

FAILED = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]}
SPREAD = condition("C78.7", onsetDateTime=None)
UNREADABLE_CONDITION = {"resourceType": "Condition", "id": "odd", "code": "C22.0"}

CHILD = patient(birthDate="2015-01-01")
NOT_ELIGIBLE = [
    ({"patient": CHILD}, "under-age"),
    ({"patient": patient(deceasedBoolean=True)}, "deceased"),
    ({"conditions": bundle()}, "no-primary-liver-cancer"),
    ({"procedures": bundle()}, "no-interventional-procedure"),
    ({"conditions": bundle(condition(), SPREAD)}, "recurrence-known"),
]


@pytest.mark.parametrize(("keys", "reason_code"), NOT_ELIGIBLE)
@pytest.mark.parametrize(
    ("blood_counts", "reason"),
    [
        (..., "missing"),
        (None, "no data"),
        (FAILED, "failed"),
        ("<html>", "text"),
        (bundle(*draw()), "delivered"),
        ({"resourceType": "Bundle", "entry": "x"}, "malformed"),
    ],
)
def test_decision_for_a_patient_not_eligible_never_looks_at_blood_counts(
    monkeypatch: pytest.MonkeyPatch, keys: Json, reason_code: str, blood_counts: Any, reason: str
) -> None:
    def never(*_: object) -> None:
        raise AssertionError("blood counts were asked for")

    monkeypatch.setattr("cds_service.decision.flow.acquire_laboratory", never)
    monkeypatch.setattr("cds_service.decision.flow.read_laboratory", never)
    without = ("bloodCounts",) if blood_counts is ... else ()

    found = decision(hook_request(without=without, **keys | {"bloodCounts": blood_counts if not without else None}))

    assert found.laboratory is None, reason
    assert (found.assessment.outcome, found.eligibility.reason) == ("not-eligible", reason_code), reason


def test_decision_undated_recurrence_is_known() -> None:
    assert assessment(hook_request(conditions=bundle(condition(), SPREAD)))["reasons"] == ["recurrence-known"]


@pytest.mark.parametrize(
    ("recorded", "outcome", "reason"),
    [
        (days_ago(91)[:10], "above-cutoff", "the day before the procedure"),
        (days_ago(90)[:10], "above-cutoff", "on its day: what the procedure was for"),
        (days_ago(89)[:10], "not-eligible", "after"),
    ],
)
def test_decision_recurrence_by_its_date(recorded: str, outcome: str, reason: str) -> None:
    spread = condition("C78.7", onsetDateTime=recorded)

    assert assessment(hook_request(conditions=bundle(condition(), spread)))["outcome"] == outcome, reason


@pytest.mark.parametrize(
    ("keys", "without", "named", "reason"),
    [
        ({}, ("conditions",), ("conditions",), "missing"),
        ({}, ("procedures",), ("procedures",), "missing"),
        ({}, ("conditions", "procedures", "bloodCounts"), ("conditions", "procedures"), "every key of the stage"),
        ({}, ("bloodCounts",), ("bloodCounts",), "asked for once the patient is eligible"),
        ({"conditions": FAILED}, (), ("conditions",), "somebody looked and could not tell"),
        ({"procedures": "text"}, (), ("procedures",), "text"),
        ({"bloodCounts": patient()}, (), ("bloodCounts",), "another resource"),
        ({"bloodCounts": bundle(FAILED)}, (), ("bloodCounts",), "an error within a Bundle"),
        ({"bloodCounts": FAILED, "albumin": FAILED}, (), ("bloodCounts",), "albumin is optional"),
    ],
)
def test_decision_without_required_data_names_the_keys(
    keys: Json, without: tuple[str, ...], named: tuple[str, ...], reason: str
) -> None:
    with pytest.raises(DataUnavailableError) as refused:
        decision(hook_request(without=without, **keys))

    assert refused.value.keys == named, reason
    assert all(key in refused.value.client_text for key in named), reason


@pytest.mark.parametrize(
    ("keys", "without", "reason"),
    [
        ({}, ("patient",), "no Patient"),
        ({"patient": None}, (), "an empty Patient"),
        ({"patient": FAILED}, (), "a failed Patient"),
        ({}, ("albumin",), "no albumin"),
        ({"albumin": None}, (), "empty albumin"),
        ({"albumin": FAILED}, (), "failed albumin"),
        ({"albumin": "text"}, (), "text for albumin"),
    ],
)
def test_decision_without_optional_data_is_made(keys: Json, without: tuple[str, ...], reason: str) -> None:
    assert assessment(hook_request(without=without, **keys))["outcome"] == "above-cutoff", reason


def test_decision_of_another_patient_is_refused() -> None:
    with pytest.raises(PatientMismatchError):
        decision(hook_request(patient=patient(id="p2")))


@pytest.mark.parametrize(
    ("keys", "without", "expected", "reason"),
    [
        ({}, ("conditions", "procedures"), "above-cutoff", "neither is needed"),
        (
            {"conditions": FAILED, "procedures": "text"},
            (),
            "above-cutoff",
            "nor readable; the card says so",
        ),
        ({"conditions": bundle(), "procedures": bundle()}, (), "above-cutoff", "nor hold anything"),
        ({"patient": CHILD}, (), "not-eligible", "age is asked for all the same"),
        ({"conditions": bundle(SPREAD)}, (), "not-eligible", "and so is a recurrence"),
    ],
)
def test_decision_assuming_eligibility_needs_neither_conditions_nor_procedures(
    keys: Json, without: tuple[str, ...], expected: str, reason: str
) -> None:
    assert assessment(hook_request(without=without, **keys), ASSUMING)["outcome"] == expected, reason


def test_decision_assuming_eligibility_without_procedures_has_no_distance_to_them() -> None:
    found = assessment(hook_request(without=("conditions", "procedures")), ASSUMING)

    assert "relation" not in found
    assert "daysFromProcedure" not in found
    assert found["sampleTime"] == "2026-10-14T18:00:00+08:00"


@pytest.mark.parametrize(
    ("keys", "reasons", "reason"),
    [
        ({"procedures": bundle(procedure(performedDateTime=None))}, ["procedure-date-missing"], "undated counts here"),
        ({"procedures": bundle(procedure(when=days_ago(60)[:10]))}, ["post-procedure-window"], "so does the window"),
    ],
)
def test_decision_assuming_eligibility_keeps_the_timing_of_known_procedures(
    keys: Json, reasons: list[str], reason: str
) -> None:
    assert assessment(hook_request(**keys), ASSUMING)["reasons"] == reasons, reason


def test_decision_reads_both_searches_as_one() -> None:
    platelets, neutrophils, lymphocytes = draw()
    albumin = observation("1751-7", 38, "g/L")

    found = decision(
        hook_request(bloodCounts=bundle(albumin, platelets), albumin=bundle(neutrophils, lymphocytes, platelets))
    )

    assert found.assessment.outcome == "above-cutoff"
    assert found.laboratory is not None
    assert [result.analyte for result in found.laboratory.albumin] == ["albumin"]


def test_decision_keeps_the_facts_it_rests_on() -> None:
    refuted = condition("C22.1", verificationStatus={"coding": [{"code": "refuted"}]})
    planned = procedure(id="planned", status="preparation")
    keys: Json = {
        "conditions": bundle(condition(), refuted, UNREADABLE_CONDITION),
        "procedures": bundle(procedure(), planned),
    }

    facts = decision(hook_request(**keys)).facts

    assert [fact.code for fact in facts.conditions] == ["C22.0"]
    assert [fact.code for fact in facts.procedures] == ["609232008"]
    assert facts.patient is not None
    assert [(fact.resource_type, fact.reference, fact.code, fact.reason) for fact in facts.excluded] == [
        ("Condition", "Condition/c-C22.1", "C22.1", "status-not-accepted"),
        ("Procedure", "Procedure/planned", "609232008", "status-not-accepted"),
        ("Condition", "Condition/odd", "", "malformed"),
    ]


def test_decision_unreadable_condition_keeps_its_codes() -> None:
    odd = condition("C78.7", onsetDateTime=5)
    odd["code"]["coding"].append({"system": LOINC, "code": "x"})

    facts = decision(hook_request(conditions=bundle(condition(), odd))).facts

    assert [(fact.code, fact.reason) for fact in facts.excluded] == [("C78.7, x", "malformed")]


def test_decision_default_chart_is_the_designed_one() -> None:
    found = assessment(hook_request())

    assert found == {
        "outcome": "above-cutoff",
        "sii": "711.667",
        "basis": "absolute",
        "sampleTime": "2026-10-14T18:00:00+08:00",
        "relation": "after",
        "daysFromProcedure": 50,
        "cutoff": "405.08",
        "ruleVersion": "2.0.0",
    }
    assert set(prefetch()) == {"patient", "bloodCounts", "albumin", "conditions", "procedures"}
    assert SITE.policy.eligibility_required
    assert PLATELETS in str(prefetch()["bloodCounts"])
