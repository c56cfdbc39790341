"""Results at their edges: how far a number may reach, units around their spaces, what an exclusion tells."""

from __future__ import annotations

from decimal import Decimal

import pytest

from cds_service.acquisition.resources import Malformed, Observation
from cds_service.clinical.models import Analyte, ExcludedResult
from cds_service.clinical.reasons import Reason
from cds_service.normalization.observations import merge_readings
from cds_service.normalization.units import read_factor
from tests.support.charts import ALBUMIN, LOINC, LYMPHOCYTES, NEUTROPHILS, Json, observation
from tests.unit.normalization.reading import MAPPINGS, judged, observation_reader, typed, usable


@pytest.mark.parametrize(
    ("number", "expected", "reason"),
    [
        ("0e40", "usable", "zero to the fortieth power is zero"),
        ("0e41", "implausible", "beyond, nobody counts along"),
        ("0e-40", "usable", "and downwards"),
        ("0e-41", "implausible", "and beyond that"),
    ],
)
def test_exponent_is_read_up_to_its_bound(number: str, expected: str, reason: str) -> None:
    text = (
        f'{{"resourceType": "Observation", "id": "x", "status": "final", "effectiveDateTime": "2026-10-14",'
        f'"subject": {{"reference": "Patient/p1"}},'
        f'"code": {{"coding": [{{"system": "{LOINC}", "code": "{LYMPHOCYTES}"}}]}},'
        f'"valueQuantity": {{"value": {number}, "unit": "10*9/L"}}}}'
    )

    assert judged(text) == expected, reason


@pytest.mark.parametrize(
    ("code", "value", "unit", "canonical", "reason"),
    [
        (NEUTROPHILS, 4, " G/L ", "4", "giga per liter, which only its case tells from gram"),
        (ALBUMIN, 38, " g/L", "38", "gram per liter"),
    ],
)
def test_unit_between_spaces_keeps_its_case(code: str, value: float, unit: str, canonical: str, reason: str) -> None:
    resource = observation(code, value, valueQuantity={"value": value, "unit": unit})

    assert usable(resource).quantity.value == Decimal(canonical), reason


@pytest.mark.parametrize(
    ("basis", "expected", "reason"),
    [
        ("count", Reason.UNIT_MISSING, "a count needs a unit"),
        ("fraction", Decimal(1), "a pure fraction may come without one"),
    ],
)
def test_no_quantity_is_one_without_a_unit(basis: str, expected: Decimal | Reason, reason: str) -> None:
    assert read_factor(None, basis, MAPPINGS) == expected, reason


@pytest.mark.parametrize(
    ("reference", "expected", "reason"),
    [
        ("Specimen/a/_history/1/_history/2", "Specimen/a", "all that follows the id is left out"),
        ("https://lab.example/Specimen/a/_history/1/Specimen/b/_history/2", "Specimen/a", "the first version ends it"),
    ],
)
def test_specimen_is_the_one_before_its_version(reference: str, expected: str, reason: str) -> None:
    assert usable(observation(NEUTROPHILS, 4, specimen={"reference": reference})).origin.specimen == expected, reason


@pytest.mark.parametrize(
    ("resource", "reference", "reason"),
    [
        (observation(NEUTROPHILS, 4, oid="n", status="preliminary"), "Observation/n", "with its id"),
        (observation(NEUTROPHILS, 4, id=None, status="preliminary"), "", "without one"),
    ],
)
def test_exclusion_survives_the_reading_of_all(resource: Json, reference: str, reason: str) -> None:
    reading = observation_reader().read_all([typed(Observation, resource)])

    (excluded,) = reading.excluded
    assert isinstance(excluded, ExcludedResult), reason
    assert (excluded.reference, excluded.reason) == (reference, Reason.STATUS_NOT_ACCEPTED), reason
    assert excluded.analyte is Analyte.NEUTROPHILS, reason
    assert merge_readings([reading, reading]).excluded == (excluded,) * (1 if reference else 2), reason


@pytest.mark.parametrize("codes", [("751-8", "26499-4"), ("26499-4", "751-8"), ("753-4", "26499-4", "751-8")])
def test_result_under_several_codes_names_the_first_of_the_best(codes: tuple[str, ...]) -> None:
    codings = [{"system": LOINC, "code": code} for code in codes]

    assert usable(observation(NEUTROPHILS, 4, code={"coding": codings})).origin.code == codes[-2]


def test_malformed_result_after_one_that_is_not_ours_is_excluded() -> None:
    red_cells, ours = (
        typed(Malformed, {"id": code, "code": {"coding": [{"system": LOINC, "code": code}]}})
        for code in ("789-8", NEUTROPHILS)
    )
    reader = observation_reader()

    assert [e.analyte for e in reader.exclude_malformed([red_cells, ours])] == [Analyte.NEUTROPHILS]
