"""The explanation: the assessment of the response, and what became of every resource that was delivered."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.support.charts import (
    ALBUMIN,
    ICD10CM,
    NEUTROPHILS,
    PLATELETS,
    Json,
    bundle,
    condition,
    days_ago,
    draw,
    hook_request,
    observation,
    patient,
    procedure,
)
from tests.unit.decision.asking import SITE, assessment, explanation


def rows(body: Json) -> dict[str, dict[str, Any]]:
    return {row["reference"]: row for row in explanation(body)["observations"]}


def treatment(row: dict[str, Any]) -> tuple[str, str | None]:
    return row["treatment"], row.get("reason")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (hook_request(), "decided"),
        (hook_request(*draw(lymphocytes=0)), "indeterminate"),
        (hook_request(conditions=bundle()), "not eligible"),
        (hook_request(*draw(), observation(PLATELETS, 1, "furlong", oid="x")), "with an exclusion"),
    ],
)
def test_explanation_carries_the_assessment_of_the_response(body: Json, reason: str) -> None:
    found = explanation(body)

    assert found["assessment"] == assessment(body), reason
    assert json.loads(json.dumps(found)) == found, reason


def test_explanation_names_the_versions_in_force() -> None:
    versions = explanation(hook_request())["versions"]

    assert (versions["rule"], versions["configuration"]) == ("2.0.0", "0123456789ab")
    assert len(versions["mappings"]) == 12


def test_explanation_of_a_patient_not_eligible_looks_at_no_observation() -> None:
    found = explanation(hook_request(procedures=bundle()))

    assert (found["observations"], found["draws"]) == ([], [])
    assert (found["eligibility"]["eligible"], found["eligibility"]["reason"]) == (False, "no-interventional-procedure")


@pytest.mark.parametrize(
    ("body", "checked"),
    [
        (hook_request(), True),
        (hook_request(without=("patient",)), False),
        (hook_request(patient=patient(birthDate="20150101")), False),
    ],
)
def test_explanation_says_whether_the_patient_was_checked(body: Json, checked: bool) -> None:
    assert explanation(body)["eligibility"]["patientChecked"] is checked


def test_explanation_tells_of_conditions_and_procedures() -> None:
    found = explanation(
        hook_request(
            conditions=bundle(
                condition(),
                condition("C22.1", verificationStatus={"coding": [{"code": "refuted"}]}),
                {"resourceType": "Condition", "id": "odd", "code": 5},
            ),
            procedures=bundle(
                procedure(id="dated", when="2026-08-25"),
                procedure(id="undated", performedDateTime=None),
                procedure(id="stopped", status="stopped"),
                {"resourceType": "Procedure", "id": "odd", "status": 5, "code": {"coding": [{"code": "1"}]}},
            ),
        )
    )["eligibility"]

    assert found["conditions"] == [
        {"reference": "Condition/c-C22.0", "code": "C22.0", "category": "primary", "treatment": "counted"},
        {
            "reference": "Condition/c-C22.1",
            "code": "C22.1",
            "treatment": "excluded",
            "reason": "status-not-accepted",
        },
        {"reference": "Condition/odd", "code": "", "treatment": "excluded", "reason": "malformed"},
    ]
    counted = {"code": "609232008", "therapy": "ablation/microwave", "treatment": "counted"}
    assert found["procedures"] == [
        counted | {"reference": "Procedure/dated", "performed": "2026-08-25"},
        counted | {"reference": "Procedure/undated", "performed": None},
        {
            "reference": "Procedure/stopped",
            "code": "609232008",
            "treatment": "excluded",
            "reason": "status-not-accepted",
            "note": "blood drawn from 2026-08-25 to 2026-09-21 is not used",
        },
        {"reference": "Procedure/odd", "code": "1", "treatment": "excluded", "reason": "malformed"},
    ]


# A code of a Condition; what the explanation says of it, and whether it names a category of the tables.
UNREAD_CONDITIONS: list[tuple[Json | None, str, str | None]] = [
    (
        {"coding": [{"system": "https://ehr.example/codes", "code": "HCC"}]},
        "not read: the code system https://ehr.example/codes is not known; an overlay can add it",
        None,
    ),
    ({"coding": [{"system": ICD10CM, "code": "J45"}]}, "not read: the code is not in the tables", None),
    ({"coding": [{"code": "C22.0"}]}, "not read: a code without a system never matches", None),
    ({"text": "liver cancer"}, "not read: it has no code", None),
    (None, "not read: it has no code", None),
    (
        {"coding": [{"system": ICD10CM, "code": "D13.4"}]},
        "decides nothing: benign tumor of the liver: not a cancer",
        "benign-or-uncertain",
    ),
]


@pytest.mark.parametrize(("code", "note", "category"), UNREAD_CONDITIONS)
def test_explanation_lists_conditions_that_were_not_read(code: Json | None, note: str, category: str | None) -> None:
    sent = condition("X", id="unread", code=code)

    rows = explanation(hook_request(conditions=bundle(condition(), sent)))["eligibility"]["conditions"]

    (row,) = [row for row in rows if row["reference"] == "Condition/unread"]
    assert (row["treatment"], row["note"], row.get("category")) == ("ignored", note, category)


UNREAD_PROCEDURES: list[tuple[Json | None, str]] = [
    (
        {"coding": [{"system": "http://fhir.de/CodeSystem/bfarm/ops", "code": "5-501.53"}]},
        "not read: the code system http://fhir.de/CodeSystem/bfarm/ops is not known; an overlay can add it",
    ),
    (
        {"coding": [{"system": "http://snomed.info/sct", "code": "73761001"}]},
        "not read: the code is not in the tables",
    ),
    (
        {"coding": [{"system": "http://www.ama-assn.org/go/cpt", "code": "77778"}]},
        "does not count: interstitial radiation source in any organ",
    ),
    (
        {"coding": [{"system": "http://www.cms.gov/Medicare/Coding/ICD10", "code": "0DTJ4ZZ"}]},
        "an operation that does not qualify: operation",
    ),
    (None, "not read: it has no code"),
]


@pytest.mark.parametrize(("code", "note"), UNREAD_PROCEDURES)
def test_explanation_lists_procedures_that_were_not_read(code: Json | None, note: str) -> None:
    sent = procedure("X", id="unread", code=code)

    rows = explanation(hook_request(procedures=bundle(procedure(id="ours"), sent)))["eligibility"]["procedures"]

    (row,) = [row for row in rows if row["reference"] == "Procedure/unread"]
    assert (row["treatment"], row["note"]) == ("ignored", note)


def test_explanation_carries_cards_and_extension_as_the_service_answers_them() -> None:
    found = explanation(hook_request())

    assert [card["indicator"] for card in found["cards"]] == ["warning"]
    assert found["extension"]["org.sii-cds.assessment"]["outcome"] == "above-cutoff"
    silent = explanation(hook_request(), replace(SITE, mode="silent"))
    assert (silent["cards"], silent["extension"]) == ([], {})
    assert silent["assessment"]["outcome"] == "above-cutoff"
    bare = explanation(hook_request(), replace(SITE, cards=replace(SITE.cards, assessment_extension=False)))
    assert (len(bare["cards"]), bare["extension"]) == (1, {})


C22_9: Json = {
    "reference": "Condition/c-C22.9",
    "code": "C22.9",
    "category": "ambiguous",
    "treatment": "ignored",
    "note": "does not count by itself: liver cancer, primary or secondary not stated",
}
# Codes of one Condition; the rows that tell of it as ambiguous.
AMBIGUOUS: list[tuple[list[tuple[str, str]], bool, str]] = [
    ([(ICD10CM, "C22.9")], True, "it may be why the patient is not eligible"),
    ([("http://hl7.org/fhir/sid/icd-10", "C22.9")], False, "primary in the WHO edition"),
    ([(ICD10CM, "C22.9"), ("https://ehr.example/codes", "HCC")], True, "beside a local code"),
    ([(ICD10CM, "C22.9"), (ICD10CM, "C22.0")], False, "another code says it, and counts"),
    ([(ICD10CM, "J45")], False, "a diagnosis that has nothing to do with it"),
]


@pytest.mark.parametrize(("codes", "told", "reason"), AMBIGUOUS)
def test_explanation_lists_ambiguous_diagnoses(codes: list[tuple[str, str]], told: bool, reason: str) -> None:
    codings = [{"system": system, "code": code} for system, code in codes]
    sent = condition("C22.9", code={"coding": codings})

    rows = explanation(hook_request(conditions=bundle(sent)))["eligibility"]["conditions"]

    assert [row for row in rows if row.get("category") == "ambiguous"] == ([C22_9] if told else []), reason


def test_explanation_lists_each_ambiguous_diagnosis_without_an_id() -> None:
    sent = condition("C22.9", id=None)

    rows = explanation(hook_request(conditions=bundle(condition(), sent, sent)))["eligibility"]["conditions"]

    assert [(row["reference"], row["treatment"]) for row in rows[1:]] == [("", "ignored")] * 2


MIXED_BAG = [
    *draw(),
    *draw(100, 3.5, 1.5, when=days_ago(60)),
    observation(PLATELETS, 1, "furlong", oid="unit"),
    observation(PLATELETS, 1, oid="draft", status="preliminary"),
    observation("718-7", 13, "g/dL", oid="hemoglobin"),
    observation("20482-6", 55, "%", oid="granulocytes"),
    observation(NEUTROPHILS, 1, oid="odd", status=[]),
    observation("718-7", 1, oid="odd-other", status=[]),
    {"resourceType": "Observation", "id": "no-code"},
    {"resourceType": "Observation", "id": "odd-code", "code": 5},
]


def test_explanation_has_one_row_for_every_observation() -> None:
    albumin = [observation(ALBUMIN, 38, "g/L", oid="albumin"), observation(ALBUMIN, 38, "furlong", oid="bad-albumin")]

    found = explanation(hook_request(*MIXED_BAG, albumin=bundle(*albumin)))["observations"]

    expected = [
        *[("used", None)] * 3,
        *[("usable", None)] * 3,
        ("excluded", "unit-unknown"),
        ("excluded", "status-not-accepted"),
        ("ignored", None),
        ("ignored", None),
        ("excluded", "malformed"),
        ("ignored", None),
        ("ignored", None),
        ("excluded", "malformed"),
        ("used", None),
        ("excluded", "unit-unknown"),
    ]
    references = [f"Observation/{o['id']}" for o in (*MIXED_BAG, *albumin)]
    assert len(found) == len(references)
    assert {row["reference"]: treatment(row) for row in found} == dict(zip(references, expected, strict=True))


def test_explanation_tells_of_every_complete_draw() -> None:
    found = explanation(
        hook_request(
            *draw(when=days_ago(70)),
            *draw(when=days_ago(40)),
            *draw(lymphocytes=0, when=days_ago(95)),
            *draw(when=days_ago(400)),
        )
    )["draws"]

    keys = ("taken", "relation", "days", "refusal", "problems", "decides")
    assert [tuple(row[key] for key in keys) for row in found] == [
        ("2026-10-14T18:00:00+08:00", "after", 50, None, [], True),
        ("2026-09-14T18:00:00+08:00", "after", 20, "post-procedure-window", [], False),
        ("2026-08-20T18:00:00+08:00", "before", 5, None, ["zero-lymphocytes"], False),
        ("2025-10-19T18:00:00+08:00", "before", 310, "outside-baseline-window", [], False),
    ]
    assert {row["basis"] for row in found} == {"absolute"}
    assert [reference.split("-")[1] for reference in found[0]["observations"]] == ["777", "751", "731"]


def test_explanation_of_an_indeterminate_outcome_marks_no_draw_as_deciding() -> None:
    found = explanation(hook_request(*draw(lymphocytes=0)))

    assert [row["decides"] for row in found["draws"]] == [False]
    assert {row["treatment"] for row in found["observations"]} == {"usable"}
