"""A modifierExtension that nobody understands makes a resource one that cannot be read (FHIR R4: Extensibility)."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from cds_service.acquisition import prefetch
from cds_service.acquisition.bundles import BundleReader
from cds_service.acquisition.resources import Condition, Observation, Procedure
from cds_service.cards.gaps import Gap
from cds_service.hooks.request import parse_cds_request
from tests.support.charts import PLATELETS, Json, bundle, condition, draw, hook_request, observation, patient, procedure
from tests.unit.decision.asking import assessment, decision

NOT_SO: list[Json] = [{"url": "https://ehr.example/StructureDefinition/not-this-patient", "valueBoolean": True}]

RESOURCES: list[tuple[BundleReader[Any], Json]] = [
    (BundleReader(Observation), observation(PLATELETS, 210)),
    (BundleReader(Condition), condition()),
    (BundleReader(Procedure), procedure()),
]

# A modifierExtension; whether the resource can be read.
MODIFIERS: list[tuple[Any, bool, str]] = [
    (NOT_SO, False, "one that nobody here understands"),
    (NOT_SO * 2, False, "two"),
    ([{}], False, "one that says nothing is one"),
    ([], True, "none"),
    (None, True, "null"),
    ("x", False, "a text"),
    ({"url": "x"}, False, "an object for a list"),
]


@pytest.mark.parametrize("company", [(), (patient(),)], ids=["clean", "beside another type"])
@pytest.mark.parametrize(("reader", "resource"), RESOURCES, ids=["Observation", "Condition", "Procedure"])
@pytest.mark.parametrize(("modifiers", "is_read", "reason"), MODIFIERS)
def test_resource_that_is_modified_cannot_be_read(
    modifiers: Any, is_read: bool, reason: str, reader: BundleReader[Any], resource: Json, company: tuple[Json, ...]
) -> None:
    sent = bundle(resource, resource | {"id": "odd", "modifierExtension": modifiers}, *company)

    content = reader.read(msgspec.Raw(json.dumps(sent).encode()))

    assert len(content.resources) == 1 + is_read, reason
    assert [malformed.id for malformed in content.malformed] == ([] if is_read else ["odd"])
    assert all(malformed.code is not None for malformed in content.malformed), "its code is known"


def test_component_that_is_modified_makes_its_panel_one_that_cannot_be_read() -> None:
    rows = [{"code": row["code"], "valueQuantity": row["valueQuantity"]} for row in draw()]
    rows[0]["modifierExtension"] = NOT_SO
    panel = observation("58410-2", 0, oid="cbc", valueQuantity=None, component=rows)

    (malformed,) = RESOURCES[0][0].read(msgspec.Raw(json.dumps(bundle(panel)).encode())).malformed

    assert malformed.has_components


@pytest.mark.parametrize("modifiers", [NOT_SO, [{}], "x"])
def test_patient_that_is_modified_cannot_be_read(modifiers: Any) -> None:
    body = hook_request(patient=patient(modifierExtension=modifiers, deceasedBoolean=True))

    assert prefetch.read_patient(parse_cds_request(json.dumps(body).encode())) is None
    assert decision(body).gaps == (Gap.PATIENT,)


DECISIONS: list[tuple[Json, str, list[str], str]] = [
    (
        {"bloodCounts": bundle(*(row | {"modifierExtension": NOT_SO} for row in draw()))},
        "indeterminate",
        ["missing-neutrophils", "missing-lymphocytes", "missing-platelets", "malformed"],
        "blood counts",
    ),
    (
        {"bloodCounts": bundle(*draw(), observation("718-7", 13, "g/dL", modifierExtension=NOT_SO))},
        "above-cutoff",
        [],
        "another test is none of ours",
    ),
    (
        {"conditions": bundle(condition(modifierExtension=NOT_SO))},
        "not-eligible",
        ["no-primary-liver-cancer", "malformed"],
        "the cancer",
    ),
    (
        {"procedures": bundle(procedure(modifierExtension=NOT_SO))},
        "not-eligible",
        ["no-interventional-procedure", "malformed"],
        "the procedure",
    ),
]


@pytest.mark.parametrize(("keys", "outcome", "reasons", "reason"), DECISIONS)
def test_decision_does_not_rest_on_what_is_modified(keys: Json, outcome: str, reasons: list[str], reason: str) -> None:
    found = assessment(hook_request(**keys))

    assert (found["outcome"], found.get("reasons", [])) == (outcome, reasons), reason
