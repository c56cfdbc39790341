"""Invoking a service and the context of patient-view (requirements 26-35, 76-81)."""

from typing import Any

import pytest

from tests.conformance.answers import HOOKS
from tests.conformance.conftest import DISCOVERY, SERVICE, Service
from tests.conformance.outcomes import refused
from tests.support.charts import Json, hook_request

MISSING = "(missing)"
WRONG_TEXTS: list[Any] = [MISSING, None, 7, True, [], {}, ""]
CONTEXT = {"userId": "Practitioner/dr-1", "patientId": "p1"}


def with_member(name: str, value: Any) -> Json:
    request = hook_request()
    if value == MISSING:
        del request[name]
    else:
        request[name] = value
    return request


def with_context(**changes: Any) -> Json:
    context = {name: value for name, value in (CONTEXT | changes).items() if value != MISSING}
    return hook_request(members={"context": context})


def test_requirement_026_call_is_a_post_of_json(service: Service) -> None:
    assert service.ask(hook_request()).status_code == 200
    refused(service.http.get(SERVICE), 405)
    refused(service.http.post(f"{DISCOVERY}/unknown", json=hook_request()), 404)
    refused(service.http.post(SERVICE, data="not JSON", content_type="application/json"), 400)
    refused(service.http.post(SERVICE, data="{}", content_type="text/plain"), 415)


@pytest.mark.parametrize("value", [*WRONG_TEXTS, "order-sign", "Patient-View"])
def test_requirement_027_hook_missing_or_other_is_refused(service: Service, value: Any) -> None:
    refused(service.ask(with_member("hook", value)), 400)


@pytest.mark.parametrize("value", WRONG_TEXTS)
def test_requirement_028_hook_instance_missing_is_refused(service: Service, value: Any) -> None:
    refused(service.ask(with_member("hookInstance", value)), 400)


@pytest.mark.parametrize(
    "value",
    [
        "7BA9795C-8E89-4AE3-AD3E-90AD18F40431",
        "01980d3c-7a2b-7cc3-9f3e-2f1f0c9d4e5a",
        "urn:uuid:0844edf2-f75f-4e8c-ad1d-ebe01888dd5b",
        "no-uuid-1",
    ],
)
def test_requirement_028_hook_instance_of_any_form_is_accepted(service: Service, value: str) -> None:
    assert service.ask(with_member("hookInstance", value)).status_code == 200


def test_requirement_028_hook_instance_sent_twice_is_answered_twice(service: Service) -> None:
    # Several services get the same value for one event, and clients repeat calls: it is no key against repetition.
    first, second = (service.cards(hook_request()) for _ in range(2))

    assert len(first) == len(second) == 1


AUTHORIZATION = {
    "access_token": "access-token",
    "token_type": "Bearer",
    "expires_in": 300,
    "scope": "user/Observation.read",
    "subject": "sii-cds",
}


def test_requirement_030_authorization_without_server_is_tolerated(service: Service) -> None:
    assert service.ask(hook_request(members={"fhirAuthorization": AUTHORIZATION})).status_code == 200


@pytest.mark.parametrize("server", ["https://ehr.example/fhir", "https://ehr.example/fhir/", "http://ehr.example/fhir"])
def test_requirement_030_server_of_any_form_is_accepted_with_full_prefetch(service: Service, server: str) -> None:
    members = {"fhirServer": server, "fhirAuthorization": AUTHORIZATION}

    assert service.ask(hook_request(members=members)).status_code == 200


def test_requirement_032_request_without_authorization_is_answered_from_prefetch(service: Service) -> None:
    assert service.outcome(hook_request()) == "above-cutoff"


@pytest.mark.parametrize("value", [MISSING, None, 7, "p1", [], {}, [CONTEXT]])
def test_requirement_033_context_missing_or_no_object_is_refused(service: Service, value: Any) -> None:
    refused(service.ask(with_member("context", value)), 400)


@pytest.mark.parametrize("value", [MISSING, {}])
def test_requirement_034_request_without_prefetch_is_no_defect(service: Service, value: Any) -> None:
    refused(service.ask(with_member("prefetch", value)), 412)


EPIC_EXTENSION = {
    "com.epic.cdshooks.request.bpa-trigger-action": "60",
    "com.epic.cdshooks.request.cds-hooks-specification-version": "1.1",
    "com.epic.cdshooks.request.fhir-version": "4.0.1",
    "internal.epic.cdshooks.request.epic-emp-id": "1",
}


@pytest.mark.parametrize("place", ["request", "context", "prefetch", "authorization"])
def test_requirement_035_extensions_are_ignored(service: Service, place: str) -> None:
    request = hook_request(members={"fhirAuthorization": dict(AUTHORIZATION)})
    parts = {
        "request": request,
        "context": request["context"],
        "prefetch": request["prefetch"],
        "authorization": request["fhirAuthorization"],
    }
    parts[place]["extension"] = EPIC_EXTENSION

    assert service.outcome(request) == "above-cutoff"


@pytest.mark.parametrize("kind", ["Practitioner", "PractitionerRole", "Patient", "RelatedPerson"])
def test_requirement_076_user_of_each_type_is_accepted(service: Service, kind: str) -> None:
    assert service.ask(with_context(userId=f"{kind}/abc-123.4")).status_code == 200


@pytest.mark.parametrize("value", WRONG_TEXTS)
def test_requirement_076_user_missing_is_refused(service: Service, value: Any) -> None:
    refused(service.ask(with_context(userId=value)), 400)


@pytest.mark.parametrize("value", [*WRONG_TEXTS, "Patient/p1", "p 1", "p1\n", ".", ".."])
def test_requirement_077_patient_missing_or_no_bare_id_is_refused(service: Service, value: Any) -> None:
    refused(service.ask(with_context(patientId=value)), 400)


SYNTAX = [
    ("pat-1,pat-2", "a list: the results of both patients"),
    ("system|pat-1", "a token"),
    ("$everything", "an operation"),
    ("pat-1$x", "a composite"),
    ("_history", "an interaction"),
    ("_id", "a parameter of every search"),
    ("a\\,b", "an escape of search values"),
    ("a/../b", "another path"),
    ("pat\u00a01", "a blank of another kind"),
    ("pat-1\x85", "a control character"),
    ("pat-1\u202e", "a mark that turns the direction of writing"),
    ("\ufeffpat-1", "a mark of byte order"),
    ("p" * 257, "longer than any id"),
]


@pytest.mark.parametrize(("value", "reason"), SYNTAX)
@pytest.mark.parametrize("member", ["patientId", "encounterId"])
def test_requirement_077_id_that_is_syntax_to_a_fhir_server_is_refused(
    service: Service, member: str, value: str, reason: str
) -> None:
    outcome = refused(service.ask(with_context(**{member: value})), 400)

    assert f"context.{member} must be a bare FHIR id." in outcome["issue"][0]["diagnostics"], reason


@pytest.mark.parametrize(
    ("member", "length", "status"),
    [("userId", 256, 200), ("userId", 257, 400), ("hookInstance", 256, 200), ("hookInstance", 257, 400)],
)
def test_text_that_is_recorded_is_no_longer_than_its_limit(
    service: Service, member: str, length: int, status: int
) -> None:
    text = "x" * length
    request = with_context(userId=text) if member == "userId" else with_member(member, text)

    assert service.ask(request).status_code == status


@pytest.mark.parametrize("patient_id", ["e" * 64, "a.b-c.9", "eU.Dj1kq-gyT8zZ3.Q3", "1"])
def test_requirement_077_patient_id_of_any_length_is_accepted(service: Service, patient_id: str) -> None:
    empty = {"resourceType": "Bundle", "type": "searchset", "total": 0}
    request = with_context(patientId=patient_id)
    request["prefetch"] = dict.fromkeys(("bloodCounts", "conditions", "procedures"), empty)

    assert service.outcome(request) == "not-eligible"


@pytest.mark.parametrize("value", [MISSING, "enc-1", None, ""])
def test_requirement_078_encounter_is_optional(service: Service, value: Any) -> None:
    assert service.outcome(with_context(encounterId=value)) == "above-cutoff"


@pytest.mark.parametrize("value", ["x", 7, None, [], {"a": [1]}])
def test_requirement_079_unknown_context_member_is_ignored(service: Service, value: Any) -> None:
    assert service.outcome(with_context(fieldOfALaterVersion=value)) == "above-cutoff"


@pytest.mark.parametrize(("request_body", "outcome"), HOOKS.values(), ids=HOOKS.keys())
def test_requirement_080_repeated_call_is_answered_alike(service: Service, request_body: Json, outcome: str) -> None:
    answers = [service.ask(request_body).get_json() for _ in range(3)]
    for answer in answers:
        for card in answer["cards"]:
            del card["uuid"]

    assert answers[0] == answers[1] == answers[2]
    assert answers[0]["extension"]["org.sii-cds.assessment"]["outcome"] == outcome
