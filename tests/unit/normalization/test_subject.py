"""Subjects: is it the patient of the context?"""

from __future__ import annotations

import pytest

from cds_service.normalization.subject import type_and_id
from tests.support.charts import NEUTROPHILS, Json, observation
from tests.unit.normalization.reading import judged

URN = "urn:uuid:3afaeb2a-9f18-40b5-8fe7-dfd882de2f2b"
# What the Bundle says of its own Patient entries: fullUrl to id.
PATIENTS = {
    URN: "p1",
    "urn:uuid:00000000-0000-0000-0000-000000000002": "p2",
    "urn:oid:1.2.3": "p1",
    "https://ehr.example/fhir/Patient/p1": "p1",
    "https://ehr.example/fhir/Patient/alias": "p1",
}

REFERENCES = [
    ("Patient/p1", "usable", "relative"),
    ("https://ehr.example/fhir/Patient/p1", "usable", "absolute"),
    ("https://elsewhere.example/r4/Patient/p1", "usable", "absolute, on a server the Bundle does not name"),
    ("Patient/p1/_history/3", "usable", "versioned"),
    ("https://ehr.example/fhir/Patient/p1/_history/3", "usable", "absolute and versioned"),
    (URN, "usable", "resolved in the Bundle"),
    ("urn:oid:1.2.3", "usable", "an OID, resolved in the Bundle"),
    ("https://ehr.example/fhir/Patient/alias", "usable", "the Bundle says whose address that is"),
    ("urn:uuid:00000000-0000-0000-0000-000000000002", "subject-mismatch", "resolved to another patient"),
    ("urn:uuid:11111111-1111-1111-1111-111111111111", "subject-mismatch", "not in the Bundle"),
    ("urn:uuid:Patient/p1", "subject-mismatch", "a urn is resolved or nothing"),
    ("Patient/p2", "subject-mismatch", "another patient"),
    ("Patient/p11", "subject-mismatch", "an id that begins alike"),
    ("Patient/P1", "subject-mismatch", "ids are compared with their case"),
    ("Patient/p1 ", "subject-mismatch", "a space makes another id"),
    ("Patient/p1#part", "subject-mismatch", "a fragment"),
    ("Patient/p1?_format=json", "subject-mismatch", "a query"),
    ("Patient/", "subject-mismatch", "no id"),
    ("Patient", "subject-mismatch", "no id, no slash"),
    ("p1", "subject-mismatch", "an id without its type"),
    ("#p1", "subject-mismatch", "a contained Patient is another resource, whatever its id"),
    ("/p1", "subject-mismatch", "an empty type"),
    ("patient/p1", "subject-mismatch", "types are compared with their case"),
    ("Group/p1", "subject-mismatch", "a group"),
    ("Device/p1", "subject-mismatch", "a device"),
    ("Group/x/Patient", "subject-mismatch", "the type at the wrong place"),
    ("MyPatient/p1", "subject-mismatch", "a type that ends alike"),
    ("Patient/p1/_history", "subject-mismatch", "a history without a version"),
]


@pytest.mark.parametrize(("reference", "expected", "reason"), REFERENCES)
def test_reference_is_the_patient_or_is_not(reference: str, expected: str, reason: str) -> None:
    resource = observation(NEUTROPHILS, 4.2, subject={"reference": reference})

    assert judged(resource, PATIENTS) == expected, reason


@pytest.mark.parametrize(
    ("subject", "reason"),
    [
        (None, "no subject"),
        ({}, "an empty one"),
        ({"reference": ""}, "an empty reference"),
        ({"display": "Doe, Jane"}, "a name is no reference"),
        ({"identifier": {"system": "urn:mrn", "value": "p1"}}, "an identifier is no reference"),
    ],
)
def test_missing_subject_is_not_taken_for_the_patient(subject: Json | None, reason: str) -> None:
    assert judged(observation(NEUTROPHILS, 4.2, subject=subject), PATIENTS) == "subject-missing", reason


@pytest.mark.parametrize(
    ("reference", "expected", "reason"),
    [
        ("Specimen/s1", "s1", "relative"),
        ("https://ehr.example/fhir/Specimen/s1/_history/2", "s1", "absolute and versioned"),
        ("Patient/s1", None, "another type"),
        ("Specimen/", None, "no id"),
        ("Specimen", None, "no slash"),
        ("", None, "nothing"),
    ],
)
def test_reference_is_split_into_type_and_id(reference: str, expected: str | None, reason: str) -> None:
    assert type_and_id(reference, "Specimen") == expected, reason


def focus(*references: str | None) -> list[Json]:
    return [{"reference": reference} if reference is not None else {"display": "donor"} for reference in references]


# What was looked at, where that is not the subject itself.
FOCUS = [
    (None, "usable", "null"),
    ([], "usable", "nothing named"),
    (focus("Patient/p1"), "usable", "the patient after all"),
    (focus("https://ehr.example/fhir/Patient/p1/_history/2"), "usable", "in other words"),
    (focus(URN), "usable", "resolved in the Bundle"),
    (focus("Patient/donor"), "subject-mismatch", "a donor"),
    (focus("RelatedPerson/p1"), "subject-mismatch", "a fetus"),
    (focus("Specimen/s"), "subject-mismatch", "a thing: nobody says that the value is of the patient's blood"),
    (focus("Patient/p1", "Patient/donor"), "subject-mismatch", "the patient and a donor"),
    (focus(None), "subject-mismatch", "named by a text alone"),
]


@pytest.mark.parametrize(("references", "expected", "reason"), FOCUS)
def test_focus_is_the_patient_or_the_result_is_not(references: list[Json] | None, expected: str, reason: str) -> None:
    resource = observation(NEUTROPHILS, 4.2) | {"focus": references}

    assert judged(resource, PATIENTS) == expected, reason


def test_missing_subject_is_named_before_the_focus() -> None:
    assert judged(observation(NEUTROPHILS, 4.2, subject=None, focus=focus("Patient/donor"))) == "subject-missing"
