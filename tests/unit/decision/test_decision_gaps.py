"""Optional data that nobody delivered are named on the card and in the extension, never passed over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from cds_service.cards.builder import CardBuilder
from cds_service.cards.extension import assessment_extension
from cds_service.clinical.evidence import RULE_VERSION
from cds_service.services.sii_recurrence_risk import SII_RECURRENCE_RISK as SII
from tests.support.charts import ALBUMIN, Json, bundle, condition, hook_request, observation, patient, procedure
from tests.unit.decision.asking import ASSUMING, SITE, decision

if TYPE_CHECKING:
    from cds_service.decision.site import Site

FAILED = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]}
NEXT = [{"relation": "next", "url": "https://ehr.example/fhir?page=2"}]
AGE = "Age or death was not checked"
NO_ALBUMIN = "none is shown, because the results could not be obtained completely"
SOME_ALBUMIN = "Not all albumin results could be obtained."

# What prefetch lacks or holds; the gaps; sentences on the card.
GAPS: list[tuple[tuple[str, ...], Json, list[str], list[str], str]] = [
    ((), {}, [], [], "everything delivered"),
    (("patient",), {}, ["patient"], [AGE], "no Patient key"),
    ((), {"patient": None}, ["patient"], [AGE], "the EHR looked and found no Patient"),
    ((), {"patient": FAILED}, ["patient"], [AGE], "the read of the Patient failed"),
    ((), {"patient": patient(meta=[], id=["p1"])}, ["patient"], [AGE], "a Patient that cannot be read"),
    ((), {"patient": patient(birthDate=7)}, ["patient"], [AGE], "a birth date that is no text"),
    ((), {"patient": patient(birthDate="20150101")}, ["patient"], [AGE], "a birth date that cannot be read"),
    ((), {"patient": patient(birthDate="0001-01-01")}, ["patient"], [AGE], "a placeholder for an unknown birth date"),
    ((), {"patient": patient(birthDate=None)}, [], [], "no birth date is recorded: nobody is left out for that"),
    ((), {"patient": patient(deceasedBoolean="no")}, ["patient"], [AGE], "a death that cannot be read"),
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


@pytest.mark.parametrize(
    ("members", "reasons", "reason"),
    [
        ({"birthDate": "20150101", "deceasedBoolean": True}, ["deceased"], "death counts beside an odd birth date"),
        ({"birthDate": 7, "deceasedBoolean": True}, ["deceased"], "and beside one that is no text"),
        ({"birthDate": "2015-01-01", "deceasedBoolean": "no"}, ["under-age"], "age counts beside an odd death"),
        ({"deceasedDateTime": "in spring"}, ["deceased"], "an odd date of death is a death"),
        ({"deceasedDateTime": 2026}, ["deceased"], "and so is one that is no text"),
    ],
)
def test_patient_partly_readable_counts_by_what_can_be_read(members: Json, reasons: list[str], reason: str) -> None:
    found = decision(hook_request(patient=patient(**members)))

    told = assessment_extension(RULE_VERSION, found.assessment, (), found.gaps)
    assert (told["outcome"], told["reasons"], told["notDelivered"]) == ("not-eligible", reasons, ["patient"]), reason


def test_patient_not_eligible_without_patient_resource_is_told_in_the_extension() -> None:
    found = decision(hook_request(without=("patient",), conditions=bundle()))

    assert assessment_extension(RULE_VERSION, found.assessment, (), found.gaps)["notDelivered"] == ["patient"]


NO_DIAGNOSES = "**Recurrence and metastasis could not be looked for:**"
NO_PROCEDURES = "**Interventional procedures could not be looked for:**"
SOME_DIAGNOSES = "**Not all diagnoses were delivered:**"
SOME_PROCEDURES = "**Not all interventional procedures were delivered:**"
DATES_NONE = "the chart dates no interventional procedure"
UNREADABLE = "**Some diagnoses or procedures could not be read:**"
ASSUMED_SENTENCES = {AGE, NO_DIAGNOSES, NO_PROCEDURES, SOME_DIAGNOSES, SOME_PROCEDURES, DATES_NONE, UNREADABLE}
# What prefetch lacks or holds where the EHR vouches for the patient; the gaps; sentences on the card.
ASSUMED: list[tuple[tuple[str, ...], Json, list[str], list[str], str]] = [
    ((), {}, [], [], "everything delivered"),
    ((), {"conditions": None, "procedures": None}, [], [DATES_NONE], "the EHR looked and found none"),
    ((), {"conditions": bundle(), "procedures": bundle()}, [], [DATES_NONE], "the same in Bundles"),
    ((), {"procedures": FAILED}, ["procedures"], [NO_PROCEDURES], "the search for procedures failed"),
    ((), {"procedures": "text"}, ["procedures"], [NO_PROCEDURES], "an answer that cannot be read"),
    (("procedures",), {}, ["procedures"], [NO_PROCEDURES], "nobody looked for procedures"),
    (
        (),
        {"procedures": bundle(procedure(), link=NEXT)},
        ["procedures"],
        [SOME_PROCEDURES, "50 days after the latest interventional procedure"],
        "one page of several",
    ),
    ((), {"procedures": bundle(total=9)}, ["procedures"], [SOME_PROCEDURES], "fewer than the total"),
    ((), {"procedures": bundle(link=NEXT)}, ["procedures"], [SOME_PROCEDURES], "an empty page of several"),
    ((), {"conditions": FAILED}, ["conditions"], [NO_DIAGNOSES], "the search for diagnoses failed"),
    (("conditions",), {}, ["conditions"], [NO_DIAGNOSES], "nobody looked for diagnoses"),
    ((), {"conditions": bundle(condition(), link=NEXT)}, ["conditions"], [SOME_DIAGNOSES], "one page of several"),
    (
        ("conditions",),
        {"procedures": bundle(procedure(), total=900)},
        ["conditions", "procedures"],
        [NO_DIAGNOSES, SOME_PROCEDURES, "50 days after the latest interventional procedure"],
        "diagnoses failed, a page of the procedures came",
    ),
    ((), {"procedures": bundle(procedure(performedDateTime=123))}, [], [UNREADABLE], "no procedure could be read"),
    (
        ("patient", "conditions", "procedures"),
        {},
        ["patient", "conditions", "procedures"],
        [AGE, NO_DIAGNOSES, NO_PROCEDURES],
        "nothing but blood counts",
    ),
]


@pytest.mark.parametrize(("without", "keys", "gaps", "sentences", "reason"), ASSUMED, ids=lambda value: str(value)[:40])
def test_decided_card_of_assumed_eligibility_names_what_was_not_delivered(
    without: tuple[str, ...], keys: Json, gaps: list[str], sentences: list[str], reason: str
) -> None:
    told, detail = told_and_shown(hook_request(without=without, **keys), ASSUMING)

    assert told["outcome"] == "above-cutoff", "what is not required never changes the outcome"
    assert told.get("notDelivered", []) == gaps, reason
    assert all(sentence in detail for sentence in sentences), reason
    assert not [other for other in ASSUMED_SENTENCES.difference(sentences) if other in detail], reason


def test_indeterminate_card_of_assumed_eligibility_names_what_was_not_delivered() -> None:
    request = hook_request(without=("conditions", "procedures"), bloodCounts=None)

    told, detail = told_and_shown(request, ASSUMING)

    assert (told["outcome"], told["notDelivered"]) == ("indeterminate", ["conditions", "procedures"])
    assert NO_DIAGNOSES in detail
    assert NO_PROCEDURES in detail


def test_page_missing_where_eligibility_is_required_is_no_gap_but_truncated() -> None:
    told, _ = told_and_shown(hook_request(procedures=bundle(procedure(), link=NEXT)))

    assert (told.get("notDelivered"), told["reasons"]) == (None, ["truncated"])


def told_and_shown(request: Json, site: Site = SITE) -> tuple[dict[str, Any], str]:
    found = decision(request, site)
    (card,) = CardBuilder(SII.voice, SITE.cards, SITE.policy, "m").build(found.assessment, lambda: "u", found.gaps)
    return assessment_extension(RULE_VERSION, found.assessment, (), found.gaps), card.detail or ""
