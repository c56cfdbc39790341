"""Conditions: which diagnoses make a patient eligible, which say that the cancer came back, and which do neither."""

from __future__ import annotations

from datetime import date

import pytest

from cds_service.acquisition.resources import Condition
from cds_service.clinical.chart_facts import ConditionFact
from cds_service.normalization.eligibility_facts import ExcludedFact
from tests.support.charts import ICD10CM, SNOMED, Json, condition, status
from tests.unit.normalization.reading import fact_reader, typed

ICD10 = "http://hl7.org/fhir/sid/icd-10"
ICD9CM = "http://hl7.org/fhir/sid/icd-9-cm"


def facts(resource: Json, patients: dict[str, str] | None = None) -> list[ConditionFact | ExcludedFact]:
    return list(fact_reader(patients).read_conditions([typed(Condition, resource)]))


def judged(resource: Json) -> str:
    """Return the category, the reason of the exclusion, or "ignored"."""
    found = facts(resource)
    assert len(found) <= 1
    if not found:
        return "ignored"
    return found[0].category if isinstance(found[0], ConditionFact) else str(found[0].reason)


CODES = [
    *((code, ICD10CM, "primary", "") for code in ("C22.0", "C22.1", "C22.7", "C22.8")),
    *((code, ICD10, "primary", "") for code in ("C22.0", "C22.1", "C22.7", "C22.9")),
    ("155.0", ICD9CM, "primary", ""),
    ("Z94.4", ICD10CM, "transplant-status", "a transplanted liver"),
    ("155.1", ICD9CM, "primary", ""),
    ("109841003", SNOMED, "primary", "hepatocellular carcinoma"),
    ("95214007", SNOMED, "primary", ""),
    ("187769009", SNOMED, "primary", ""),
    ("253018005", SNOMED, "primary", ""),
    ("274902006", SNOMED, "primary", ""),
    ("109842005", SNOMED, "primary", ""),
    ("447109003", SNOMED, "primary", ""),
    ("408646000", SNOMED, "primary", ""),
    ("Z85.05", ICD10CM, "history", "cancer of the past"),
    ("C77.2", ICD10CM, "metastasis", "lymph node metastasis, any site"),
    ("C78.7", ICD10CM, "secondary", "liver metastasis"),
    ("C78.00", ICD10CM, "metastasis", "lung metastasis, five characters"),
    ("C79.51", ICD10CM, "metastasis", "bone metastasis"),
    ("C79", ICD10, "metastasis", "the chapter itself"),
    ("C7B.02", ICD10CM, "secondary", "carcinoid metastasis in the liver"),
    ("197.7", ICD9CM, "secondary", ""),
    ("94381002", SNOMED, "secondary", ""),
    ("314963000", SNOMED, "recurrence", "local recurrence"),
    ("C22.9", ICD10CM, "ignored", "primary or secondary not stated"),
    ("155.2", ICD9CM, "ignored", "primary or secondary not stated"),
    ("93870000", SNOMED, "ignored", "the parent of primary and secondary"),
    ("D13.4", ICD10CM, "ignored", "benign"),
    ("D37.6", ICD10CM, "ignored", "uncertain"),
    ("K74.60", ICD10CM, "ignored", "cirrhosis: for the reader only"),
    ("C22", ICD10CM, "ignored", "a header, not a code"),
    ("C22.8", ICD10, "ignored", "the WHO edition has no such code"),
    ("C22.01", ICD10CM, "ignored", "a code below that does not exist"),
    ("C7", ICD10CM, "ignored", "shorter than a prefix row"),
    ("C77", SNOMED, "ignored", "an ICD code under SNOMED CT"),
    ("C220", ICD10CM, "primary", "without the dot"),
    ("c22.0", ICD10CM, "primary", "lower case"),
    (" c220 ", ICD10CM, "primary", "lower case, no dot, spaces"),
    ("1550", ICD9CM, "primary", "without the dot"),
    ("C787", ICD10CM, "secondary", "below a prefix, without the dot"),
    ("C22.0", "urn:oid:2.16.840.1.113883.6.90", "primary", "the OID of ICD-10-CM"),
    ("C22.0", "urn:oid:2.16.840.1.113883.6.3", "primary", "the OID of ICD-10"),
    ("155.0", "urn:oid:2.16.840.1.113883.6.103", "primary", "the OID of ICD-9-CM"),
    ("109841003", "urn:oid:2.16.840.1.113883.6.96", "primary", "the OID of SNOMED CT"),
    ("C22.0", "2.16.840.1.113883.6.90", "ignored", "an OID without urn:oid"),
    ("C22.0", "http://hl7.org/fhir/sid/icd-10-gm", "ignored", "a national edition is added by the site"),
    ("C22.0", "", "ignored", "no system, no match"),
    ("109841003 ", SNOMED, "ignored", "SNOMED CT ids are compared as they are"),
    ("", ICD10CM, "ignored", "no code"),
]


@pytest.mark.parametrize(("code", "system", "expected", "reason"), CODES)
def test_diagnosis_code_is_given_its_category(code: str, system: str, expected: str, reason: str) -> None:
    assert judged(condition(code, system)) == expected, reason


@pytest.mark.parametrize(
    ("concept", "reason"),
    [
        (None, "no code element"),
        ({"text": "Hepatocellular carcinoma"}, "a text is never read"),
        ({"coding": [{"code": "C22.0"}]}, "no system, no match"),
        ({"coding": [{"system": ICD10CM}]}, "no code"),
    ],
)
def test_condition_without_a_known_coding_is_ignored(concept: Json | None, reason: str) -> None:
    assert judged(condition(code=concept)) == "ignored", reason


def test_coding_list_gives_one_fact_for_each_category() -> None:
    codings = [
        {"system": system, "code": code}
        for system, code in ((ICD10CM, "C22.0"), (SNOMED, "109841003"), (ICD10CM, "C78.7"))
    ]
    found = facts(condition(code={"coding": codings}))

    assert [(f.category, f.code) for f in found if isinstance(f, ConditionFact)] == [
        ("primary", "C22.0"),
        ("secondary", "C78.7"),
    ]


def verified(*codes: str) -> Json:
    return {"coding": [coding for code in codes for coding in status("condition-ver-status", code)["coding"]]}


LOCAL = {"system": "http://snomed.info/sct", "code": "410605003"}
VERIFICATION = [
    (None, "primary", "secondary", "no status at all"),
    (verified("confirmed"), "primary", "secondary", "confirmed"),
    (
        {"coding": [*verified("confirmed")["coding"], LOCAL]},
        "primary",
        "secondary",
        "the same in another system beside",
    ),
    (verified("unconfirmed"), "status-not-accepted", "status-not-accepted", ""),
    (verified("provisional"), "status-not-accepted", "status-not-accepted", ""),
    (verified("differential"), "status-not-accepted", "status-not-accepted", ""),
    (verified("refuted"), "status-not-accepted", "status-not-accepted", ""),
    (verified("entered-in-error"), "status-not-accepted", "status-not-accepted", ""),
    (verified("confirmed", "refuted"), "status-not-accepted", "status-not-accepted", "it contradicts itself"),
    ({"coding": [LOCAL]}, "status-not-accepted", "secondary", "a code of another system: not known, so no cancer"),
    ({"text": "refuted"}, "status-not-accepted", "secondary", "a text is no code; a known spread is not taken back"),
    (verified("Confirmed"), "status-not-accepted", "secondary", "codes are compared with their case"),
]


@pytest.mark.parametrize(
    ("code", "reason"), [("C22.0", "the cancer"), ("Z85.05", "its history"), ("C22.2", "another histology")]
)
def test_status_that_nobody_knows_makes_no_patient_eligible(code: str, reason: str) -> None:
    assert judged(condition(code, verificationStatus={"text": "as discussed"})) == "status-not-accepted", reason


@pytest.mark.parametrize(("verification", "cancer", "spread", "reason"), VERIFICATION)
def test_verification_status_decides_what_counts(
    verification: Json | None, cancer: str, spread: str, reason: str
) -> None:
    assert judged(condition(verificationStatus=verification)) == cancer, reason
    assert judged(condition("C78.7", verificationStatus=verification)) == spread, reason


RECURRENCE = [
    ("C22.0", "recurrence", True, "the cancer came back"),
    ("C22.0", "relapse", True, "the cancer came back"),
    ("Z85.05", "recurrence", True, "the cancer of the past came back"),
    ("C22.0", "active", False, ""),
    ("C22.0", "remission", False, "a treated patient"),
    ("C22.0", "resolved", False, "a treated patient"),
    ("C22.0", "inactive", False, "a treated patient"),
    ("C78.7", "recurrence", False, "a metastasis speaks for itself by its category"),
]


@pytest.mark.parametrize(("code", "clinical", "came_back", "reason"), RECURRENCE)
def test_clinical_status_tells_of_recurrence(code: str, clinical: str, came_back: bool, reason: str) -> None:
    (fact,) = facts(condition(code, clinicalStatus=status("condition-clinical", clinical)))

    assert isinstance(fact, ConditionFact)
    assert fact.recurrence_status == came_back, reason


ENCOUNTER: Json = {"coding": [{"code": "encounter-diagnosis"}]}
PROBLEM: Json = {"coding": [{"code": "problem-list-item"}]}
# Clinical codes, categories, whether the disease is over.
OVER: list[tuple[tuple[str, ...], list[Json], bool, str]] = [
    (("resolved",), [], True, "resolved"),
    (("inactive",), [PROBLEM], True, "of the list of problems"),
    (("remission",), [{"text": "?"}], True, "of a category without a code"),
    (("inactive", "remission", "resolved"), [], True, "all that say so"),
    (("resolved",), [ENCOUNTER], False, "the encounter is over, not the disease"),
    (("resolved",), [PROBLEM, ENCOUNTER], False, "one of two categories"),
    (("active",), [], False, "active"),
    (("active", "resolved"), [], False, "both"),
    ((), [], False, "no clinical status"),
]


@pytest.mark.parametrize(("codes", "categories", "over", "reason"), OVER)
def test_condition_is_over(codes: tuple[str, ...], categories: list[Json], over: bool, reason: str) -> None:
    clinical = {"coding": [{"code": code} for code in codes]}
    (fact,) = facts(condition("C78.00", clinicalStatus=clinical, category=categories))

    assert isinstance(fact, ConditionFact)
    assert fact.over is over, reason


# A metastasis in SNOMED CT does not say where; its body site may.
SITES: list[tuple[str, str, list[Json], str, str]] = [
    ("128462008", SNOMED, [{"coding": [{"system": SNOMED, "code": "10200004"}]}], "secondary", "the liver by its code"),
    ("128462008", SNOMED, [{"text": "Liver, segment 4"}], "secondary", "by its name"),
    ("128462008", SNOMED, [{"text": "lung"}], "metastasis", "another organ"),
    ("128462008", SNOMED, [{"text": "liver"}, {"text": "lung"}], "metastasis", "both"),
    ("128462008", SNOMED, [{"text": "left"}], "metastasis", "no organ"),
    ("128462008", SNOMED, [], "metastasis", "no site"),
    ("C78.00", ICD10CM, [{"text": "liver"}], "metastasis", "ICD says where by itself"),
    ("109841003", SNOMED, [{"text": "liver"}], "primary", "a primary cancer stays one"),
]


@pytest.mark.parametrize(("code", "system", "sites", "category", "reason"), SITES)
def test_metastasis_at_the_liver_alone_is_one_in_the_liver(
    code: str, system: str, sites: list[Json], category: str, reason: str
) -> None:
    assert judged(condition(code, system, bodySite=sites)) == category, reason


@pytest.mark.parametrize(
    ("code", "verification", "suspected", "reason"),
    [
        ("C78.00", "unconfirmed", "metastasis", "a suspected metastasis"),
        ("C78.7", "provisional", "secondary", "in the liver"),
        ("C22.0", "unconfirmed", "", "a suspected cancer is no spread"),
        ("C78.00", "refuted", "", "refuted: no suspicion"),
        ("C22.0", "refuted", "", "neither"),
    ],
)
def test_suspected_spread_is_told(code: str, verification: str, suspected: str, reason: str) -> None:
    (fact,) = facts(condition(code, verificationStatus=verified(verification)))

    assert isinstance(fact, ExcludedFact)
    assert fact.suspected == suspected, reason


def test_suspected_recurrence_is_told() -> None:
    (fact,) = facts(condition("314963000", SNOMED, verificationStatus=verified("provisional")))

    assert isinstance(fact, ExcludedFact)
    assert fact.suspected == "recurrence"


def test_condition_taken_back_in_another_version_does_not_count() -> None:
    versions = condition(id="1"), condition(id="1", verificationStatus=verified("entered-in-error"))

    found = list(fact_reader().read_conditions([typed(Condition, resource) for resource in versions]))

    assert [getattr(fact, "reason", "counted") for fact in found] == ["status-not-accepted"] * 2


@pytest.mark.parametrize(
    ("codes", "categories"),
    [
        (("C22.0", "C22.2"), ["other-histology"]),
        (("C22.2", "C22.0"), ["other-histology"]),
        (("C22.2",), ["other-histology"]),
        (("C22.2", "C78.7"), ["other-histology", "secondary"]),
        (("C22.0", "C78.7"), ["primary", "secondary"]),
    ],
)
def test_diagnosis_under_a_narrow_and_a_wide_code_is_the_narrow_one(
    codes: tuple[str, ...], categories: list[str]
) -> None:
    both = condition(code={"coding": [{"system": ICD10CM, "code": code} for code in codes]})

    assert [fact.category for fact in facts(both) if isinstance(fact, ConditionFact)] == categories


def test_condition_of_a_moment_speaks_of_its_day_at_the_site() -> None:
    (fact,) = facts(condition(onsetDateTime="2026-03-04T23:30:00Z"))

    assert isinstance(fact, ConditionFact)
    assert (fact.first_day, fact.last_day) == (date(2026, 3, 5), date(2026, 3, 5))


def test_condition_without_clinical_status_tells_of_no_recurrence() -> None:
    (fact,) = facts(condition(clinicalStatus=None))

    assert isinstance(fact, ConditionFact)
    assert not fact.recurrence_status


DATES = [
    ({}, None, "undated"),
    ({"onsetDateTime": "2026-03-04"}, date(2026, 3, 4), "a day"),
    ({"onsetDateTime": "2026-02"}, date(2026, 2, 28), "a month by its last day"),
    ({"onsetDateTime": "2026"}, date(2026, 12, 31), "a year by its last day"),
    ({"onsetDateTime": "2026-03-04T23:30:00Z"}, date(2026, 3, 5), "a moment by the day at the site"),
    ({"onsetPeriod": {"start": "2026-03-04"}}, date(2026, 3, 4), "the start of a Period without an end"),
    ({"onsetPeriod": {"start": "2026-03-04", "end": "2026-05"}}, date(2026, 5, 31), "the end of a Period"),
    ({"onsetPeriod": {}}, None, "an empty Period"),
    ({"recordedDate": "2026-04-01"}, date(2026, 4, 1), "when it was recorded"),
    ({"onsetDateTime": "2026-03-04", "recordedDate": "2026-04-01"}, date(2026, 4, 1), "the later of the two"),
    ({"onsetDateTime": "2026-05-04", "recordedDate": "2026-04-01"}, date(2026, 5, 4), "the later of the two"),
    ({"onsetDateTime": "spring", "recordedDate": "2026-04-01"}, date(2026, 4, 1), "what can be read"),
    ({"onsetDateTime": "0001-01-01"}, None, "a placeholder for an unknown day"),
    ({"onsetDateTime": "0001-01-01", "recordedDate": "2026-04-01"}, date(2026, 4, 1), "what is no placeholder"),
    ({"onsetDateTime": "spring"}, None, "nothing can be read: undated"),
    ({"onsetString": "2026-03-04", "onsetAge": {"value": 60}}, None, "ages and texts are not read"),
]


@pytest.mark.parametrize(("members", "expected", "reason"), DATES)
def test_condition_counts_by_the_latest_day_it_names(members: Json, expected: date | None, reason: str) -> None:
    undated: Json = {"onsetDateTime": None}
    (fact,) = facts(condition(**(undated | members)))

    assert isinstance(fact, ConditionFact)
    assert fact.last_day == expected, reason


@pytest.mark.parametrize(
    ("members", "first", "reason"),
    [
        ({"onsetDateTime": "2026-02"}, date(2026, 2, 1), "a month by its first day"),
        ({"onsetPeriod": {"start": "2026-03-04", "end": "2026-05"}}, date(2026, 3, 4), "the start of a Period"),
        ({"onsetDateTime": "2026-03-04", "recordedDate": "2026-04-01"}, date(2026, 3, 4), "the earlier of the two"),
        ({}, None, "undated"),
    ],
)
def test_condition_may_speak_of_days_since_its_first(members: Json, first: date | None, reason: str) -> None:
    undated: Json = {"onsetDateTime": None}
    (fact,) = facts(condition(meta={"versionId": "7"}, **(undated | members)))

    assert isinstance(fact, ConditionFact)
    assert fact.first_day == first, reason
    assert fact.version == "7"


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        ({"reference": "Patient/p2"}, "subject-mismatch"),
        (None, "subject-missing"),
        ({"reference": "https://ehr.example/fhir/Patient/p1/_history/2"}, "primary"),
    ],
)
def test_condition_of_another_patient_is_excluded_with_its_reason(subject: Json | None, expected: str) -> None:
    assert judged(condition(subject=subject)) == expected


def test_whose_condition_it_is_comes_before_its_status() -> None:
    assert judged(condition(subject=None, verificationStatus=verified("refuted"))) == "subject-missing"


def test_condition_subject_is_resolved_in_its_bundle() -> None:
    resource = condition(subject={"reference": "urn:uuid:1"})

    assert isinstance(facts(resource, {"urn:uuid:1": "p1"})[0], ConditionFact)
    assert isinstance(facts(resource, {"urn:uuid:1": "p2"})[0], ExcludedFact)


def test_excluded_condition_names_its_reference_and_code() -> None:
    assert facts(condition(subject=None, id=None)) == [ExcludedFact("Condition", "", "C22.0", "subject-missing")]  # type: ignore[arg-type]
