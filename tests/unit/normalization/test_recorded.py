"""Diagnoses that change blood counts on their own: which ones are named, and of which days they speak."""

from __future__ import annotations

from datetime import date

import pytest

from cds_service.acquisition.resources import Condition
from cds_service.clinical.noted import RecordedFact
from tests.support.charts import ICD10CM, Json, condition
from tests.unit.normalization.reading import fact_reader, typed

SEPSIS, LUNG_CANCER = "A41.9", "C34.90"


def status(code: str) -> Json:
    return {"coding": [{"code": code}]}


def recorded(*resources: Json) -> list[RecordedFact]:
    return list(fact_reader().read_recorded([typed(Condition, resource) for resource in resources]))


# A Condition; kind and code of what is named, None where nothing is.
KINDS: list[tuple[Json, tuple[str, str] | None, str]] = [
    (condition(SEPSIS), ("infection", SEPSIS), "an acute infection"),
    (condition("a419"), ("infection", "a419"), "the code as sent"),
    (condition("B18.2"), None, "chronic hepatitis is no acute infection"),
    (condition("Z51.5"), ("palliative-care", "Z51.5"), "palliative care"),
    (condition(LUNG_CANCER), ("other-cancer", LUNG_CANCER), "another cancer"),
    (condition("C91.10"), ("haematological-malignancy", "C91.10"), "of the blood"),
    (condition("C22.0"), None, "the cancer in question"),
    (condition("I10"), None, "a code of no table"),
    (condition(code=None), None, "no code"),
    (condition(SEPSIS, verificationStatus=status("confirmed")), ("infection", SEPSIS), "confirmed"),
    (condition(SEPSIS, verificationStatus=status("unconfirmed")), None, "suspected"),
    (condition(SEPSIS, verificationStatus=status("refuted")), None, "refuted"),
    (condition(SEPSIS, verificationStatus={"text": "sure"}), ("infection", SEPSIS), "a status of the site"),
    (condition(SEPSIS, subject={"reference": "Patient/other"}), None, "of somebody else"),
    (condition(SEPSIS, subject=None), None, "of nobody"),
    (condition(SEPSIS, clinicalStatus=status("resolved")), ("infection", SEPSIS), "over by now"),
    (condition(LUNG_CANCER, clinicalStatus=status("active")), ("other-cancer", LUNG_CANCER), "active"),
    (condition(LUNG_CANCER, clinicalStatus=status("recurrence")), ("other-cancer", LUNG_CANCER), "back"),
    (condition(LUNG_CANCER, clinicalStatus={"text": "?"}), ("other-cancer", LUNG_CANCER), "a status without a code"),
    (condition(LUNG_CANCER, clinicalStatus=status("remission")), ("past-cancer", LUNG_CANCER), "in remission"),
    (condition(LUNG_CANCER, clinicalStatus=status("inactive")), ("past-cancer", LUNG_CANCER), "inactive"),
    (condition(LUNG_CANCER, clinicalStatus=status("resolved")), ("past-cancer", LUNG_CANCER), "resolved"),
    (
        condition(LUNG_CANCER, clinicalStatus={"coding": [{"code": c} for c in ("inactive", "remission", "resolved")]}),
        ("past-cancer", LUNG_CANCER),
        "all that say so",
    ),
]


@pytest.mark.parametrize(("resource", "expected", "reason"), KINDS)
def test_recorded_by_code_and_status(resource: Json, expected: tuple[str, str] | None, reason: str) -> None:
    assert [(fact.kind, fact.code) for fact in recorded(resource)] == ([expected] if expected else []), reason


def test_recorded_twice_over_is_named_by_kind() -> None:
    codes = (SEPSIS, LUNG_CANCER, "J18.9")
    both = condition(code={"coding": [{"system": ICD10CM, "code": code} for code in codes]})

    assert [(fact.kind, fact.code) for fact in recorded(both)] == [
        ("infection", "J18.9"),
        ("other-cancer", LUNG_CANCER),
    ]


@pytest.mark.parametrize(
    ("members", "first", "last", "reason"),
    [
        ({"onsetDateTime": "2026-10-10"}, date(2026, 10, 10), date(2026, 10, 10), "a day"),
        ({"onsetDateTime": "2026-10"}, date(2026, 10, 1), date(2026, 10, 31), "a month"),
        (
            {"onsetDateTime": "2026-10-10", "recordedDate": "2026-10-12"},
            date(2026, 10, 10),
            date(2026, 10, 12),
            "from the onset to the record",
        ),
        ({}, None, None, "undated"),
    ],
)
def test_recorded_speaks_of_days(members: Json, first: date | None, last: date | None, reason: str) -> None:
    undated: Json = {"onsetDateTime": None, "recordedDate": None}

    assert recorded(condition(SEPSIS, **(undated | members))) == [RecordedFact("infection", SEPSIS, first, last)], (
        reason
    )


@pytest.mark.parametrize(
    ("before", "reason"),
    [
        (condition("I10"), "a diagnosis of no table"),
        (condition("C22.0"), "a diagnosis that changes no counts"),
        (condition(SEPSIS, id="whose", subject=None), "one of nobody"),
        (condition(SEPSIS, id="suspected", verificationStatus=status("unconfirmed")), "a suspicion"),
    ],
)
def test_recorded_after_one_that_is_not_named_is_read(before: Json, reason: str) -> None:
    assert [fact.code for fact in recorded(before, condition(LUNG_CANCER))] == [LUNG_CANCER], reason


def test_recorded_and_taken_back_in_another_version_is_not_named() -> None:
    versions = condition(SEPSIS, id="1"), condition(SEPSIS, id="1", verificationStatus=status("entered-in-error"))

    assert [fact.code for fact in recorded(*versions, condition(LUNG_CANCER))] == [LUNG_CANCER]
