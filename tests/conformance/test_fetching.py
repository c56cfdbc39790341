"""Data the client did not deliver are fetched from its FHIR server (requirements 39, 41, 42, 44, 50, 62, 63)."""

from typing import Any

import pytest

from tests.conformance.answers import HOOKS
from tests.conformance.conftest import Service, Site
from tests.conformance.fhir_server import FHIRServer, listed
from tests.conformance.outcomes import refused
from tests.support.charts import Json, bundle, draw, hook_request

TOKEN = "access-token-4711"
KEYS = ("patient", "conditions", "procedures", "bloodCounts", "albumin")


@pytest.fixture
def ehr(site: Site, fhir: FHIRServer) -> Service:
    """The service of a site that lists the FHIR server."""
    return site(clients=[listed(fhir)])


def without_prefetch(request: Json, fhir: FHIRServer, *keys: str, token: bool = True) -> Json:
    """Move prefetched keys to the FHIR server, and give access to it."""
    fhir.content = {key: request["prefetch"].get(key) for key in KEYS}
    rest = {key: value for key, value in request["prefetch"].items() if key not in keys}
    authorization = {
        "access_token": TOKEN,
        "token_type": "Bearer",
        "expires_in": 300,
        "scope": "user/Observation.rs",
        "subject": "sii-cds",
    }
    members: Json = {"prefetch": rest, "fhirServer": fhir.url}
    return request | members | ({"fhirAuthorization": authorization} if token else {})


def told(service: Service, request: Json) -> Json:
    """Return an answer without what differs from call to call."""
    response = service.ask(request)
    assert response.status_code == 200, response.text
    answer: Json = response.get_json()
    for card in answer["cards"]:
        del card["uuid"]
    return answer


@pytest.mark.parametrize("name", HOOKS)
def test_requirement_039_041_fetched_data_give_the_same_answer_as_prefetched(
    ehr: Service, fhir: FHIRServer, name: str
) -> None:
    request, _ = HOOKS[name]

    assert told(ehr, without_prefetch(request, fhir, *KEYS)) == told(ehr, request)


def test_requirement_039_prefetched_data_are_not_fetched_again(ehr: Service, fhir: FHIRServer) -> None:
    told(ehr, without_prefetch(hook_request(), fhir))

    assert fhir.asked == []


@pytest.mark.parametrize("key", KEYS)
def test_requirement_050_exactly_the_missing_key_is_fetched(ehr: Service, fhir: FHIRServer, key: str) -> None:
    request = hook_request()

    assert told(ehr, without_prefetch(request, fhir, key)) == told(ehr, request)
    assert fhir.keys_asked() == {key}


@pytest.mark.parametrize("value", [None, {"resourceType": "Bundle", "type": "searchset", "total": 0}])
def test_requirement_048_key_without_data_is_not_fetched(ehr: Service, fhir: FHIRServer, value: Any) -> None:
    request = without_prefetch(hook_request(), fhir)
    request["prefetch"] |= {"albumin": value}

    told(ehr, request)

    assert fhir.asked == []


def test_requirement_062_without_token_nothing_is_asked(ehr: Service, fhir: FHIRServer) -> None:
    refused(ehr.ask(without_prefetch(hook_request(), fhir, *KEYS, token=False)), 412)

    assert fhir.asked == []


def test_requirement_063_every_request_carries_the_token(ehr: Service, fhir: FHIRServer) -> None:
    told(ehr, without_prefetch(hook_request(), fhir, *KEYS))

    assert fhir.keys_asked() == set(KEYS)
    assert set(fhir.authorizations) == {f"Bearer {TOKEN}"}


@pytest.mark.parametrize("status", [401, 403, 404, 500, 503])
@pytest.mark.parametrize("key", ["conditions", "procedures", "bloodCounts"])
def test_requirement_042_051_required_data_refused_by_the_server_are_412(
    ehr: Service, fhir: FHIRServer, key: str, status: int
) -> None:
    fhir.statuses[key] = status

    outcome = refused(ehr.ask(without_prefetch(hook_request(), fhir, *KEYS)), 412)

    assert key in outcome["issue"][0]["diagnostics"]


@pytest.mark.parametrize("key", ["patient", "albumin"])
def test_requirement_042_optional_data_refused_by_the_server_are_done_without(
    ehr: Service, fhir: FHIRServer, key: str
) -> None:
    fhir.statuses[key] = 403

    assert ehr.outcome(without_prefetch(hook_request(), fhir, *KEYS)) == "above-cutoff"


def test_requirement_044_next_page_on_the_server_is_fetched_with_the_token(ehr: Service, fhir: FHIRServer) -> None:
    platelets, *others = draw()
    link = [{"relation": "next", "url": f"{fhir.url}/Observation?page=2"}]
    request = without_prefetch(hook_request(bloodCounts=bundle(*others, link=link)), fhir)
    fhir.content["bloodCounts"] = bundle(platelets)

    assert ehr.outcome(request) == "above-cutoff"
    assert fhir.asked == ["/fhir/Observation?page=2"]
    assert fhir.authorizations == [f"Bearer {TOKEN}"]
