"""Heads of the lines of an export: whose they are, of what kind, and which of them are bad."""

from __future__ import annotations

import json
from codecs import BOM_UTF8
from typing import Any

import pytest

from cds_service.insight.cohort.export_heads import (
    CONTACT,
    DIAGNOSIS,
    ELSEWHERE,
    NOBODY,
    PATIENT,
    RESULT,
    THERAPY,
    BadLine,
    Head,
    HeadReader,
)
from cds_service.settings.overlays import load_site_mappings

READER = HeadReader(load_site_mappings(()))
SUBJECT = {"reference": "Patient/p1"}
HEART_RATE = {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]}
PLATELETS = {"coding": [{"system": "http://loinc.org", "code": "777-3"}]}


def line(kind: str, **members: Any) -> bytes:
    return json.dumps({"resourceType": kind, "id": "x", **members}).encode()


PLACED = [
    (line("Patient", id="p1"), PATIENT, "the patient itself"),
    (line("Condition", subject=SUBJECT), DIAGNOSIS, "a diagnosis"),
    (line("Procedure", subject=SUBJECT), THERAPY, "a procedure"),
    (line("Observation", subject=SUBJECT, code=PLATELETS), RESULT, "a blood count"),
    (line("Observation", subject=SUBJECT, code=HEART_RATE, component=[]), RESULT, "components may be counts"),
    (line("Observation", subject=SUBJECT), RESULT, "nobody knows what it is"),
    (line("Observation", subject=SUBJECT, code="text"), RESULT, "a code of a wrong type is for the rule to judge"),
    (line("Condition", subject={"reference": "https://ehr/fhir/Patient/p1/_history/2"}), DIAGNOSIS, "an address"),
    (b" \t" + line("Patient", id="p1") + b"\r", PATIENT, "blanks around"),
    (BOM_UTF8 + line("Patient", id="p1"), PATIENT, "a byte order mark"),
    (b'{"id": "p1", "name": [{"family": "\\ud800"}], "resourceType": "Patient"}', PATIENT, "half a surrogate"),
    (line("Condition", subject=SUBJECT, code=7, recordedDate=[]), DIAGNOSIS, "other members of any type"),
]  # fmt: skip


@pytest.mark.parametrize(("content", "kind", "reason"), PLACED)
def test_head_is_read(content: bytes, kind: bytes, reason: str) -> None:
    head = READER.read(content)

    assert isinstance(head, Head), reason
    assert (head.patient, head.kind) == ("p1", kind), reason


@pytest.mark.parametrize(
    ("members", "when", "reason"),
    [
        ({"effectiveDateTime": "2020-01-02"}, b"2020-01-02", "a day"),
        ({"effectiveInstant": "2020-01-02T03:04:05Z"}, b"2020-01-02T03:04:05Z", "an instant"),
        ({"effectivePeriod": {"start": "2020-01-01", "end": "2020-01-02"}}, b"2020-01-02", "the end of a span"),
        ({"effectivePeriod": {"start": "2020-01-01"}}, b"2020-01-01", "an open span"),
        ({"effectiveDateTime": "2020-01-02", "status": "entered-in-error"}, b"", "it never was"),
        ({"effectiveDateTime": "2020-01\n-02"}, b"", "what would tear a line"),
        ({}, b"", "no day"),
    ],
)
def test_head_of_another_test_is_a_contact_on_its_day(members: dict[str, Any], when: bytes, reason: str) -> None:
    assert READER.read(line("Observation", subject=SUBJECT, code=HEART_RATE, **members)) == Head("p1", CONTACT, when)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"{", "not JSON"),
        (b"[]", "no JSON object"),
        (b"null", "no JSON object"),
        (b'"text"', "no JSON object"),
        (b"{}", "no resourceType"),
        (b'{"resourceType": 7}', "no resourceType"),
        (b'{"resourceType": ""}', "no resourceType"),
        (b'{"resourceType": "Patient", "id": 7}', "id is of a wrong type"),
        (line("Observation", status=["final"], subject=SUBJECT), "status is of a wrong type"),
        (line("Condition", subject="Patient/p1"), "subject is of a wrong type"),
        (line("Condition", subject=[SUBJECT]), "subject is of a wrong type"),
        (line("Procedure", subject={"reference": 7}), "subject is of a wrong type"),
        (b'{"resourceType": "Encounter", "id": 7}', "id is of a wrong type"),
        (line("Encounter", status=7), "status is of a wrong type"),
        (line("Encounter", subject="Patient/p1"), "subject is of a wrong type"),
        (line("Patient", id="p1") + b" x", "not JSON"),
        ("{}".encode("utf-16"), "UTF-16 in place of UTF-8"),
        (b'{"resourceType": "Patient", "id": "\xff"}', "not UTF-8"),
        (b'{"resourceType":"Patient","x":' + b"[" * 5_000 + b"]" * 5_000 + b"}", "nested too deeply"),
    ],
)
def test_bad_line_is_named_without_its_content(content: bytes, reason: str) -> None:
    assert READER.read(content) == BadLine(reason)


@pytest.mark.parametrize(
    ("content", "expected", "reason"),
    [
        (line("Encounter", subject=SUBJECT, status="finished"), ELSEWHERE, "another type"),
        (line("Contract", subject=[SUBJECT], status={"coding": []}), ELSEWHERE, "another type has a form of its own"),
        (line("Condition"), NOBODY, "no subject"),
        (line("Condition", subject={}), NOBODY, "no reference"),
        (line("Observation", subject={"reference": "Group/g"}, code=PLATELETS), NOBODY, "a group"),
        (line("Observation", subject={"reference": "urn:uuid:1"}, code=PLATELETS), NOBODY, "leads nowhere"),
        (b'{"resourceType": "Patient"}', NOBODY, "no id"),
        (line("Patient", id="p\n1"), NOBODY, "no FHIR id has a line feed"),
        (b"  ", None, "blank"),
        (b"", None, "empty"),
    ],
)
def test_line_about_nobody_is_neither_read_nor_bad(content: bytes, expected: object, reason: str) -> None:
    assert READER.read(content) == expected, reason
