"""Totals that were added up from parts: derived in every member, exact, and never said to have been reported."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from cds_service.clinical.models import Analyte, Basis, LabResult, Origin, Quantity
from tests.support.charts import LYMPHOCYTES, LYMPHOCYTES_SHARE, PLATELETS, Json, observation
from tests.unit.normalization.reading import paired

SEGMENTED, SEGMENTED_MANUAL, BANDS = "26505-8", "769-0", "26508-2"
SEGMENTED_COUNT, BANDS_COUNT = "30451-9", "26507-4"
SPECIMEN: Json = {"specimen": {"reference": "Specimen/s"}}


def result(code: str, value: float, unit: str, when: str = "2026-10-14T08:00:00Z", **members: Any) -> Json:
    return observation(code, value, unit, when=when, oid=code, **(SPECIMEN | members))


def total(*parts: Json, lymphocytes: Json | None = None) -> LabResult:
    """Return the neutrophils of the only draw."""
    lymphocytes = lymphocytes or result(LYMPHOCYTES_SHARE, 25, "%")
    (draw,) = paired(result(PLATELETS, 180, "10*9/L"), *parts, lymphocytes).draws
    return draw.neutrophils


def test_total_of_parts_says_where_it_comes_from() -> None:
    later = "2026-10-14T08:20:00Z"
    found = total(result(SEGMENTED, 62, "%"), result(BANDS, 8, "%", later))

    assert found._replace(parts=()) == LabResult(
        analyte=Analyte.NEUTROPHILS,
        basis=Basis.PERCENT,
        preference=1,
        quantity=Quantity(Decimal("0.70"), "1"),
        reported=Quantity(Decimal(70), "%"),
        effective=found.parts[1].effective,
        issued=None,
        corrected=False,
        origin=Origin("", "", "loinc", f"{SEGMENTED}+{BANDS}", "Specimen/s"),
    )
    assert [part.effective.isoformat() for part in found.parts] == [
        "2026-10-14T10:00:00+02:00",
        "2026-10-14T10:20:00+02:00",
    ]
    assert [part.origin.reference for part in found.parts] == [f"Observation/{SEGMENTED}", f"Observation/{BANDS}"]


# Two parts (code, value, unit), the canonical total, and what was reported as far as it can be added.
REPORTED: list[tuple[tuple[tuple[str, float, str], ...], tuple[str, str], tuple[str, str], str]] = [
    (((SEGMENTED, 62, "%"), (BANDS, 8, "%")), ("0.7", "1"), ("70", "%"), "both in percent"),
    (((SEGMENTED_COUNT, 5, "10*9/L"), (BANDS_COUNT, 1, "10*9/L")), ("6", "10*9/L"), ("6", "10*9/L"), "counts"),
    (((SEGMENTED_COUNT, 5000, "/uL"), (BANDS_COUNT, 1000, "/uL")), ("6", "10*9/L"), ("6000", "/uL"), "per microliter"),
    (
        ((SEGMENTED_COUNT, 5000, "/uL"), (BANDS_COUNT, 1, "10*9/L")),
        ("6", "10*9/L"),
        ("6", "10*9/L"),
        "two units: no sum of them was reported",
    ),
    (
        ((SEGMENTED_COUNT, 5, "10*9/L"), (BANDS_COUNT, 1, "10*3/uL")),
        ("6", "10*9/L"),
        ("6", "10*9/L"),
        "two units that mean the same: still two",
    ),
]


@pytest.mark.parametrize(("parts", "quantity", "reported", "reason"), REPORTED)
def test_total_of_parts_is_given_in_their_unit(
    parts: tuple[tuple[str, float, str], ...], quantity: tuple[str, str], reported: tuple[str, str], reason: str
) -> None:
    counts = parts[0][2] != "%"
    lymphocytes = result(LYMPHOCYTES, 1, "10*9/L") if counts else result(LYMPHOCYTES_SHARE, 25, "%")

    found = total(*(result(*part) for part in parts), lymphocytes=lymphocytes)

    assert (found.quantity.value, found.quantity.unit) == (Decimal(quantity[0]), quantity[1]), reason
    assert (found.reported.value, found.reported.unit) == (Decimal(reported[0]), reported[1]), reason
    assert found.basis is (Basis.ABSOLUTE if counts else Basis.PERCENT)


@pytest.mark.parametrize(("first", "second"), [(SPECIMEN, {"specimen": None}), ({"specimen": None}, SPECIMEN)])
def test_total_of_parts_names_the_specimen_of_the_first(first: Json, second: Json) -> None:
    parts = result(SEGMENTED, 62, "%", **first), result(BANDS, 8, "%", **second)

    found = total(*parts, lymphocytes=result(LYMPHOCYTES_SHARE, 25, "%"))

    assert found.origin.specimen == found.parts[0].origin.specimen
    assert {part.origin.specimen for part in found.parts} == {"Specimen/s", ""}


@pytest.mark.parametrize(
    ("segmented", "bands", "expected", "reason"),
    [
        (result(SEGMENTED, 62, "%"), result(BANDS, 8, "%"), (False, False), "neither"),
        (result(SEGMENTED, 62, "%", status="corrected"), result(BANDS, 8, "%"), (True, False), "one was corrected"),
        (result(SEGMENTED, 62, "%"), result(BANDS, 8, "%", status="amended"), (True, False), "the other one"),
        (result(SEGMENTED_MANUAL, 62, "%"), result(BANDS, 8, "%"), (False, True), "one was counted by hand"),
    ],
)
def test_total_of_parts_is_what_any_part_is(
    segmented: Json, bands: Json, expected: tuple[bool, bool], reason: str
) -> None:
    found = total(segmented, bands)

    assert (found.corrected, found.manual) == expected, reason


def test_total_of_parts_is_exact_and_has_no_note_of_its_own() -> None:
    noted: Json = {"note": [{"text": "smear reviewed"}]}
    found = total(result(SEGMENTED, 62.3000000000001, "%", **noted), result(BANDS, 8.0000000000002, "%"))

    assert found.quantity.value == Decimal("0.703000000000003")
    assert found.reported.value == Decimal("70.3000000000003")
    assert (found.note, [part.note for part in found.parts]) == ("", ["smear reviewed", ""])
    assert found.issued is None
