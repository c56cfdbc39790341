"""Values: a plain number within the plausible range, or the one reason why not."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from tests.support.charts import (
    ALBUMIN,
    LYMPHOCYTES,
    LYMPHOCYTES_SHARE,
    NEUTROPHILS,
    NEUTROPHILS_SHARE,
    PLATELETS,
    UCUM,
    Json,
    observation,
)
from tests.unit.normalization.reading import judged, usable

FRACTION = "71676-1"
UNITS = {NEUTROPHILS_SHARE: "%", LYMPHOCYTES_SHARE: "%", ALBUMIN: "g/L", FRACTION: "1"}


def written(code: str, number: str) -> str:
    """Build an Observation whose value stands in the JSON text exactly as given."""
    text = json.dumps(observation(code, "@value@", UNITS.get(code, "10*9/L")))
    return text.replace('"@value@"', number)


def quantity(**members: Any) -> Json:
    return observation(NEUTROPHILS, 0, valueQuantity={"value": 4.2, "unit": "10*9/L"} | members)


LIMITS = [
    (PLATELETS, "5", "2000", "4.999", "2000.001"),
    (NEUTROPHILS, "0.1", "100", "0.099", "100.001"),
    (LYMPHOCYTES, "0.05", "100", "0.049", "100.001"),
    (ALBUMIN, "10", "70", "9.99", "70.01"),
    (NEUTROPHILS_SHARE, "1.001", "100", "0.0009", "100.001"),
    (LYMPHOCYTES_SHARE, "1.001", "100", "0.0009", "100.001"),
    (FRACTION, "0.001", "1", "0.0009", "1.001"),
]


@pytest.mark.parametrize(("code", "low", "high", "below", "above"), LIMITS)
def test_plausible_limits_are_inclusive(code: str, low: str, high: str, below: str, above: str) -> None:
    assert judged(written(code, low)) == "usable"
    assert judged(written(code, high)) == "usable"
    assert judged(written(code, below)) == "implausible"
    assert judged(written(code, above)) == "implausible"


NUMBERS = [
    (LYMPHOCYTES, "0", "usable", "zero lymphocytes are judged by the draw, under a code of their own"),
    (LYMPHOCYTES, "-0.0", "usable", "minus zero is zero"),
    (LYMPHOCYTES, "0.000", "usable", "zero with decimals"),
    (LYMPHOCYTES_SHARE, "0", "usable", "zero percent lymphocytes likewise"),
    (LYMPHOCYTES, "-1.5", "implausible", "negative"),
    (LYMPHOCYTES_SHARE, "-0.5", "implausible", "negative, where it could be taken for a fraction"),
    (NEUTROPHILS, "0", "implausible", "zero of anything else"),
    (NEUTROPHILS_SHARE, "0", "implausible", "zero percent of anything else"),
    (NEUTROPHILS, "-4.2", "implausible", "negative"),
    (NEUTROPHILS_SHARE, "0.61", "usable", "perhaps a fraction; decided beside the lymphocytes"),
    (NEUTROPHILS_SHARE, "1", "usable", "one percent or the whole; decided beside the lymphocytes"),
    (ALBUMIN, "1", "implausible", "the allowance for fractions is for shares alone"),
    (PLATELETS, "1e999", "implausible", "a huge exponent"),
    (PLATELETS, "1E-999", "implausible", "a tiny exponent"),
    (PLATELETS, "1e999999999", "implausible", "an exponent that no product can keep"),
    (PLATELETS, "1e-999999999", "implausible", "a tiny one of that kind"),
    (PLATELETS, "2.1e2", "usable", "an exponent is a way to write a number"),
    (PLATELETS, "210." + "0" * 31, "usable", "34 digits, what decimal128 holds"),
    (PLATELETS, "210." + "0" * 32, "implausible", "35 digits: no laboratory measures so"),
    (PLATELETS, "210." + "1" * 5000, "implausible", "5000 digits"),
    (PLATELETS, "210000000000000000000", "implausible", "a large whole number"),
    (PLATELETS, "210", "usable", "a whole number"),
    (PLATELETS, "true", "value-not-numeric", "true is no 1"),
    (PLATELETS, "false", "value-not-numeric", "false is no 0"),
    (PLATELETS, '"210"', "value-not-numeric", "a number as text"),
    (PLATELETS, '"<5"', "value-not-numeric", "a comparator inside text"),
    (PLATELETS, '""', "value-not-numeric", "an empty text"),
    (PLATELETS, "[210]", "value-not-numeric", "a list"),
    (PLATELETS, '{"value": 210}', "value-not-numeric", "an object"),
    (PLATELETS, "null", "value-missing", "null"),
]


@pytest.mark.parametrize(("code", "number", "expected", "reason"), NUMBERS, ids=lambda cell: str(cell)[:24])
def test_number_in_the_json_is_judged(code: str, number: str, expected: str, reason: str) -> None:
    assert judged(written(code, number)) == expected, reason


def test_digits_of_the_json_are_kept_exactly() -> None:
    result = usable(written(PLATELETS, "210.1000000000000000000000000000001"))

    assert result.quantity.value == Decimal("210.1000000000000000000000000000001")


def test_conversion_is_exact_for_as_many_digits_as_are_read() -> None:
    text = written(PLATELETS, "210123.4567890123456789012345678901").replace("10*9/L", "/uL")

    assert usable(text).quantity.value == Decimal("210.1234567890123456789012345678901")


OTHERS = [
    (quantity(value=None), "value-missing", "an explicit null"),
    (observation(NEUTROPHILS, 1, valueQuantity={"unit": "10*9/L"}), "value-missing", "a unit without a value"),
    (observation(NEUTROPHILS, 1, valueQuantity={}), "value-missing", "an empty Quantity"),
    (observation(NEUTROPHILS, 1, valueQuantity=None), "value-missing", "no value at all"),
    (quantity(comparator="<"), "comparator", "below the limit of detection"),
    (quantity(comparator="<="), "comparator", "at most"),
    (quantity(comparator=">="), "comparator", "at least"),
    (quantity(comparator=">"), "comparator", "more than the analyser counts"),
    (quantity(comparator="ad"), "comparator", "the R5 comparator for `sufficient`"),
    (quantity(comparator=""), "usable", "an empty comparator compares nothing"),
    (quantity(comparator="<", value=None), "value-missing", "there is nothing to compare"),
    (quantity(comparator="<", value="5"), "comparator", "text with a comparator"),
    (quantity(system=UCUM, value=4.2, comparator=None), "usable", "a null comparator is none"),
]


@pytest.mark.parametrize(("resource", "expected", "reason"), OTHERS)
def test_quantity_without_a_plain_number_is_excluded(resource: Json, expected: str, reason: str) -> None:
    assert judged(resource) == expected, reason


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("valueString", "4.2"),
        ("valueInteger", 4),
        ("valueBoolean", False),
        ("valueCodeableConcept", {"text": "normal"}),
        ("valueRange", {"low": {"value": 4}}),
        ("valueRatio", {"numerator": {"value": 4}}),
        ("valueSampledData", {"data": "4 5"}),
        ("valueTime", "10:00:00"),
        ("valueDateTime", "2026-10-14"),
        ("valuePeriod", {"start": "2026-10-14"}),
    ],
)
def test_value_of_another_type_is_not_numeric(member: str, value: Any) -> None:
    assert judged(observation(NEUTROPHILS, 1, valueQuantity=None, **{member: value})) == "value-not-numeric"


ABSENT = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/data-absent-reason", "code": "as-text"}]}


@pytest.mark.parametrize(
    ("absent", "reason"),
    [(ABSENT, "coded"), ({"text": "clotted"}, "text only"), ({}, "empty, but somebody put it there")],
)
def test_data_absent_reason_excludes_whatever_stands_beside_it(absent: Json, reason: str) -> None:
    assert judged(observation(NEUTROPHILS, 4.2, dataAbsentReason=absent)) == "data-absent", reason
    assert judged(observation(NEUTROPHILS, 1, valueQuantity=None, dataAbsentReason=absent)) == "data-absent", reason


ORDER = [
    ({"subject": None, "status": "preliminary", "valueQuantity": None}, "subject-missing", "whose comes first"),
    ({"status": "preliminary", "valueQuantity": None}, "status-not-accepted", "then whether it is a finished result"),
    ({"dataAbsentReason": ABSENT, "valueQuantity": {"value": 1, "comparator": "<"}}, "data-absent", "then its value"),
    ({"valueQuantity": {"value": 1e9}, "effectiveDateTime": None}, "unit-missing", "then the unit"),
    ({"valueQuantity": {"value": 1e9, "unit": "/nL"}, "effectiveDateTime": None}, "implausible", "then the range"),
    ({"effectiveDateTime": None}, "no-effective-time", "then the time"),
]


@pytest.mark.parametrize(("members", "expected", "reason"), ORDER)
def test_first_no_names_the_one_reason(members: Json, expected: str, reason: str) -> None:
    assert judged(observation(NEUTROPHILS, 4.2, **members)) == expected, reason


@pytest.mark.parametrize("status", ["final", "amended", "corrected"])
def test_finished_status_is_accepted(status: str) -> None:
    result = usable(observation(NEUTROPHILS, 4.2, status=status))

    assert result.corrected == (status != "final")


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ("registered", "no value yet"),
        ("preliminary", "may change"),
        ("cancelled", "was not done"),
        ("entered-in-error", "never was"),
        ("unknown", "nobody can tell"),
        ("Final", "codes are compared with their case"),
        ("", "empty"),
        (None, "missing"),
    ],
)
def test_other_status_is_not_accepted(status: str | None, reason: str) -> None:
    assert judged(observation(NEUTROPHILS, 4.2, status=status)) == "status-not-accepted", reason


def test_reported_unit_is_the_text_else_the_code() -> None:
    assert usable(quantity(code="10*9/L", unit="x10^9/L")).reported == (Decimal("4.2"), "x10^9/L")
    assert usable(quantity(code="10*9/L", unit=None)).reported.unit == "10*9/L"
    assert usable(observation(FRACTION, 1, valueQuantity={"value": 0.6})).reported.unit == ""


@pytest.mark.parametrize(("code", "unit"), [(PLATELETS, "10*9/L"), (ALBUMIN, "g/L")])
def test_zero_of_what_is_no_part_of_a_differential_is_implausible(code: str, unit: str) -> None:
    assert judged(observation(code, 0, unit)) == "implausible"
