"""No small count and no value of a few patients is in any form of the report, whatever was planted."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from cds_service.reports.as_json import as_json
from tests.support.charts import LYMPHOCYTES, NEUTROPHILS, PLATELETS
from tests.support.hospital import Hospital, hospital, measured, of_code, of_type, recoded
from tests.unit.insight.doctor.examining import examined

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

LOCAL = "https://laboratory.hospital.example/tests"
# Members that are no counts of patients or of what they have: options, sizes of the source, values.
NO_COUNTS = {
    "formatVersion",
    "options",
    "source",
    "otherCodes",
    "searches",
    "quantiles",
    "sii",
    "milliseconds",
    "power",
}

PLANS: list[Callable[[Hospital], Hospital]] = [
    lambda h: h,
    lambda h: h.change(of_code(PLATELETS, change=recoded(LOCAL, "PLT", "Platelets"))),
    lambda h: h.change(of_code(NEUTROPHILS, change=measured("furlong"))),
    lambda h: h.change(of_code(LYMPHOCYTES, change=measured("10*9/L", times=1000, ucum=True)), every=2),
    lambda h: h.change(of_type("Observation", status="preliminary"), every=2),
    lambda h: h.change(of_type("Procedure", performedDateTime=None)),
    lambda h: h.change(of_type("Condition", code={"text": "HCC"})),
]


def counts(value: Any, path: str = "") -> Iterator[tuple[str, int]]:
    """Every whole number of a report that counts something."""
    if isinstance(value, dict):
        for key, member in value.items():
            if key not in NO_COUNTS:
                yield from counts(member, f"{path}.{key}")
    elif isinstance(value, list):
        for member in value:
            yield from counts(member, path)
    elif isinstance(value, int) and not isinstance(value, bool):
        yield path, value


@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize("patients", [3, 8])
def test_json_holds_no_small_count(patients: int, plan: Callable[[Hospital], Hospital], tmp_path: Path) -> None:
    told = json.loads(as_json(examined(plan(hospital(patients)), tmp_path)))
    # The size of the sample is what was asked for.
    told["sample"].pop("patients")

    assert [(path, n) for path, n in counts(told) if 0 < n < 5] == []


def test_quantiles_of_few_patients_are_left_out(tmp_path: Path) -> None:
    report = examined(hospital(4), tmp_path)

    assert all(unit.quantiles == {} for row in report.laboratory_codes for unit in row.units)
    assert report.outcomes["sii"] == {}


def test_name_that_few_patients_share_is_left_out(tmp_path: Path) -> None:
    plan = hospital()
    for number, resources in enumerate(plan.patients.values()):
        for resource in resources:
            if resource["resourceType"] == "Observation":
                shown = "Rare name" if number < 4 else "Platelets"
                resource["code"]["coding"][0]["display"] = shown

    said = as_json(examined(plan, tmp_path))

    assert "Rare name" not in said
    assert "Platelets" in said


def test_free_text_in_place_of_a_code_is_left_out(tmp_path: Path) -> None:
    plan = hospital().change(
        of_code(PLATELETS, change=lambda r: r | {"code": {"coding": [{"system": LOCAL, "code": f"PLT {r['id']}"}]}})
    )

    assert "p001" not in as_json(examined(plan, tmp_path))
