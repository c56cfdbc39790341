"""Observations as a whole: components, what could not be read, and the same result delivered twice."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.acquisition.resources import Malformed, Observation
from cds_service.clinical.models import Analyte, ExcludedResult, LabResult
from cds_service.clinical.reasons import Reason
from tests.support.charts import (
    LOINC,
    LYMPHOCYTES,
    NEUTROPHILS,
    PLATELETS,
    Json,
    observation,
)
from tests.unit.normalization.reading import judged, observation_reader, outcomes_of, paired, typed, usable

PANEL = {"coding": [{"system": LOINC, "code": "58410-2"}]}


def component(code: str, value: Any, unit: str = "10*9/L", **members: Any) -> Json:
    return {
        "code": {"coding": [{"system": LOINC, "code": code}]},
        "valueQuantity": {"value": value, "unit": unit},
    } | members


def panel(*components: Json, **members: Any) -> Json:
    return observation("58410-2", 1, oid="panel", valueQuantity=None, component=list(components), **members)


def summary(resource: Json) -> list[str]:
    """Return analyte and fate of each measurement."""
    return [
        f"{o.analyte} {'usable' if isinstance(o, LabResult) else o.reason}" for o in outcomes_of(resource) if o.analyte
    ]


COMPONENTS = [
    (panel(component(NEUTROPHILS, 4.2), component(LYMPHOCYTES, 1.5)), ["neutrophils usable", "lymphocytes usable"], ""),
    (panel(), [], "a panel without components"),
    (panel(component("789-8", 4.8, "10*12/L")), [], "red cells are none of ours"),
    (panel(component(NEUTROPHILS, 4.2, "mmol/L")), ["neutrophils unit-unknown"], "a unit of its own"),
    (panel(component(NEUTROPHILS, 4.2), status="preliminary"), ["neutrophils status-not-accepted"], "parent's status"),
    (panel(component(NEUTROPHILS, 4.2), subject=None), ["neutrophils subject-missing"], "the parent's subject"),
    (panel(component(NEUTROPHILS, 4.2), effectiveDateTime=None), ["neutrophils no-effective-time"], "parent's time"),
    (
        panel(component(NEUTROPHILS, 4.2, dataAbsentReason={"text": "clotted"}), component(LYMPHOCYTES, 1.5)),
        ["neutrophils data-absent", "lymphocytes usable"],
        "one component is absent, the other is not",
    ),
    (
        panel(component(NEUTROPHILS, 4.2), dataAbsentReason={"text": "clotted"}),
        ["neutrophils usable"],
        "the panel says why it has no value of its own; its components have theirs",
    ),
    (
        observation(PLATELETS, 210, component=[component(NEUTROPHILS, 4.2)]),
        ["platelets usable", "neutrophils usable"],
        "a value of its own and a component",
    ),
    (
        panel(component(NEUTROPHILS, 4.2) | {"code": {"coding": [*PANEL["coding"]]}}),
        [],
        "a component without a code of ours",
    ),
]


@pytest.mark.parametrize(("resource", "expected", "reason"), COMPONENTS)
def test_component_is_read_like_an_observation_of_its_parent(resource: Json, expected: list[str], reason: str) -> None:
    assert summary(resource) == expected, reason


def test_panel_with_components_is_a_complete_draw() -> None:
    counts = paired(panel(component(NEUTROPHILS, 4.2), component(LYMPHOCYTES, 1.5), component(PLATELETS, 210)))

    (draw,) = counts.draws
    assert {result.origin.reference for result in draw.results} == {"Observation/panel"}
    assert [result.origin.code for result in draw.results] == [PLATELETS, NEUTROPHILS, LYMPHOCYTES]


def test_origin_names_reference_version_code_and_specimen() -> None:
    origin = usable(
        observation(
            NEUTROPHILS,
            4.2,
            oid="n1",
            meta={"versionId": "7"},
            specimen={"reference": "https://x/Specimen/s/_history/2"},
        )
    ).origin

    assert origin == ("Observation/n1", "7", "loinc", NEUTROPHILS, "Specimen/s")


def test_result_without_an_id_is_usable() -> None:
    resource = observation(NEUTROPHILS, 4.2)
    del resource["id"]

    assert usable(resource).origin.reference == ""
    assert judged(resource | {"id": ""}) == "usable"


MALFORMED = [
    ({"id": "n"}, True, "no code could be read: it may be any of ours"),
    ({"id": "n", "meta": {"versionId": 7}}, True, "its version may be what could not be read"),
    ({"id": "n", "code": {}}, False, "a code element that says nothing is none of ours"),
    ({"id": "n", "code": PANEL}, False, "readable, and another test"),
    ({"id": "n", "code": PANEL, "component": [{"code": 1}]}, True, "a panel may hold ours"),
    ({"id": "n", "code": PANEL, "component": []}, False, "a panel that holds nothing"),
    ({"id": "n", "code": PANEL, "component": None}, False, "a null component is none"),
]


@pytest.mark.parametrize(("resource", "is_excluded", "reason"), MALFORMED)
def test_malformed_observation_is_excluded_unless_it_is_another_test(
    resource: Json, is_excluded: bool, reason: str
) -> None:
    excluded = observation_reader().exclude_malformed([typed(Malformed, resource)])

    expected = ExcludedResult(None, Reason.MALFORMED, "Observation/n", "", None)
    assert excluded == ((expected,) if is_excluded else ()), reason


@pytest.mark.parametrize(
    ("codes", "analyte", "reason"),
    [
        ([NEUTROPHILS], Analyte.NEUTROPHILS, "one of ours"),
        (["1751-7"], Analyte.ALBUMIN, "albumin"),
        ([NEUTROPHILS, LYMPHOCYTES], None, "a conflict: nobody can tell which"),
    ],
)
def test_malformed_observation_of_ours_names_its_analyte(
    codes: list[str], analyte: Analyte | None, reason: str
) -> None:
    code = {"coding": [{"system": LOINC, "code": c} for c in codes]}
    (excluded,) = observation_reader().exclude_malformed([typed(Malformed, {"code": code})])

    assert (excluded.analyte, excluded.reason, excluded.reference) == (analyte, "malformed", ""), reason


def test_observation_delivered_twice_counts_once() -> None:
    resource = typed(Observation, observation(NEUTROPHILS, 4.2))
    refused = typed(Observation, observation(LYMPHOCYTES, 1.5, status="unknown"))
    reading = observation_reader().read_all([resource, refused, resource, refused])

    assert (len(reading.results), len(reading.excluded)) == (1, 1)


def test_exclusions_without_an_id_are_all_kept() -> None:
    resource = observation(NEUTROPHILS, 4.2, status="unknown")
    del resource["id"]
    reading = observation_reader().read_all([typed(Observation, resource)] * 3, [Malformed(), Malformed()])

    assert len(reading.excluded) == 5


def test_excluded_result_tells_its_time_only_where_it_is_known() -> None:
    known, unknown = (
        outcomes_of(observation(NEUTROPHILS, 4.2, status="unknown", when=when))[0] for when in ("2026-10-14", "2026")
    )

    assert known.effective is not None
    assert known.effective.isoformat() == "2026-10-14"
    assert unknown.effective is None


def test_two_versions_of_an_excluded_observation_count_once() -> None:
    """Both searches may bring it, and it may have changed between them."""
    first, second = (
        typed(Observation, observation(NEUTROPHILS, 4.2, oid="n", status="unknown", meta={"versionId": version}))
        for version in ("1", "2")
    )
    (excluded,) = observation_reader().read_all([first, second]).excluded

    assert excluded.version == "1"


def test_component_of_two_meanings_does_not_hide_the_others() -> None:
    both = {"coding": [{"system": LOINC, "code": code} for code in (NEUTROPHILS, LYMPHOCYTES)]}

    assert summary(panel(component(NEUTROPHILS, 6) | {"code": both}, component(PLATELETS, 200))) == [
        "neutrophils code-conflict",
        "platelets usable",
    ]


def test_result_as_a_whole_tells_when_it_was_issued() -> None:
    found = usable(observation(NEUTROPHILS, 6, issued="2026-10-14T10:00:00Z"))

    assert found.issued is not None
    assert found.issued.isoformat() == "2026-10-14T12:00:00+02:00"
