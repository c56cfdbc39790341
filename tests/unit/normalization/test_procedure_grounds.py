"""Where and why a procedure was done: organs and reasons by code, by word, and by the diagnosis that is pointed to."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.acquisition.resources import Condition, Procedure
from cds_service.clinical.reasons import Reason
from cds_service.normalization.procedure_grounds import GroundsReader
from tests.support.charts import ICD10CM, SNOMED, Json, condition, procedure
from tests.unit.normalization.reading import MAPPINGS, typed

ELSEWHERE, OTHER = Reason.BODY_SITE_ELSEWHERE, Reason.OTHER_INDICATION
DIAGNOSES = [
    condition("C22.0", id="cancer"),
    condition("C78.7", id="spread"),
    condition("I72.8", id="aneurysm"),
    condition("I10", id="pressure"),
    condition(code=None, id="uncoded"),
]


def reader() -> GroundsReader:
    conditions = [typed(Condition, resource) for resource in DIAGNOSES]
    return GroundsReader(MAPPINGS, {c.id: c.code for c in conditions if c.id and c.code is not None})


def refused(**members: Any) -> Reason | None:
    return reader().refuse(typed(Procedure, procedure(**members)))


def coded(code: str | None, system: str | None = ICD10CM, **members: Any) -> Json:
    return {"coding": [{"system": system, "code": code} | members]}


def pointing(*references: Json) -> Json:
    return {"reasonReference": list(references)}


# Local recurrence of a liver cancer (VSAC, as in fhir_mappings/conditions.toml).
RECURRENCE = "314963000"
ANEURYSM = {"reference": "Condition/aneurysm"}
CANCER = {"reference": "Condition/cancer"}
GROUNDS: list[tuple[Json, Reason | None, str]] = [
    ({}, None, "nothing is said"),
    ({"bodySite": [{"text": "liver"}]}, None, "the liver"),
    ({"bodySite": [{"text": "uterus"}]}, ELSEWHERE, "another organ by its name"),
    ({"bodySite": [coded("35039007", SNOMED)]}, ELSEWHERE, "another organ by its code"),
    ({"bodySite": [coded("35039007", None)]}, None, "a code without a system"),
    ({"bodySite": [{"text": "uterus"}, {"text": "liver"}]}, None, "the liver wins"),
    ({"bodySite": [{"text": "left"}]}, None, "a side is no organ"),
    ({"bodySite": [coded(None, None, display="Uterus")]}, ELSEWHERE, "a display"),
    ({"reasonCode": [coded("C22.0")]}, None, "liver cancer"),
    ({"reasonCode": [coded("Z85.05")]}, None, "the history of one"),
    ({"reasonCode": [coded("C22.2")]}, None, "another histology"),
    ({"reasonCode": [coded("C22.9")]}, None, "a cancer of the liver, of whatever kind"),
    ({"reasonCode": [coded("C78.7")]}, OTHER, "a metastasis in the liver"),
    ({"reasonCode": [coded("C78.00")]}, OTHER, "a metastasis elsewhere"),
    ({"reasonCode": [coded("I72.8")]}, OTHER, "an aneurysm"),
    ({"reasonCode": [coded("i728")]}, OTHER, "its code written otherwise"),
    ({"reasonCode": [coded("I72.8", None)]}, None, "a code without a system"),
    ({"reasonCode": [coded(None)]}, None, "a system without a code"),
    ({"reasonCode": [coded("I10")]}, None, "what is not listed"),
    ({"reasonCode": [coded("D13.4")]}, None, "a diagnosis of the tables that says nothing here"),
    ({"reasonCode": [coded("I72.8"), coded("C22.0")]}, None, "any liver cancer wins"),
    ({"reasonCode": [coded("I72.8"), coded("Z85.05")]}, None, "also the history of one"),
    ({"reasonCode": [coded("I72.8"), coded("C22.2")]}, None, "also one of another histology"),
    ({"reasonCode": [coded("I72.8"), coded("C22.9")]}, None, "also one of whatever kind"),
    ({"reasonCode": [coded("I72.8"), coded(RECURRENCE, SNOMED)]}, None, "also one that came back"),
    ({"reasonCode": [coded("C78.7"), coded("C22.9")]}, None, "a metastasis beside it is no other reason"),
    ({"reasonCode": [coded("I72.8"), coded("C78.7")]}, OTHER, "two other reasons"),
    ({"reasonCode": [{"text": "bleeding"}]}, OTHER, "a word"),
    ({"reasonCode": [{"text": "bleeding"}, {"text": "as agreed"}]}, OTHER, "a word, and then one that says nothing"),
    ({"reasonCode": [coded(None, None, display="bleeding")]}, OTHER, "a display"),
    (pointing(ANEURYSM), OTHER, "the code of the diagnosis that is pointed to"),
    (pointing(CANCER), None, "liver cancer"),
    (pointing({"reference": "Condition/spread"}), OTHER, "a metastasis in the liver"),
    (pointing({"reference": "https://ehr.example/fhir/Condition/aneurysm/_history/2"}), OTHER, "an absolute reference"),
    (pointing(ANEURYSM, CANCER), None, "any liver cancer wins"),
    (pointing(ANEURYSM) | {"reasonCode": [coded("C22.0")]}, None, "also as a code"),
    (pointing({"reference": "Condition/pressure"}), None, "what is not listed"),
    (pointing({"reference": "Condition/pressure"}, ANEURYSM), OTHER, "the second of two"),
    (pointing({"reference": "Condition/uncoded"}), None, "a diagnosis without a code"),
    (pointing({"reference": "Condition/unknown"}), None, "a diagnosis that was not delivered"),
    (pointing({"reference": "Observation/aneurysm"}), None, "no diagnosis"),
    (pointing({"display": "bleeding"}), OTHER, "a diagnosis that is only named"),
    (pointing({"reference": "Condition/pressure", "display": "bleeding"}), OTHER, "pointed to and named"),
    (pointing({"reference": "Condition/cancer", "display": "bleeding"}), None, "named otherwise: liver cancer wins"),
    (pointing({}), None, "neither"),
    (pointing(ANEURYSM) | {"bodySite": [{"text": "uterus"}]}, ELSEWHERE, "the place is asked first"),
]


@pytest.mark.parametrize(("members", "expected", "reason"), GROUNDS)
def test_procedure_is_refused_by_place_or_reason(members: Json, expected: Reason | None, reason: str) -> None:
    assert refused(**members) == expected, reason


def test_reasons_keep_the_listed_codes_and_words_of_all_sources() -> None:
    resource = procedure(
        reasonCode=[coded("I72.8"), coded("I10"), {"text": "Bleeding, and Mrs Smith"}], **pointing(CANCER)
    )

    found = reader().reasons(typed(Procedure, resource))

    assert [(coding.code, meaning) for coding, meaning in found.codings] == [
        ("I72.8", "aneurysm"),
        ("C22.0", "liver-cancer"),
    ]
    assert found.words == {"bleeding": "bleeding"}
    assert found.meanings == {"aneurysm", "liver-cancer", "bleeding"}
