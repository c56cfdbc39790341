"""Prefetched data in all the forms clients send (requirements 38-51)."""

from itertools import combinations
from typing import Any

import pytest

from tests.conformance.conftest import Service
from tests.conformance.outcomes import refused
from tests.support.charts import Json, bundle, draw, hook_request, patient

REQUIRED = ("conditions", "procedures", "bloodCounts")
OPTIONAL = ("patient", "albumin")
SEARCHES = ("bloodCounts", "albumin", "conditions", "procedures")

KEY_SETS = [
    without for count in range(6) for without in combinations((*REQUIRED, *OPTIONAL), count)
]  # all 32 ways of leaving keys out


@pytest.mark.parametrize("without", KEY_SETS, ids=lambda keys: "-".join(keys) or "nothing")
def test_requirement_038_any_set_of_keys_is_handled(service: Service, without: tuple[str, ...]) -> None:
    response = service.ask(hook_request(without=without))

    missing = [key for key in REQUIRED if key in without]
    if not missing:
        assert response.get_json()["extension"]["org.sii-cds.assessment"]["outcome"] == "above-cutoff"
        return
    diagnostics = refused(response, 412)["issue"][0]["diagnostics"]
    # Blood counts are asked for after eligibility, so they are named alone.
    stage = [key for key in missing if key != "bloodCounts"] or missing
    assert all(key in diagnostics for key in stage)


def test_requirement_039_prefetch_alone_is_enough(service: Service) -> None:
    assert service.outcome(hook_request()) == "above-cutoff"


@pytest.mark.parametrize("extra", [{"resourceType": "Patient", "id": "other"}, None, "text", 7, [1], {}])
def test_requirement_040_043_unknown_key_is_ignored(service: Service, extra: Any) -> None:
    assert service.outcome(hook_request(ofAnotherService=extra)) == "above-cutoff"


WRONG_VALUES = [
    ("<html>error</html>", "an EHR once sent an error page"),
    (patient(), "another resource type"),
    (7, "a number"),
    (True, "a boolean"),
    ([], "an array"),
    ({}, "an object that is no resource"),
    ({"resourceType": "Bundel"}, "a misspelled type"),
]


@pytest.mark.parametrize(("value", "reason"), WRONG_VALUES)
@pytest.mark.parametrize("key", REQUIRED)
def test_requirement_040_wrong_value_under_required_key_is_unsatisfied(
    service: Service, key: str, value: Any, reason: str
) -> None:
    outcome = refused(service.ask(hook_request(**{key: value})), 412)

    assert key in outcome["issue"][0]["diagnostics"], reason


@pytest.mark.parametrize(("value", "reason"), WRONG_VALUES)
def test_requirement_040_wrong_value_under_albumin_is_carried_on_without(
    service: Service, value: Any, reason: str
) -> None:
    assert service.outcome(hook_request(albumin=value)) == "above-cutoff", reason


@pytest.mark.parametrize("value", [row[0] for row in WRONG_VALUES if row[0] != patient()])
def test_requirement_040_wrong_value_under_patient_is_carried_on_without(service: Service, value: Any) -> None:
    assert service.outcome(hook_request(patient=value)) == "above-cutoff"


def operation_outcome(severity: str, code: str = "exception") -> Json:
    return {"resourceType": "OperationOutcome", "issue": [{"severity": severity, "code": code}]}


def outcome_entry(severity: str) -> Json:
    return {"resource": operation_outcome(severity), "search": {"mode": "outcome"}}


def beside(entries: Json, severity: str) -> Json:
    """A Bundle with an OperationOutcome beside its entries."""
    return entries | {"entry": [*entries["entry"], outcome_entry(severity)]}


@pytest.mark.parametrize("severity", ["fatal", "error"])
@pytest.mark.parametrize("key", REQUIRED)
def test_requirement_046_049_error_outcome_is_a_failed_key(service: Service, key: str, severity: str) -> None:
    values: list[Any] = [operation_outcome(severity), bundle() | {"entry": [outcome_entry(severity)]}]
    for value in values:
        outcome = refused(service.ask(hook_request(**{key: value})), 412)
        assert key in outcome["issue"][0]["diagnostics"]


@pytest.mark.parametrize("severity", ["warning", "information"])
def test_requirement_049_warning_beside_entries_leaves_them_in_use(service: Service, severity: str) -> None:
    assert service.outcome(hook_request(bloodCounts=beside(bundle(*draw()), severity))) == "above-cutoff"


def test_requirement_049_error_beside_entries_is_no_decision(service: Service) -> None:
    refused(service.ask(hook_request(bloodCounts=beside(bundle(*draw()), "error"))), 412)


NO_DATA = [
    (None, "null, as the text says"),
    ({"resourceType": "Bundle", "type": "searchset", "total": 0}, "a Bundle without entries"),
    ({"resourceType": "Bundle", "type": "searchset", "total": 0, "entry": []}, "an empty array of entries"),
    ({"resourceType": "Bundle", "type": "searchset"}, "no total"),
    (
        {"resourceType": "Bundle", "type": "searchset", "total": 0, "entry": [outcome_entry("warning")]},
        "Epic's way to say that nothing was found",
    ),
]


@pytest.mark.parametrize(("value", "reason"), NO_DATA)
@pytest.mark.parametrize(
    ("key", "outcome"),
    [
        ("conditions", "not-eligible"),
        ("procedures", "not-eligible"),
        ("bloodCounts", "indeterminate"),
        ("albumin", "above-cutoff"),
    ],
)
def test_requirement_048_no_data_is_no_failure(
    service: Service, key: str, outcome: str, value: Any, reason: str
) -> None:
    assert service.outcome(hook_request(**{key: value})) == outcome, reason


def test_requirement_048_null_patient_is_no_failure(service: Service) -> None:
    assert service.outcome(hook_request(patient=None)) == "above-cutoff"


@pytest.mark.parametrize("key", REQUIRED)
def test_requirement_047_051_required_key_missing_is_412(service: Service, key: str) -> None:
    outcome = refused(service.ask(hook_request(without=(key,))), 412)

    assert outcome["issue"][0]["code"] == "required"
    assert key in outcome["issue"][0]["diagnostics"]


@pytest.mark.parametrize("key", OPTIONAL)
def test_requirement_047_optional_key_missing_is_carried_on_without(service: Service, key: str) -> None:
    assert service.outcome(hook_request(without=(key,))) == "above-cutoff"


def test_requirement_044_page_that_cannot_be_followed_is_admitted(service: Service) -> None:
    link = [{"relation": "next", "url": "https://ehr.example/fhir?page=2"}]

    response = service.ask(hook_request(bloodCounts=bundle(*draw(), link=link)))

    assert "truncated" in response.get_json()["extension"]["org.sii-cds.assessment"]["reasons"]
