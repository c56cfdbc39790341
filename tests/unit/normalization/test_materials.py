"""Results of other materials under the codes of blood: by body site, specimen, or a name of the code."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.acquisition.resources import Observation, Specimen
from cds_service.normalization.materials import MaterialReader
from cds_service.normalization.observations import ObservationReader
from cds_service.normalization.subject import SubjectMatcher
from tests.support.charts import (
    LOINC,
    NEUTROPHILS,
    PATIENT_ID,
    SNOMED,
    Json,
    bundle,
    draw,
    hook_request,
    observation,
)
from tests.unit.normalization.reading import MAPPINGS, STATUSES, decided, judged, times, typed

ASCITES = {"text": "Ascitic fluid"}
SPECIMEN: Json = {"resourceType": "Specimen", "id": "s1", "type": ASCITES}
MARROW_CODE = {"coding": [{"system": SNOMED, "code": "119359002"}]}


def code(*codings: Json, **members: Any) -> Json:
    return {"code": {"coding": [{"system": LOINC, "code": NEUTROPHILS}, *codings]} | members}


NOT_BLOOD = [
    ({"bodySite": ASCITES}, "body site as text"),
    ({"bodySite": {"coding": [{"system": SNOMED, "code": "14016003"}]}}, "body site as code"),
    ({"bodySite": {"coding": [{"display": "Peritoneal cavity"}]}}, "body site as display"),
    ({"bodySite": [ASCITES]}, "a list, as no version of FHIR has it"),
    ({"specimen": {"display": "Ascites"}}, "specimen without a reference"),
    ({"specimen": {"reference": "Specimen/s1", "display": "Pleural fluid"}}, "specimen with a name"),
    ({"specimen": {"reference": "#s1"}, "contained": [SPECIMEN]}, "contained"),
    ({"specimen": {"reference": "#s1"}, "contained": [SPECIMEN | {"type": MARROW_CODE}]}, "contained, by code"),
    (
        {"contained": [SPECIMEN | {"type": {"text": "Aspirate"}, "collection": {"bodySite": {"text": "bone marrow"}}}]},
        "where it was collected",
    ),
    (code({"system": "urn:oid:1.2.3", "code": "NEU-P", "display": "Neutrophils, peritoneal fluid"}), "second coding"),
    (code(text="Neutrophils (CSF)"), "text of the code"),
]
BLOOD = [
    ({"bodySite": {"text": "Left arm"}}, "a place of blood"),
    ({"bodySite": {"text": 5}}, "what cannot be read names nothing"),
    ({"bodySite": None, "contained": "nonsense"}, "the same"),
    ({"specimen": {"reference": "Specimen/1", "display": "EDTA blood"}}, "blood"),
    ({"contained": [{"resourceType": "Practitioner", "id": "x", "type": ASCITES}]}, "no specimen"),
    ({"contained": [SPECIMEN | {"type": {"text": "Venous blood"}}]}, "blood"),
    (code({"system": "urn:oid:1.2.3", "code": "NEU", "display": "Neutrophils"}), "a name of the analyte"),
]


@pytest.mark.parametrize(("members", "why"), NOT_BLOOD)
def test_result_of_another_material_is_excluded(members: Json, why: str) -> None:
    assert judged(observation(NEUTROPHILS, 6.1, **members)) == "specimen-not-blood", why


@pytest.mark.parametrize(("members", "why"), BLOOD)
def test_result_without_a_listed_material_is_of_blood(members: Json, why: str) -> None:
    assert judged(observation(NEUTROPHILS, 6.1, **members)) == "usable", why


def test_result_under_codes_of_two_materials_is_a_conflict() -> None:
    both = code({"system": LOINC, "code": "26502-5"})

    assert judged(observation(NEUTROPHILS, 6.1, **both)) == "code-conflict"


def test_component_of_another_material_is_excluded_alone() -> None:
    parts = [
        {"code": code(text="Neutrophils, ascites")["code"], "valueQuantity": {"value": 6, "unit": "10*9/L"}},
    ]

    assert judged(observation("57021-8", 0, valueQuantity=None, component=parts)) == "specimen-not-blood"


@pytest.mark.parametrize("reference", ["Specimen/s1", "https://ehr.example/fhir/Specimen/s1", "urn:uuid:s-1"])
@pytest.mark.parametrize("position", [0, 9])
def test_specimen_delivered_with_the_results_tells_their_material(reference: str, position: int) -> None:
    neutrophils, *rest = draw()[1:2] + draw()[:1] + draw()[2:]
    counts = bundle(neutrophils | {"specimen": {"reference": reference}}, *rest)
    url = reference if reference.startswith("urn") else "https://ehr.example/fhir/Specimen/s1"
    counts["entry"].insert(position, {"fullUrl": url, "resource": SPECIMEN, "search": {"mode": "include"}})

    decision = decided(hook_request(bloodCounts=counts))

    assert decision.laboratory is not None
    assert [e.reason for e in decision.laboratory.counts.excluded] == ["specimen-not-blood"]
    assert "missing-neutrophils" in getattr(decision.assessment, "reasons", ())


DELIVERED: list[tuple[Json, str, str]] = [
    ({"reference": "Specimen/s1"}, "specimen-not-blood", "by its id"),
    ({"reference": "https://ehr.example/fhir/Specimen/s1"}, "specimen-not-blood", "by its address"),
    ({"reference": "https://other.example/Specimen/s1/_history/2"}, "specimen-not-blood", "by the end of another one"),
    ({"reference": "https://ehr.example/fhir/Specimen/s3"}, "specimen-not-blood", "one without an id, by its address"),
    ({"reference": "Specimen/s2"}, "usable", "one that is blood"),
    ({"reference": "Specimen/unknown"}, "usable", "one that was not delivered"),
    ({"display": "tube 4"}, "usable", "without a reference"),
    ({"reference": "Specimen/s1", "display": "tube 4"}, "specimen-not-blood", "a name that says nothing"),
]


@pytest.mark.parametrize(("specimen", "expected", "why"), DELIVERED)
def test_specimen_that_was_delivered_tells_its_material(specimen: Json, expected: str, why: str) -> None:
    delivered = {
        "https://ehr.example/fhir/Specimen/s1": typed(Specimen, SPECIMEN),
        "Specimen/s1": typed(Specimen, SPECIMEN),
        "Specimen/s2": typed(Specimen, SPECIMEN | {"type": {"text": "Venous blood"}}),
        "https://ehr.example/fhir/Specimen/s3": typed(Specimen, SPECIMEN),
    }
    reader = ObservationReader(MAPPINGS, STATUSES, SubjectMatcher(PATIENT_ID, {}), times(), frozenset(), delivered)

    (found,) = reader.read(typed(Observation, observation(NEUTROPHILS, 6.1, specimen=specimen)))

    assert str(getattr(found, "reason", "usable")) == expected, why


def test_material_of_a_result_is_a_text() -> None:
    reader = MaterialReader(MAPPINGS.materials, {"Specimen/s2": typed(Specimen, SPECIMEN | {"type": {"text": "x"}})})
    blood = typed(Observation, observation(NEUTROPHILS, 6.1, specimen={"reference": "Specimen/s2"}))

    assert reader.of_observation(blood) == ""
