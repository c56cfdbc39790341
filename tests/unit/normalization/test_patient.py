"""The Patient: the youngest the patient may be, and whether the patient lives."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from cds_service.acquisition.resources import Patient
from tests.support.charts import Json, patient
from tests.unit.normalization.reading import fact_reader, typed

if TYPE_CHECKING:
    from cds_service.clinical.chart_facts import PatientFact


def fact(**members: object) -> PatientFact:
    return fact_reader().read_patient(typed(Patient, patient(**members)))


@pytest.mark.parametrize(
    ("born", "expected", "reason"),
    [
        ("1958-03-04", date(1958, 3, 4), "a day"),
        ("1958-03", date(1958, 3, 31), "a month: the youngest the patient may be"),
        ("1960-02", date(1960, 2, 29), "a month of a leap year"),
        ("1958", date(1958, 12, 31), "a year: the youngest the patient may be"),
        ("2015-03-04T00:00:00+01:00", date(2015, 3, 4), "not what FHIR allows, yet a child is a child"),
        ("1958-02-30", None, "no day of the calendar"),
        ("", None, "empty"),
        (None, None, "missing: not excluded for age"),
        ("04.03.1958", None, "not readable"),
        (1958, None, "not a text"),
        ("0001-01-01", None, "a placeholder"),
        ("1900-01-01", date(1900, 1, 1), "very old"),
    ],
)
def test_birth_date_counts_by_its_last_day(born: object, expected: date | None, reason: str) -> None:
    assert fact(birthDate=born).youngest_birth_day == expected, reason


# Today is 23 November 2026, 11:00 at the site.
DEATHS = [
    ({}, False, "nothing is said"),
    ({"deceasedBoolean": False}, False, ""),
    ({"deceasedBoolean": True}, True, ""),
    ({"deceasedDateTime": "2026-11-22T08:00:00Z"}, True, "a moment of the past"),
    ({"deceasedDateTime": "2026-11-23"}, True, "today"),
    ({"deceasedDateTime": "2026-11"}, True, "this month"),
    ({"deceasedDateTime": "2026"}, True, "this year"),
    ({"deceasedDateTime": "2026-11-24"}, False, "tomorrow"),
    ({"deceasedDateTime": "2026-12"}, False, "next month"),
    ({"deceasedDateTime": "2026-11-23T12:00:00Z"}, False, "two hours ahead"),
    ({"deceasedDateTime": "in spring"}, True, "not readable, but the patient died"),
    ({"deceasedDateTime": 2026}, True, "nor is this"),
    ({"deceasedBoolean": "true"}, False, "not a Boolean: not known"),
    ({"deceasedDateTime": ""}, False, "an empty text says nothing"),
    ({"deceasedBoolean": True, "deceasedDateTime": "2027-01-01"}, True, "the one that says so counts"),
]


@pytest.mark.parametrize(("members", "expected", "reason"), DEATHS)
def test_death_is_told_by_either_member(members: Json, expected: bool, reason: str) -> None:
    assert fact(**members).deceased is expected, reason


@pytest.mark.parametrize(
    ("members", "expected", "reason"),
    [
        ({}, True, "a birth date alone"),
        ({"birthDate": None}, True, "nothing recorded is nothing unreadable"),
        ({"birthDate": "", "deceasedDateTime": ""}, True, "nor is an empty text"),
        ({"birthDate": "1958"}, True, "a year"),
        ({"birthDate": "20150101"}, False, "a birth date in another form"),
        ({"birthDate": "1958-02-30"}, False, "no day of the calendar"),
        ({"birthDate": 1958}, False, "not a text"),
        ({"birthDate": "0001-01-01"}, False, "a placeholder"),
        ({"deceasedBoolean": True}, True, "a death"),
        ({"deceasedDateTime": "2026-11"}, True, "a month of death"),
        ({"deceasedDateTime": "2027-01-01"}, True, "one that lies ahead"),
        ({"deceasedDateTime": "in spring"}, False, "a date of death that cannot be read"),
        ({"deceasedBoolean": "no"}, False, "not a Boolean"),
    ],
)
def test_patient_is_readable_unless_something_recorded_is_not(members: Json, expected: bool, reason: str) -> None:
    assert fact(**members).is_readable is expected, reason


@pytest.mark.parametrize(
    ("link", "expected", "reason"),
    [
        ([{"type": "replaced-by", "other": {"reference": "Patient/p2"}}], True, "merged into another record"),
        ([{"type": "seealso"}, {"type": "replaced-by"}], True, "the second of two links"),
        ({"type": "replaced-by"}, True, "one link where a list belongs"),
        ([{"type": "replaces"}], False, "the record that took the place of another"),
        ([{"type": "REPLACED-BY"}], False, "no code of FHIR"),
        ([{"other": {"reference": "Patient/p2"}}], False, "a link without a type"),
        ([], False, "no link"),
        (["replaced-by", None], False, "no links"),
        (5, False, "nor is a number"),
    ],
)
def test_patient_is_replaced_by_another_record(link: Any, expected: bool, reason: str) -> None:
    assert fact(link=link).replaced is expected, reason


def test_patient_without_a_link_is_not_replaced() -> None:
    assert fact().replaced is False
