"""Laboratory results of FHIR STU3 and R5 decide as the same results of R4 do.

The samples are R4; they are rewritten as the other versions write them, and the models of others say that they are.
"""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from fhir.resources.observation import Observation as R5Observation
from fhir.resources.R4B.observation import Observation as R4BObservation
from fhir.resources.STU3.observation import Observation as STU3Observation

from cds_service.cards.extension import assessment_extension
from cds_service.clinical.evidence import RULE_VERSION
from tests.clinical.test_samples import ROWS, Sample, hook
from tests.unit.normalization.reading import decided

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic import BaseModel

    from tests.support.charts import Json

DECIDED = [sample for sample in ROWS if sample.decision]


def as_stu3(observation: Json) -> Json:
    """Context instead of encounter, one interpretation, a comment instead of notes, related results."""
    old = {name: value for name, value in observation.items() if name not in {"encounter", "note", "interpretation"}}
    for name in ("partOf", "hasMember", "derivedFrom"):
        old.pop(name, None)
    old["context"] = observation.get("encounter", {"reference": "Encounter/e1"})
    old["interpretation"] = observation.get("interpretation", [{"text": "N"}])[0]
    old["comment"] = "drawn fasting"
    old["related"] = [{"type": "has-member", "target": {"reference": "Observation/other"}}]
    return old


def as_r5(observation: Json) -> Json:
    """With what only R5 knows: what triggered it, the structure examined, the definition that it follows."""
    return observation | {
        "triggeredBy": [{"observation": {"reference": "Observation/other"}, "type": "reflex"}],
        "bodyStructure": {"reference": "BodyStructure/b1"},
        "instantiatesCanonical": "https://laboratory.example/ObservationDefinition/cbc",
    }


VERSIONS = [
    (lambda observation: observation, R4BObservation, "R4 and R4B"),
    (as_stu3, STU3Observation, "STU3"),
    (as_r5, R5Observation, "R5"),
]


@pytest.mark.parametrize("sample", DECIDED, ids=str)
@pytest.mark.parametrize(("rewrite", "model", "version"), VERSIONS)
def test_result_of_another_fhir_version_decides_like_that_of_r4(
    sample: Sample, rewrite: Callable[[Json], Json], model: type[BaseModel], version: str
) -> None:
    request = hook(sample)
    rewritten = copy.deepcopy(request)
    found = [e for e in rewritten["prefetch"]["bloodCounts"]["entry"] if e["resource"]["resourceType"] == "Observation"]
    for entry in found:
        entry["resource"] = rewrite(entry["resource"])
        model.model_validate(entry["resource"])

    now = datetime.fromisoformat(f"{sample.today}T10:00:00").replace(tzinfo=UTC)
    told, expected = (
        assessment_extension(RULE_VERSION, decided(body, now).assessment) for body in (rewritten, request)
    )

    assert len(found) >= 3
    assert told == expected, version
    assert told["outcome"] == sample.outcome


@pytest.mark.parametrize(("rewrite", "model"), [(as_stu3, R5Observation), (as_r5, STU3Observation)])
def test_rewritten_result_is_of_one_version_alone(rewrite: Callable[[Json], Json], model: type[BaseModel]) -> None:
    """Otherwise the test above would prove nothing about versions."""
    observation = next(
        entry["resource"]
        for entry in hook(DECIDED[0])["prefetch"]["bloodCounts"]["entry"]
        if entry["resource"]["resourceType"] == "Observation"
    )

    with pytest.raises(ValueError, match="extra"):
        model.model_validate(rewrite(observation))
