"""Platelet clumps: which findings say so, and which platelet counts they take out."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.acquisition.resources import Observation
from cds_service.clinical.models import Analyte, ExcludedResult
from cds_service.clinical.reasons import Reason
from cds_service.normalization.clumps import clump_state
from tests.support.charts import LOINC, PLATELETS, Json, draw, hook_request, observation
from tests.unit.normalization.reading import MAPPINGS, decided, typed

WHEN = "2026-10-14T08:00:00Z"
V3 = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"


def finding(code: str = "7796-6", when: str | None = WHEN, **members: Any) -> Json:
    members = members or {"valueString": "Present"}
    return observation(code, 0, when=when, oid="clumps", **({"valueQuantity": None} | members))


@pytest.mark.parametrize(
    ("members", "expected", "why"),
    [
        ({"valueString": "Present"}, "present", "a word"),
        ({"valueBoolean": False}, "absent", "a truth value"),
        ({"valueCodeableConcept": {"coding": [{"code": "POS"}]}}, "", "a code without a system"),
        ({"valueCodeableConcept": {"coding": [{"system": LOINC}]}}, "", "a system without a code"),
        ({"valueString": None}, "", "nothing"),
    ],
)
def test_clumps_have_a_state_or_an_empty_text(members: Json, expected: str, why: str) -> None:
    assert clump_state(typed(Observation, finding(**members)), MAPPINGS.clumps) == expected, why


def test_excluded_platelets_carry_what_tells_them_from_others() -> None:
    platelets = observation(PLATELETS, 210, when=WHEN, oid="p", meta={"versionId": "3"})
    counts = decided(hook_request(platelets, finding())).laboratory.counts  # type: ignore[union-attr]

    (found,) = counts.excluded
    assert found._replace(effective=None) == ExcludedResult(
        Analyte.PLATELETS, Reason.PLATELET_CLUMPING, "Observation/p", "3", None
    )
    assert found.effective is not None
    assert found.effective.isoformat() == "2026-10-14T10:00:00+02:00"


def excluded(*observations: Json) -> list[Reason]:
    decision = decided(hook_request(*observations))
    assert decision.laboratory is not None
    return [e.reason for e in decision.laboratory.counts.excluded]


PRESENT: list[tuple[Json, str]] = [
    ({"valueString": "Present"}, "a word"),
    ({"valueString": " MODERATE "}, "whatever the case"),
    ({"valueString": "Platelet clumps seen."}, "a phrase"),
    ({"valueString": "2+"}, "a grade"),
    ({"valueString": "血小板聚集"}, "Chinese"),
    ({"valueBoolean": True}, "yes"),
    ({"valueCodeableConcept": {"text": "Present"}}, "a text"),
    ({"valueCodeableConcept": {"coding": [{"system": LOINC, "code": "LA9633-4"}]}}, "an answer"),
    ({"valueCodeableConcept": {"coding": [{"system": V3, "code": "POS"}]}}, "a code"),
    ({"valueCodeableConcept": {"coding": [{"display": "Positive"}]}}, "a display"),
]
ABSENT: list[tuple[Json, str]] = [
    ({"valueString": "None seen"}, "a phrase"),
    ({"valueString": "negative"}, "a word"),
    ({"valueBoolean": False}, "no"),
    ({"valueCodeableConcept": {"coding": [{"system": LOINC, "code": "LA9634-2"}]}}, "an answer"),
    ({"valueCodeableConcept": {"text": "未见"}}, "Chinese"),
]
UNREADABLE: list[tuple[Json, str]] = [
    ({"valueString": "see comment"}, "a text that nobody listed"),
    ({"valueCodeableConcept": {"coding": [{"code": "POS"}]}}, "a code without a system"),
    ({"valueCodeableConcept": 5}, "no concept"),
    ({"valueQuantity": {"value": 3}}, "a number"),
    ({"valueString": None}, "nothing"),
]


@pytest.mark.parametrize(("members", "why"), PRESENT)
@pytest.mark.parametrize("code", ["7796-6", "40741-1"])
def test_clumps_that_are_present_take_out_the_platelets(members: Json, why: str, code: str) -> None:
    decision = decided(hook_request(*draw(when=WHEN), finding(code, **members)))

    assert getattr(decision.assessment, "reasons", ()) == ("missing-platelets", "platelet-clumping"), why


@pytest.mark.parametrize(("members", "why"), ABSENT)
def test_clumps_that_are_absent_do_nothing(members: Json, why: str) -> None:
    found = decided(hook_request(*draw(when=WHEN), finding(**members))).assessment

    assert (found.outcome, found.clumps_unreadable) == ("above-cutoff", False), why  # type: ignore[union-attr]


@pytest.mark.parametrize(("members", "why"), UNREADABLE)
def test_clumps_that_cannot_be_read_are_named_and_decide_nothing(members: Json, why: str) -> None:
    found = decided(hook_request(*draw(when=WHEN), finding(**members))).assessment

    assert (found.outcome, found.clumps_unreadable) == ("above-cutoff", True), why  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("taken", "found", "is_excluded", "why"),
    [
        (WHEN, "2026-10-14T09:00:00Z", True, "an hour later"),
        (WHEN, "2026-10-14T07:00:00Z", True, "an hour before"),
        (WHEN, "2026-10-14T09:00:01Z", False, "a second more"),
        (WHEN, "2026-10-14", True, "on that day"),
        ("2026-10-14", WHEN, True, "the count without a time"),
        ("2026-10-14", "2026-10-15T08:00:00Z", False, "the day after"),
        (WHEN, "2026-10-13", False, "the day before"),
    ],
)
def test_clumps_belong_to_the_blood_of_their_draw(taken: str, found: str, is_excluded: bool, why: str) -> None:
    reasons = excluded(*draw(when=taken), finding(when=found))

    assert (Reason.PLATELET_CLUMPING in reasons) is is_excluded, why


def test_clumps_of_the_same_specimen_count_at_any_hour_of_its_day() -> None:
    specimen = {"reference": "Specimen/1"}
    late = finding(when="2026-10-14T15:00:00Z", valueString="present", specimen=specimen)

    assert excluded(*draw(when=WHEN, specimen=specimen), late) == [Reason.PLATELET_CLUMPING]
    assert excluded(*draw(when=WHEN), late) == []


@pytest.mark.parametrize(
    ("members", "why"),
    [
        ({"subject": {"reference": "Patient/other"}}, "another record"),
        ({"status": "preliminary"}, "not final"),
        ({"effectiveDateTime": None}, "no time"),
        ({"bodySite": {"text": "Bone marrow"}}, "no blood"),
    ],
)
def test_clumps_that_are_not_of_this_blood_do_nothing(members: Json, why: str) -> None:
    assert excluded(*draw(when=WHEN), finding(valueString="present") | members) == [], why


@pytest.mark.parametrize(
    ("interpretation", "is_excluded", "why"),
    [
        ([{"text": "Platelet clumps"}], True, "in words"),
        ([{"coding": [{"display": "Clumped"}]}], True, "as a display"),
        ([{"coding": [{"system": LOINC, "code": "7796-6"}]}], True, "coded so"),
        ([{"coding": [{"system": V3, "code": "L"}]}], False, "low"),
        ([{"text": "No platelet clumps"}], False, "none"),
        ("nonsense", False, "what cannot be read"),
    ],
)
def test_clumps_in_the_interpretation_take_out_that_count(interpretation: Any, is_excluded: bool, why: str) -> None:
    platelets = observation(PLATELETS, 80, when=WHEN, interpretation=interpretation)

    assert (excluded(*draw(None, when=WHEN), platelets) == [Reason.PLATELET_CLUMPING]) is is_excluded, why
