"""References at their edges: where a version or a base URL could be taken for the id."""

from __future__ import annotations

import pytest

from cds_service.normalization.subject import type_and_id
from tests.support.charts import NEUTROPHILS, observation
from tests.unit.normalization.reading import judged


@pytest.mark.parametrize(
    ("reference", "expected", "reason"),
    [
        ("urn:oid:1/Patient/p1", "subject-mismatch", "a URN outside the Bundle names nobody, whatever it ends in"),
        ("Patient/p2/_history/1/Patient/p1/_history/2", "subject-mismatch", "the id stands before the first version"),
        ("Patient/p1/_history/1/_history/2", "usable", "and what follows it is not read"),
    ],
)
def test_reference_that_is_no_plain_address_names_its_patient_or_nobody(
    reference: str, expected: str, reason: str
) -> None:
    assert judged(observation(NEUTROPHILS, 4.2, subject={"reference": reference})) == expected, reason


def test_absolute_reference_without_an_id_is_none() -> None:
    assert type_and_id("https://ehr.example/fhir/Patient/", "Patient") is None


def test_relative_reference_is_taken_literally_whatever_a_full_url_claims() -> None:
    resource = observation(NEUTROPHILS, 4.2, subject={"reference": "Patient/p1"})

    assert judged(resource, {"Patient/p1": "p2"}) == "usable"
