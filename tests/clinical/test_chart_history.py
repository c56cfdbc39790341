"""Diagnoses and procedures through the whole decision, and again from what its record keeps of them."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.cards.extension import assessment_extension
from cds_service.clinical.evidence import RULE_VERSION
from tests.clinical.test_replayed_charts import chart_of
from tests.support.charts import (
    ICD10CM,
    SNOMED,
    Json,
    bundle,
    condition,
    days_ago,
    hook_request,
    patient,
    procedure,
    status,
)
from tests.support.strategies import json_text
from tests.unit.normalization.reading import decided

CPT = "http://www.ama-assn.org/go/cpt"
PCS = "http://www.cms.gov/Medicare/Coding/ICD10"
EMBOLIZATION = "37243"
LUNG = "94391008"
SPREAD = "128462008"


def embolized(**members: Any) -> Json:
    """A completed embolization of tumors of any organ, 90 days ago."""
    return hook_request(procedures=bundle(procedure(EMBOLIZATION, CPT, **members)))


def site(text: str | None = None, code: str | None = None) -> list[Json]:
    coding = [{"system": SNOMED, "code": code}] if code else []
    return [{"coding": coding} | ({"text": text} if text else {})]


def why(text: str | None = None, code: str | None = None) -> list[Json]:
    coding = [{"system": ICD10CM, "code": code}] if code else []
    return [{"coding": coding} | ({"text": text} if text else {})]


def beside(*more: Json, **members: Any) -> Json:
    """The usual cancer and other diagnoses."""
    return hook_request(conditions=bundle(condition(), *more), **members)


def second(code: str, status_code: str = "completed", *, system: str = SNOMED, ago: int = 60, **members: Any) -> Json:
    """The usual ablation 90 days ago and another procedure; the draw is 40 days old."""
    other = procedure(code, system, when=days_ago(ago)[:10], status=status_code, id="other", **members)
    return hook_request(procedures=bundle(procedure(), other))


ELSEWHERE, OTHER = {"body-site-elsewhere": 1}, {"other-indication": 1}
NOT_CONFIRMED = {"status-not-accepted": 1}
ABOVE, NOT_ELIGIBLE, OPEN = "above-cutoff", "not-eligible", "indeterminate"

SITES: list[tuple[Json, str, dict[str, int], str]] = [
    (embolized(), ABOVE, {}, "no site: counts"),
    (embolized(bodySite=site("Uterus")), NOT_ELIGIBLE, ELSEWHERE, "another organ, by its name"),
    (embolized(bodySite=site(code="78961009")), NOT_ELIGIBLE, ELSEWHERE, "and by its code"),
    (embolized(bodySite=site(code="18639004")), NOT_ELIGIBLE, ELSEWHERE, "one of two kidneys"),
    (embolized(bodySite=site(code="3341006")), NOT_ELIGIBLE, ELSEWHERE, "one of two lungs"),
    (embolized(bodySite=site("left NIERE")), NOT_ELIGIBLE, ELSEWHERE, "in another language, in any case"),
    (embolized(bodySite=site("脾脏")), NOT_ELIGIBLE, ELSEWHERE, "in a script without spaces"),
    (embolized(bodySite=site("splenic artery")), ABOVE, {}, "a vessel says nothing"),
    (embolized(bodySite=site("right upper quadrant")), ABOVE, {}, "nor does a region"),
    (embolized(bodySite=site("kidneybean")), ABOVE, {}, "nor a part of a word"),
    (embolized(bodySite=[*site("Spleen"), *site(code="10200004")]), ABOVE, {}, "the liver wins"),
    (embolized(bodySite={"text": "Lung"}), NOT_ELIGIBLE, ELSEWHERE, "one site where FHIR has a list"),
    (embolized(bodySite="Lung"), ABOVE, {}, "what cannot be read says nothing, and makes nothing malformed"),
    (embolized(reasonCode=why("GI bleeding")), NOT_ELIGIBLE, OTHER, "another reason, by a word"),
    (embolized(reasonCode=why(code="D73.1")), NOT_ELIGIBLE, OTHER, "and by a code"),
    (embolized(reasonCode=why(code="S36.115A")), NOT_ELIGIBLE, OTHER, "below the code of the table"),
    (embolized(reasonCode=why(code="C78.7")), NOT_ELIGIBLE, OTHER, "a secondary tumor of the liver"),
    (embolized(reasonCode=why(code="C79.51")), NOT_ELIGIBLE, OTHER, "a metastasis elsewhere"),
    (embolized(reasonCode=why("ruptured HCC, bleeding")), ABOVE, {}, "liver cancer wins"),
    (embolized(reasonCode=[*why(code="R58"), *why(code="C22.0")]), ABOVE, {}, "by code, too"),
    (embolized(reasonCode=why("portal hypertension")), ABOVE, {}, "an unknown reason says nothing"),
    (
        beside(
            condition("D25.9", id="fibroid"),
            procedures=bundle(procedure(EMBOLIZATION, CPT, reasonReference=[{"reference": "Condition/fibroid"}])),
        ),
        NOT_ELIGIBLE,
        OTHER,
        "a reason that points to a diagnosis",
    ),
    (
        embolized(reasonReference=[{"reference": "Condition/elsewhere", "display": "Uterine fibroid"}]),
        NOT_ELIGIBLE,
        OTHER,
        "a reason that is only named",
    ),
    (
        embolized(reasonReference={"display": "HCC"}, reasonCode=why("bleeding")),
        ABOVE,
        {},
        "one named so wins, too",
    ),
    (embolized(reasonCode=why("lesión hepática")), ABOVE, {}, "in Spanish a lesion of the liver may be a tumor"),
    (
        hook_request(procedures=bundle(procedure(bodySite=site("kidney")))),
        NOT_ELIGIBLE,
        ELSEWHERE,
        "a code of the liver at another organ",
    ),
]

DATES: list[tuple[Json, str, dict[str, int], str]] = [
    (
        hook_request(
            conditions=bundle(condition(onsetDateTime=days_ago(60)[:10])), procedures=bundle(procedure("04L33DZ", PCS))
        ),
        ABOVE,
        {},
        "a weak code, the cancer recorded 30 days later",
    ),
    (
        hook_request(
            conditions=bundle(condition(onsetDateTime=days_ago(59)[:10])), procedures=bundle(procedure("04L33DZ", PCS))
        ),
        NOT_ELIGIBLE,
        {"diagnosis-after-procedure": 1},
        "31 days later",
    ),
    (
        hook_request(conditions=bundle(condition(onsetDateTime=None)), procedures=bundle(procedure("04L33DZ", PCS))),
        ABOVE,
        {},
        "undated passes",
    ),
    (
        hook_request(
            conditions=bundle(condition(onsetDateTime=days_ago(59)[:10]), condition("Z85.05")),
            procedures=bundle(procedure("04L33DZ", PCS)),
        ),
        ABOVE,
        {},
        "and so does a history",
    ),
    (
        hook_request(conditions=bundle(condition(onsetDateTime=days_ago(10)[:10]))),
        ABOVE,
        {},
        "a code that names the therapy counts",
    ),
]

WINDOWS: list[tuple[Json, str, dict[str, int], str]] = [
    (second("609232008", "in-progress"), OPEN, NOT_CONFIRMED, "in progress 20 days before the draw"),
    (second("609232008", "on-hold"), OPEN, NOT_CONFIRMED, "on hold"),
    (second("609232008", "stopped"), OPEN, NOT_CONFIRMED, "stopped"),
    (second("609232008", "unknown"), OPEN, NOT_CONFIRMED, "nobody knows what became of it"),
    (second("609232008", "not-done"), ABOVE, NOT_CONFIRMED, "never begun"),
    (second("609232008", "preparation"), ABOVE, NOT_CONFIRMED, "not begun yet"),
    (second("609232008", "stopped", ago=68), ABOVE, NOT_CONFIRMED, "28 days before the draw"),
    (second("609232008", "stopped", ago=67), OPEN, NOT_CONFIRMED, "27 days before the draw"),
    (second("609232008", "stopped", ago=39), ABOVE, NOT_CONFIRMED, "the day after the draw"),
    (
        second("609232008", "in-progress", performedDateTime=None, performedPeriod={"start": days_ago(60)[:10]}),
        OPEN,
        NOT_CONFIRMED,
        "an open Period counts by its start",
    ),
    (
        second("609232008", "stopped", performedDateTime=days_ago(60)[:7]),
        ABOVE,
        NOT_CONFIRMED,
        "known to the month: closes nothing",
    ),
    (second(EMBOLIZATION, "stopped", system=CPT, bodySite=site("Uterus")), ABOVE, NOT_CONFIRMED, "at another organ"),
    (second("107963000"), OPEN, {}, "a resection of the liver"),
    (second("47120", system=CPT), OPEN, {}, "by its code of billing"),
    (second("47135", system=CPT), NOT_ELIGIBLE, {}, "a transplant after the ablation, by its code of billing"),
    (second("107963000", "stopped"), OPEN, {}, "one that was stopped"),
    (second("18027006", ago=120), ABOVE, {}, "a transplant before the ablation"),
    (second("18027006", ago=90), NOT_ELIGIBLE, {}, "a transplant on its day"),
    (second("14072009"), ABOVE, {}, "an operation on the gullet closes nothing"),
]

SPREAD_OUT: list[tuple[Json, str, dict[str, int], str]] = [
    (beside(condition(LUNG, SNOMED)), NOT_ELIGIBLE, {}, "a lung metastasis from before the procedure"),
    (beside(condition(SPREAD, SNOMED)), NOT_ELIGIBLE, {}, "a metastasis of no named organ"),
    (
        beside(condition(SPREAD, SNOMED, bodySite=site(code="10200004"))),
        ABOVE,
        {},
        "in the liver, before it",
    ),
    (
        beside(condition(SPREAD, SNOMED, bodySite=site("liver and lung"))),
        NOT_ELIGIBLE,
        {},
        "and elsewhere",
    ),
    (
        beside(condition(LUNG, SNOMED, verificationStatus=status("condition-ver-status", "provisional"))),
        ABOVE,
        NOT_CONFIRMED,
        "a suspicion decides nothing",
    ),
    (
        beside(condition(LUNG, SNOMED, verificationStatus=status("condition-ver-status", "refuted"))),
        ABOVE,
        NOT_CONFIRMED,
        "refuted",
    ),
    (
        beside(condition(LUNG, SNOMED, clinicalStatus=status("condition-clinical", "resolved"))),
        ABOVE,
        {},
        "resolved, and from before the procedure",
    ),
    (
        beside(
            condition(
                LUNG,
                SNOMED,
                clinicalStatus=status("condition-clinical", "resolved"),
                category=[status("condition-category", "encounter-diagnosis")],
            )
        ),
        NOT_ELIGIBLE,
        {},
        "resolved with the encounter it was written down for",
    ),
    (
        hook_request(patient=patient(link=[{"other": {"reference": "Patient/p2"}, "type": "replaced-by"}])),
        NOT_ELIGIBLE,
        {},
        "a record that was merged into another",
    ),
    (hook_request(patient=patient(link=[{"type": "seealso"}])), ABOVE, {}, "a link to another record of the person"),
]


@pytest.mark.parametrize(("request_body", "outcome", "exclusions", "reason"), [*SITES, *DATES, *WINDOWS, *SPREAD_OUT])
def test_history_is_judged_and_kept(request_body: Json, outcome: str, exclusions: dict[str, int], reason: str) -> None:
    decision = decided(json_text(request_body))
    found = assessment_extension(RULE_VERSION, decision.assessment, decision.facts.excluded_reasons)
    then, now = chart_of(json_text(request_body))

    assert (found["outcome"], found.get("chartExclusions", {})) == (outcome, exclusions), (reason, found)
    assert then == now, reason
