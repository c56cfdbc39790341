"""Diagnoses and procedures that one of their versions takes back."""

from __future__ import annotations

import pytest

from tests.support.charts import Json, bundle, condition, hook_request, procedure, status
from tests.unit.decision.asking import assessment, decision

IN_ERROR = status("condition-ver-status", "entered-in-error")
NO_CANCER: Json = {"resourceType": "Condition", "id": "cancer", "verificationStatus": IN_ERROR}
NO_THERAPY: Json = {"resourceType": "Procedure", "id": "therapy", "status": "entered-in-error"}

VERSIONS: list[tuple[Json, str, str]] = [
    ({"conditions": [condition(id="cancer"), NO_CANCER]}, "no-primary-liver-cancer", "only its id is left"),
    (
        {"conditions": [condition(id="cancer"), condition(id="cancer", verificationStatus=IN_ERROR)]},
        "no-primary-liver-cancer",
        "all is left of it",
    ),
    ({"conditions": [condition(id="other"), NO_CANCER]}, "", "another diagnosis"),
    ({"conditions": [condition(id="cancer"), NO_CANCER, condition(id="other")]}, "", "another one says it too"),
    ({"conditions": [condition(id=None), NO_CANCER | {"id": None}]}, "", "nobody knows which one"),
    (
        {"conditions": [condition(), condition("C78.7", id="spread"), NO_CANCER | {"id": "spread"}]},
        "",
        "a metastasis that was none",
    ),
    ({"conditions": [condition(id="cancer"), condition(id="cancer")]}, "", "the same twice"),
    ({"procedures": [procedure(id="therapy"), NO_THERAPY]}, "no-interventional-procedure", "a procedure"),
    ({"procedures": [procedure(id="other"), NO_THERAPY]}, "", "another procedure"),
    (
        {"procedures": [procedure(id="therapy"), procedure(id="therapy", status="unknown")]},
        "",
        "a status that does not count says nothing of other versions",
    ),
]


@pytest.mark.parametrize(("keys", "refusal", "reason"), VERSIONS)
def test_what_a_version_takes_back_does_not_count(keys: dict[str, list[Json]], refusal: str, reason: str) -> None:
    for turn in (1, -1):
        sent: Json = {key: bundle(*resources[::turn]) for key, resources in keys.items()}
        found = assessment(hook_request(**sent))

        assert found["outcome"] == ("not-eligible" if refusal else "above-cutoff"), reason
        assert not refusal or found["reasons"] == [refusal]


def test_what_is_taken_back_is_told_as_excluded() -> None:
    keys: Json = {"conditions": bundle(condition(id="cancer"), NO_CANCER)}

    (told,) = decision(hook_request(**keys)).facts.excluded

    assert (told.reference, told.code, told.reason) == ("Condition/cancer", "C22.0", "status-not-accepted")
