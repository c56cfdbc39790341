"""Optional data that nobody delivered are named on the card and in the extension, never passed over."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.cards.builder import CardBuilder
from cds_service.cards.extension import assessment_extension
from tests.support.charts import ALBUMIN, Json, bundle, hook_request, observation, patient
from tests.unit.services.asking import SITE, decision

FAILED = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]}
NEXT = [{"relation": "next", "url": "https://ehr.example/fhir?page=2"}]
AGE = "Age and death were not checked"
NO_ALBUMIN = "none is shown, because the results could not be obtained completely"
SOME_ALBUMIN = "Not all albumin results could be obtained."

# What prefetch lacks or holds; the gaps; sentences on the card.
GAPS: list[tuple[tuple[str, ...], Json, list[str], list[str], str]] = [
    ((), {}, [], [], "everything delivered"),
    (("patient",), {}, ["patient"], [AGE], "no Patient key"),
    ((), {"patient": None}, ["patient"], [AGE], "the EHR looked and found no Patient"),
    ((), {"patient": FAILED}, ["patient"], [AGE], "the read of the Patient failed"),
    ((), {"patient": patient(birthDate=7)}, ["patient"], [AGE], "a Patient that cannot be read"),
    (("albumin",), {}, ["albumin"], [NO_ALBUMIN], "no albumin key"),
    ((), {"albumin": FAILED}, ["albumin"], [NO_ALBUMIN], "the albumin search failed"),
    ((), {"albumin": None}, [], ["no usable result in the data"], "the EHR looked and found none"),
    (
        (),
        {"albumin": bundle(observation(ALBUMIN, 38, "g/L"), link=NEXT)},
        ["albumin"],
        [SOME_ALBUMIN, "38 g/L"],
        "one page of several",
    ),
    (("patient", "albumin"), {}, ["patient", "albumin"], [AGE, NO_ALBUMIN], "neither"),
]
SENTENCES = {AGE, NO_ALBUMIN, SOME_ALBUMIN}


@pytest.mark.parametrize(("without", "keys", "gaps", "sentences", "reason"), GAPS, ids=lambda value: str(value)[:40])
def test_decided_card_names_what_was_not_delivered(
    without: tuple[str, ...], keys: Json, gaps: list[str], sentences: list[str], reason: str
) -> None:
    told, detail = told_and_shown(hook_request(without=without, **keys))

    assert told["outcome"] == "above-cutoff", "optional data never change the outcome"
    assert told.get("notDelivered", []) == gaps, reason
    assert all(sentence in detail for sentence in sentences), reason
    assert not [other for other in SENTENCES.difference(sentences) if other in detail], reason


def test_indeterminate_card_names_a_patient_that_was_not_delivered() -> None:
    told, detail = told_and_shown(hook_request(without=("patient",), bloodCounts=None))

    assert told["outcome"] == "indeterminate"
    assert told["notDelivered"] == ["patient"]
    assert AGE in detail


def test_patient_not_eligible_without_patient_resource_is_told_in_the_extension() -> None:
    found = decision(hook_request(without=("patient",), conditions=bundle()))

    assert assessment_extension(found.assessment, (), found.gaps)["notDelivered"] == ["patient"]


def told_and_shown(request: Json) -> tuple[dict[str, Any], str]:
    found = decision(request)
    (card,) = CardBuilder(SITE.cards, SITE.policy, "m").build(found.assessment, lambda: "u", found.gaps)
    return assessment_extension(found.assessment, (), found.gaps), card.detail or ""
