"""The rows of an explanation: what was sent, what it was read as, and what became of it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.support.charts import (
    ALBUMIN,
    LYMPHOCYTES_SHARE,
    NEUTROPHILS,
    NEUTROPHILS_SHARE,
    PLATELETS,
    Json,
    bundle,
    draw,
    hook_request,
    observation,
)
from tests.unit.decision.asking import explanation


def rows(body: Json) -> dict[str, dict[str, Any]]:
    return {row["reference"]: row for row in explanation(body)["observations"]}


def treatment(row: dict[str, Any]) -> tuple[str, str | None]:
    return row["treatment"], row.get("reason")


def test_explanation_row_of_a_usable_result_is_complete() -> None:
    sent = observation(PLATELETS, 210000, "/uL", oid="plt", specimen={"reference": "https://x.example/Specimen/s1"})

    assert rows(hook_request(sent))["Observation/plt"] == {
        "reference": "Observation/plt",
        "code": "777-3",
        "analyte": "platelets",
        "reported": "210000 /uL",
        "canonical": "210 10*9/L",
        "taken": "2026-10-14T18:00:00+08:00",
        "specimen": "Specimen/s1",
        "treatment": "usable",
    }


def test_explanation_row_of_an_excluded_result_shows_what_was_sent() -> None:
    sent = observation(PLATELETS, 210, "furlong", oid="plt")

    assert rows(hook_request(sent))["Observation/plt"] == {
        "reference": "Observation/plt",
        "code": "http://loinc.org|777-3",
        "analyte": "platelets",
        "reported": "210 furlong",
        "taken": "2026-10-14T18:00:00+08:00",
        "treatment": "excluded",
        "reason": "unit-unknown",
    }


@pytest.mark.parametrize(
    ("members", "reported"),
    [
        ({"valueQuantity": {"value": 210, "code": "furlong"}}, "210 furlong"),
        ({"valueQuantity": {"value": "many", "unit": "10*9/L"}}, "many 10*9/L"),
        ({"valueQuantity": None, "valueString": "normal"}, ""),
        ({"effectiveDateTime": None}, "210 10*9/L"),
    ],
)
def test_explanation_row_of_an_excluded_result_of_any_kind(members: Json, reported: str) -> None:
    row = rows(hook_request(observation(PLATELETS, 210, oid="plt", **members)))["Observation/plt"]

    assert (row["reported"], row["treatment"]) == (reported, "excluded")


def test_explanation_note_tells_why_a_near_miss_is_refused() -> None:
    found = rows(hook_request(*draw(), observation("20482-6", 55, "%", oid="granulocytes")))

    assert found["Observation/granulocytes"]["note"].startswith("resembles ")
    assert "note" not in rows(hook_request(observation("718-7", 13, oid="hb")))["Observation/hb"]


def test_explanation_number_keeps_every_digit() -> None:
    digits = "210." + "1" * 31

    row = rows(hook_request(observation(PLATELETS, Decimal(digits), oid="plt")))["Observation/plt"]

    assert (row["reported"], row["canonical"]) == (f"{digits} 10*9/L", f"{digits} 10*9/L")


def test_explanation_result_that_both_searches_brought_is_told_once() -> None:
    found = explanation(hook_request(*draw(), albumin=bundle(*draw(), observation(ALBUMIN, 38, "g/L"))))

    assert [row["treatment"] for row in found["observations"]] == ["used"] * 4


def test_explanation_results_without_id_are_told_each() -> None:
    nameless = observation(PLATELETS, 1, "furlong", id=None)

    found = explanation(hook_request(*draw(id=None), nameless, nameless, without=("albumin",)))["observations"]

    assert [(row["reference"], *treatment(row)) for row in found] == [
        *[("", "used", None)] * 3,
        *[("", "excluded", "unit-unknown")] * 2,
    ]


def test_explanation_observation_with_components_has_a_row_for_each_measurement() -> None:
    def component(code: str, value: float, unit: str) -> Json:
        return {
            "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
            "valueQuantity": {"value": value, "unit": unit},
        }

    panel = observation("58410-2", 0, oid="panel", valueQuantity=None)
    panel["component"] = [
        component(PLATELETS, 210, "10*9/L"),
        component(NEUTROPHILS, 6, "furlong"),
        component("731-0", 1.8, "10*9/L"),
        component("718-7", 13, "g/dL"),
    ]

    found = explanation(hook_request(panel, without=("albumin",)))["observations"]

    assert [(row["analyte"], *treatment(row)) for row in found] == [
        ("platelets", "usable", None),
        ("neutrophils", "excluded", "unit-unknown"),
        ("lymphocytes", "usable", None),
    ]


def shares(neutrophils: float, lymphocytes: float) -> list[Json]:
    return [
        observation(PLATELETS, 210, oid="plt"),
        observation(NEUTROPHILS_SHARE, neutrophils, "%", oid="neu"),
        observation(LYMPHOCYTES_SHARE, lymphocytes, "%", oid="lym"),
    ]


@pytest.mark.parametrize(
    ("sent", "expected", "reason"),
    [
        (shares(70, 25), [("used", None, "0.7"), ("used", None, "0.25")], "percentages"),
        (shares(0.7, 0.25), [("used", None, "0.7"), ("used", None, "0.25")], "as the fractions they were read as"),
        (
            shares(0.7, 25),
            [("excluded", "fraction-mislabelled", "0.007"), ("usable", None, "0.25")],
            "one that only its partner shows to be wrong",
        ),
        (
            shares(80, 25),
            [("excluded", "implausible", "0.8"), ("excluded", "implausible", "0.25")],
            "two that are too much together",
        ),
        (
            [{name: member for name, member in o.items() if name != "id"} for o in shares(0.7, 25)],
            [("excluded", "fraction-mislabelled", "0.007"), ("usable", None, "0.25")],
            "without ids",
        ),
    ],
)
def test_explanation_shares_are_told_as_they_were_read(
    sent: list[Json], expected: list[tuple[str, str | None, str]], reason: str
) -> None:
    found = explanation(hook_request(*sent, without=("albumin",)))["observations"]

    assert [(*treatment(row), row["canonical"]) for row in found[1:]] == expected, reason
