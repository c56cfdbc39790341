"""fhirServer and fhirAuthorization in all the forms clients send (requirements 31, 65-74)."""

import logging
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.conftest import Service, Site
from tests.conformance.fhir_server import FHIRServer, listed
from tests.conformance.outcomes import refused
from tests.support.charts import Json, hook_request

TOKEN = "canary-access-token-4711"
AUTHORIZATION: Json = {
    "access_token": TOKEN,
    "token_type": "Bearer",
    "expires_in": 300,
    "scope": "patient/Observation.rs",
    "subject": "sii-cds",
    "patient": "p1",
}


def with_access(authorization: Any = AUTHORIZATION, server: Any = "https://ehr.example/fhir") -> Json:
    return {"fhirServer": server, "fhirAuthorization": authorization}


def test_requirement_031_unlisted_server_is_never_called(service: Service, fhir: FHIRServer) -> None:
    request = hook_request(without=("bloodCounts",), members=with_access(server=fhir.url))

    refused(service.ask(request), 403)
    assert fhir.asked == []


def test_requirement_031_unlisted_server_with_full_prefetch_is_not_called(service: Service, fhir: FHIRServer) -> None:
    assert service.outcome(hook_request(members=with_access(server=fhir.url))) == "above-cutoff"
    assert fhir.asked == []


@pytest.mark.parametrize(
    "server", ["file:///etc/passwd", "ftp://ehr.example", "//ehr.example", "not a URL", "", "http://"]
)
def test_requirement_031_server_that_is_no_https_address_is_never_used(service: Service, server: str) -> None:
    refused(service.ask(hook_request(without=("bloodCounts",), members=with_access(server=server))), 403, 412)


def test_requirement_044_next_page_outside_the_server_gets_no_token(service: Service, fhir: FHIRServer) -> None:
    request = hook_request(members=with_access())
    request["prefetch"]["bloodCounts"]["link"] = [{"relation": "next", "url": f"{fhir.url}?page=2"}]

    service.ask(request)

    assert fhir.asked == []


def test_requirement_065_null_authorization_is_no_access(service: Service) -> None:
    assert service.outcome(hook_request(members=with_access(None))) == "above-cutoff"
    refused(service.ask(hook_request(without=("conditions",), members=with_access(None))), 412)


UNUSABLE = [
    ({}, "no token"),
    ({"access_token": ""}, "an empty token"),
    ({"access_token": 7}, "not a text"),
    ({"access_token": None}, "null"),
    ({"access_token": "a b\r\nX: y"}, "more than a token"),
]


@pytest.mark.parametrize(("changes", "reason"), UNUSABLE)
def test_requirement_066_authorization_without_token_is_never_used(
    site: Site, fhir: FHIRServer, changes: Json, reason: str
) -> None:
    authorization = {name: value for name, value in AUTHORIZATION.items() if name != "access_token"} | changes
    service = site(clients=[listed(fhir)])

    refused(service.ask(hook_request(without=("conditions",), members=with_access(authorization, fhir.url))), 412)
    assert fhir.asked == [], reason


@pytest.mark.parametrize("token_type", ["mac", "DPoP", "", None, 7])
def test_requirement_067_token_of_other_type_is_not_used(site: Site, fhir: FHIRServer, token_type: Any) -> None:
    service = site(clients=[listed(fhir)])
    access = with_access(AUTHORIZATION | {"token_type": token_type}, fhir.url)

    refused(service.ask(hook_request(without=("conditions",), members=access)), 412)
    assert fhir.asked == []


@pytest.mark.parametrize("value", [0, -1, "300", 1.5, None, [], {}, 10**30])
def test_requirement_068_lifetime_of_any_form_does_no_harm(service: Service, value: Any) -> None:
    access = with_access(AUTHORIZATION | {"expires_in": value})

    assert service.outcome(hook_request(members=access)) == "above-cutoff"


@pytest.mark.parametrize(
    "scope",
    ["user/Observation.read", "patient/Observation.rs", "Observation.Search (Labs) (R4)", "", None, 7, ["a"]],
)
def test_requirement_070_scope_of_any_form_does_no_harm(service: Service, scope: Any) -> None:
    assert service.outcome(hook_request(members=with_access(AUTHORIZATION | {"scope": scope}))) == "above-cutoff"


@pytest.mark.parametrize("subject", ["sii-cds", "another", "", None, 7])
def test_requirement_071_subject_of_any_form_does_no_harm(service: Service, subject: Any) -> None:
    assert service.outcome(hook_request(members=with_access(AUTHORIZATION | {"subject": subject}))) == "above-cutoff"


def test_requirement_072_token_of_another_patient_is_not_used(site: Site, fhir: FHIRServer) -> None:
    service = site(clients=[listed(fhir)])
    access = with_access(AUTHORIZATION | {"patient": "p2"}, fhir.url)

    refused(service.ask(hook_request(without=("conditions",), members=access)), 412)
    assert fhir.asked == []


def test_requirement_073_181_token_and_patient_are_in_no_answer_metric_or_log(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        answers = [
            service.ask(hook_request(members=with_access())),
            service.ask(hook_request(without=("conditions",), members=with_access())),
            service.ask(hook_request(members=with_access() | {"hook": 7})),
            service.http.get("/metrics"),
        ]

    logged = " ".join(str(record.__dict__) for record in caplog.records)
    assert len([record for record in caplog.records if record.getMessage() == "request"]) == 4
    for text in (*(answer.text for answer in answers), logged):
        assert TOKEN not in text
    assert "'p1'" not in logged


def test_requirement_073_token_is_in_no_file(site: Site, tmp_path: Path) -> None:
    service = site()
    service.ask(hook_request(members=with_access()))
    service.ask(hook_request(without=("conditions",), members=with_access()))

    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert files, "the audit log at least"
    assert [path for path in files if TOKEN.encode() in path.read_bytes()] == []


def test_requirement_074_nothing_is_asked_after_the_answer(site: Site, fhir: FHIRServer) -> None:
    service = site(clients=[listed(fhir)])

    assert service.outcome(hook_request(members=with_access(server=fhir.url))) == "above-cutoff"
    assert fhir.asked == []
