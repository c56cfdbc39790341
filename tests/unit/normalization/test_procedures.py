"""Procedures: which ones were interventional, done, and when."""

from __future__ import annotations

import pytest

from cds_service.acquisition.resources import Procedure
from cds_service.clinical.chart_facts import ProcedureFact
from cds_service.clinical.reasons import Reason
from cds_service.normalization.eligibility_facts import ExcludedFact
from tests.support.charts import ABLATION, SNOMED, Json, procedure
from tests.unit.normalization.reading import fact_reader, typed

PCS = "http://www.cms.gov/Medicare/Coding/ICD10"
ICD9CM = "http://hl7.org/fhir/sid/icd-9-cm"
CPT = "http://www.ama-assn.org/go/cpt"
METASTASES = "314617008"
CYST = "712539007"
# Left out, not refused: yttrium-90 treatment of any organ.
UNSPECIFIC = "228697004"


def facts(resource: Json) -> list[ProcedureFact | ExcludedFact]:
    return list(fact_reader().read_procedures([typed(Procedure, resource)]))


def judged(resource: Json) -> str:
    """Return the day of a procedure that counts, "undated", the reason of the exclusion, or "ignored"."""
    found = facts(resource)
    assert len(found) <= 1
    if not found:
        return "ignored"
    if isinstance(found[0], ExcludedFact):
        return str(found[0].reason)
    return found[0].performed.isoformat() if found[0].performed is not None else "undated"


def span(members: Json) -> str:
    """Return the first and last moment at which a procedure that counts may have been."""
    undated: Json = {"performedDateTime": None}
    (found,) = facts(procedure(**(undated | members)))
    assert isinstance(found, ProcedureFact)
    assert found.performed is not None
    return f"{found.performed.first.isoformat()} {found.performed.last.isoformat()}"


CODES = [
    (ABLATION, SNOMED, "ablation/microwave", "percutaneous microwave ablation"),
    ("448540000", SNOMED, "ablation/microwave", "laparoscopic"),
    ("709020001", SNOMED, "ablation/microwave", "open"),
    ("708625004", SNOMED, "ablation/radiofrequency", ""),
    ("441525007", SNOMED, "embolization/chemo", "of any artery; the cancer is asked for as well"),
    ("720379009", SNOMED, "infusion/hepatic-artery-chemotherapy", ""),
    ("764677008", SNOMED, "brachytherapy/radioembolization", ""),
    ("426713000", SNOMED, "ablation/chemical", ""),
    ("0F503ZZ", PCS, "ablation/unspecified", ""),
    ("0f503zz", PCS, "ablation/unspecified", "lower case"),
    ("04L33DZ", PCS, "embolization/hepatic-artery", ""),
    ("47382", CPT, "ablation/radiofrequency-or-microwave", ""),
    ("50.24", ICD9CM, "ablation/unspecified", ""),
    ("5024", "urn:oid:2.16.840.1.113883.6.104", "ablation/unspecified", "without the dot, by the procedures' OID"),
]


@pytest.mark.parametrize(("code", "system", "therapy", "reason"), CODES)
def test_qualifying_procedure_is_given_its_therapy(code: str, system: str, therapy: str, reason: str) -> None:
    (fact,) = facts(procedure(code, system))

    assert isinstance(fact, ProcedureFact)
    assert fact.therapy == therapy, reason


NOT_OURS = [
    ("107963000", SNOMED, "resection of the liver"),
    ("18027006", SNOMED, "transplantation"),
    ("50.22", ICD9CM, "partial hepatectomy"),
    (METASTASES, SNOMED, "of metastases"),
    (CYST, SNOMED, "of a cyst"),
    (UNSPECIFIC, SNOMED, "of any organ"),
    ("99.25", ICD9CM, "chemotherapy by any route"),
    (ABLATION, "", "no system, no match"),
    (ABLATION, PCS, "another system"),
    (f"{ABLATION} ", SNOMED, "a space makes another code"),
    ("C22.0", ICD9CM, "a diagnosis"),
]


@pytest.mark.parametrize(("code", "system", "reason"), NOT_OURS)
def test_other_procedure_is_ignored(code: str, system: str, reason: str) -> None:
    assert judged(procedure(code, system)) == "ignored", reason


@pytest.mark.parametrize("concept", [None, {}, {"text": "TACE"}, {"coding": [{"code": ABLATION}]}])
def test_procedure_without_a_known_coding_is_ignored(concept: Json | None) -> None:
    assert judged(procedure(code=concept)) == "ignored"


def coded(*codes: str) -> Json:
    return procedure(code={"coding": [{"system": SNOMED, "code": code} for code in codes]}, when="2026-08-25")


@pytest.mark.parametrize(
    ("codes", "expected", "reason"),
    [
        ((ABLATION, METASTASES), "code-conflict", "ours, and one of metastases"),
        ((CYST, ABLATION), "code-conflict", "one of a cyst, and ours"),
        ((METASTASES, UNSPECIFIC), "ignored", "none of ours"),
        ((UNSPECIFIC, ABLATION), "2026-08-25", "a code that is merely unspecific takes nothing back"),
        (("123", ABLATION), "2026-08-25", "an unknown code beside ours"),
        ((ABLATION, "441525007"), "2026-08-25", "two of ours"),
    ],
)
def test_refused_code_beside_an_accepted_one_is_a_conflict(codes: tuple[str, ...], expected: str, reason: str) -> None:
    assert judged(coded(*codes)) == expected, reason


@pytest.mark.parametrize(
    "status",
    [
        "preparation",
        "in-progress",
        "not-done",
        "on-hold",
        "stopped",
        "entered-in-error",
        "unknown",
        "Completed",
        "",
        None,
    ],
)
def test_procedure_that_is_not_completed_does_not_count(status: str | None) -> None:
    assert judged(procedure(status=status)) == "status-not-accepted"


# Today is 23 November 2026, 11:00 at the site.
DATES = [
    ({"performedDateTime": "2026-08-25"}, "2026-08-25", "a day"),
    ({"performedDateTime": "2026-08-25T23:30:00Z"}, "2026-08-26T01:30:00+02:00", "a moment, at the site"),
    ({"performedDateTime": "2026-02"}, "2026-02", "a month"),
    ({"performedDateTime": "2025"}, "2025", "a year"),
    ({"performedDateTime": "2026-11"}, "2026-11", "this month"),
    ({"performedDateTime": "2026"}, "2026", "this year"),
    ({"performedDateTime": "2026-11-23"}, "2026-11-23", "today"),
    ({"performedDateTime": "2026-11-24"}, "future-time", "tomorrow"),
    ({"performedDateTime": "2026-12"}, "future-time", "next month"),
    ({"performedDateTime": "2027"}, "future-time", "next year"),
    ({"performedDateTime": "2026-11-23T10:10:00Z"}, "2026-11-23T11:10:00+01:00", "ten minutes ahead, inclusive"),
    ({"performedDateTime": "2026-11-23T10:10:01Z"}, "future-time", "a second more"),
    ({"performedPeriod": {"start": "2026-08-25", "end": "2026-08-27"}}, "2026-08-25/2026-08-27", "a Period"),
    ({"performedPeriod": {"start": "2026-08-25"}}, "2026-08-25", "one limit alone"),
    ({"performedPeriod": {"end": "2026-08"}}, "2026-08", "the other alone"),
    (
        {"performedPeriod": {"start": "2026-08-25", "end": "2026-12-01"}},
        "2026-08-25/2026-12-01",
        "it began, and what is completed is done",
    ),
    ({"performedPeriod": {"start": "2026-11-24", "end": "2026-12-01"}}, "future-time", "begins ahead"),
    ({"performedPeriod": {"end": "2026-12-01"}}, "future-time", "one limit, ahead"),
    (
        {"performedPeriod": {"start": "2026-08-25T08:00:00", "end": "2026-08-25T09:00:00"}},
        "2026-08-25T08:00:00+02:00/2026-08-25T09:00:00+02:00",
        "an hour",
    ),
    ({"performedPeriod": {"start": "2026-08-25", "end": "soon"}}, "undated", "how long it lasted cannot be read"),
    ({"performedPeriod": {"start": "soon", "end": "2026-08-25"}}, "2026-08-25", "when it began cannot be read"),
    ({"performedDateTime": "0001-01-01"}, "undated", "a placeholder for an unknown day"),
    ({"performedDateTime": "0001-01-01T00:00:00Z"}, "undated", "the same with a time"),
    ({"performedDateTime": "1753-01-01"}, "undated", "another placeholder"),
    ({"performedDateTime": "1899-12-31"}, "undated", "the last day that is taken for one"),
    ({"performedDateTime": "1899"}, "undated", "the last year"),
    ({"performedDateTime": "1900-01-01"}, "1900-01-01", "the first day that is not"),
    ({"performedDateTime": "1900-01-01T10:00:00+01:00"}, "1900-01-01T10:00:00+01:00", "the same with a time"),
    ({"performedDateTime": "1899-12-31T10:00:00+01:00"}, "undated", "the day before it with a time"),
    ({"performedPeriod": {"start": "0001-01-01", "end": "2026-08-25"}}, "2026-08-25", "beginning unknown"),
    ({"performedPeriod": {"start": "2026-08-25", "end": "0001-01-01"}}, "undated", "end unknown"),
    ({"performedPeriod": {}}, "undated", "an empty Period"),
    ({}, "undated", "no date qualifies all the same"),
    ({"performedDateTime": ""}, "undated", "an empty text"),
    ({"performedDateTime": "last spring"}, "undated", "a date that cannot be read"),
    ({"performedDateTime": "2026-02-30"}, "undated", "no day of the calendar"),
    ({"performedString": "2026-08-25"}, "undated", "a text is no date"),
    ({"performedAge": {"value": 60}}, "undated", "an age is no date"),
]


@pytest.mark.parametrize(("members", "expected", "reason"), DATES)
def test_procedure_keeps_its_date_as_recorded(members: Json, expected: str, reason: str) -> None:
    undated: Json = {"performedDateTime": None}

    assert judged(procedure(**(undated | members))) == expected, reason


DAY_ALONE = {"start": "2026-08-25", "end": "2026-08-25T12:00:00"}
SPANS = [
    ({"performedDateTime": "2026-08-25"}, "2026-08-25 2026-08-25", "a day"),
    (
        {"performedDateTime": "2026-08-25T23:30:00Z"},
        "2026-08-26T01:30:00+02:00 2026-08-26T01:30:00+02:00",
        "a moment, at the site",
    ),
    ({"performedDateTime": "2026-02"}, "2026-02-01 2026-02-28", "a month from its first day to its last"),
    ({"performedDateTime": "2026"}, "2026-01-01 2026-12-31", "a year, be its last day ahead"),
    ({"performedPeriod": {"start": "2026-08-25", "end": "2026-08-27"}}, "2026-08-25 2026-08-27", "a Period"),
    ({"performedPeriod": {"start": "2026-02", "end": "2026-03"}}, "2026-02-01 2026-03-31", "of months"),
    ({"performedPeriod": {"start": "2026", "end": "2026-03-15"}}, "2026-01-01 2026-03-15", "its end is more precise"),
    ({"performedPeriod": {"start": "2026-03-15", "end": "2026"}}, "2026-03-15 2026-12-31", "its beginning is"),
    (
        {"performedPeriod": {"start": "2026-08-25T08:00:00", "end": "2026-08-25"}},
        "2026-08-25T08:00:00+02:00 2026-08-25",
        "its hour of beginning alone is known",
    ),
    ({"performedPeriod": DAY_ALONE}, "2026-08-25 2026-08-25T12:00:00+02:00", "its hour of ending alone is"),
    ({"performedPeriod": {"start": "2026-08-25"}}, "2026-08-25 2026-08-25", "no end"),
    (
        {"performedPeriod": {"start": "2026-08-25T08:00:00"}},
        "2026-08-25T08:00:00+02:00 2026-08-25T08:00:00+02:00",
        "no end, and an hour",
    ),
    (
        {"performedPeriod": {"end": "2026-08-25T12:00:00"}},
        "2026-08-25 2026-08-25T12:00:00+02:00",
        "no beginning: that day, at no known hour",
    ),
    ({"performedPeriod": {"end": "2026-08"}}, "2026-08-01 2026-08-31", "no beginning, and a month"),
    ({"performedPeriod": {"start": "2026-08-27", "end": "2026-08-25"}}, "2026-08-25 2026-08-27", "the wrong way round"),
    (
        {"performedPeriod": {"start": "2026-08-25T12:00:00", "end": "2026-08-25T08:00:00"}},
        "2026-08-25T08:00:00+02:00 2026-08-25T12:00:00+02:00",
        "within a day likewise",
    ),
]


@pytest.mark.parametrize(("members", "expected", "reason"), SPANS)
def test_procedure_may_have_been_from_its_first_moment_to_its_last(members: Json, expected: str, reason: str) -> None:
    assert span(members) == expected, reason


ORDER = [
    ({"subject": {"reference": "Patient/p2"}, "status": "stopped"}, "subject-mismatch", "whose comes first"),
    ({"subject": None}, "subject-missing", ""),
    ({"status": "stopped", "performedDateTime": "2027"}, "status-not-accepted", "then whether it was done"),
    (coded(ABLATION, CYST) | {"performedDateTime": "2027"}, "future-time", "then when, before what else it may be"),
]


@pytest.mark.parametrize(("members", "expected", "reason"), ORDER)
def test_first_no_names_the_one_reason(members: Json, expected: str, reason: str) -> None:
    assert judged(procedure(**members)) == expected, reason


def test_fact_names_its_reference_and_code() -> None:
    (fact,) = facts(procedure(id="pr"))
    (refused,) = facts(procedure(id="pr", status="stopped"))

    assert (fact.reference, fact.code) == ("Procedure/pr", ABLATION)
    assert refused == ExcludedFact("Procedure", "Procedure/pr", ABLATION, Reason.STATUS_NOT_ACCEPTED)


def test_procedure_carries_its_version_and_whether_its_code_is_weak() -> None:
    weak, strong = "29978008", ABLATION
    codings = {"coding": [{"system": SNOMED, "code": code} for code in (weak, strong)]}
    both, alone = procedure(code=codings, meta={"versionId": "7"}), procedure(weak, meta={"versionId": "8"})

    found = [fact for resource in (both, alone) for fact in facts(resource) if isinstance(fact, ProcedureFact)]

    assert [(fact.code, fact.version, fact.weak) for fact in found] == [(strong, "7", False), (weak, "8", True)]
