"""Envelope and status codes (requirements 82-88), and what no answer holds (9, 84, 136, 183-185)."""

import re
from typing import Any

import pytest

from tests.conformance.answers import HOOKS, members
from tests.conformance.conftest import DISCOVERY, FEEDBACK, SERVICE, Service, Site
from tests.conformance.outcomes import refused
from tests.support.charts import Json, bundle, hook_request, patient

REVERSE_DOMAIN = re.compile(r"[a-z]+(\.[a-z0-9-]+)+")

# Members that the specification knows; everything of ours stands below `extension`.
KNOWN_MEMBERS = {
    "$": {"cards", "extension"},
    "$.cards[]": {"uuid", "summary", "detail", "indicator", "source", "overrideReasons", "links"},
    "$.cards[].source": {"label", "url", "icon", "topic"},
    "$.cards[].source.topic": {"code", "system", "display"},
    "$.cards[].overrideReasons[]": {"code", "system", "display"},
    "$.cards[].links[]": {"label", "url", "type"},
}


def answers(site: Site) -> list[Json]:
    service = site(cards={"show_not_above_cutoff": True})
    return [service.ask(request).get_json() for request, _ in HOOKS.values()]


@pytest.mark.parametrize(("request_body", "outcome"), HOOKS.values(), ids=HOOKS.keys())
def test_requirement_082_083_success_is_200_with_cards(service: Service, request_body: Json, outcome: str) -> None:
    response = service.ask(request_body)

    assert response.status_code == 200
    assert isinstance(response.get_json()["cards"], list)
    assert response.get_json()["extension"]["org.sii-cds.assessment"]["outcome"] == outcome


def test_requirement_084_136_no_system_actions(site: Site) -> None:
    assert not [answer for answer in answers(site) if "systemActions" in answer]


@pytest.mark.parametrize("name", ["not above", "not eligible"])
def test_requirement_085_no_guidance_is_an_empty_array(site: Site, name: str) -> None:
    service = site(cards={"assessment_extension": False})

    response = service.ask(HOOKS[name][0])

    assert (response.status_code, response.get_json()) == (200, {"cards": []})


def test_requirement_085_silent_mode_shows_nothing(site: Site) -> None:
    service = site(service={"mode": "silent", "public_url": "https://cds.hospital.example"})

    assert service.ask(HOOKS["above"][0]).get_json() == {"cards": []}


@pytest.mark.parametrize(
    ("without", "status"), [(("conditions",), 412), (("procedures",), 412), (("bloodCounts",), 412)]
)
def test_requirement_086_data_not_obtainable_is_412(service: Service, without: tuple[str, ...], status: int) -> None:
    refused(service.ask(hook_request(without=without)), status)


REFUSALS: list[tuple[str, str, dict[str, Any], int, str]] = [
    ("POST", SERVICE, {"json": {}}, 400, "not a CDS Hooks request"),
    ("POST", SERVICE, {"json": hook_request(patient=patient(id="p2"))}, 400, "prefetched patient is another"),
    ("POST", SERVICE, {"json": hook_request(conditions="x")}, 412, "data not obtainable"),
    ("POST", SERVICE, {"data": b"{", "content_type": "application/json"}, 400, "not JSON"),
    ("POST", SERVICE, {"data": b"{}", "content_type": "text/xml"}, 415, "not declared as JSON"),
    ("POST", SERVICE, {"data": b" " * 11 * 2**20, "content_type": "application/json"}, 413, "too large"),
    ("POST", f"{DISCOVERY}/unknown", {"json": {}}, 404, "unknown service"),
    ("POST", f"{DISCOVERY}/unknown/feedback", {"json": {}}, 404, "unknown service"),
    ("PUT", SERVICE, {"json": {}}, 405, "method"),
    ("GET", FEEDBACK, {}, 405, "method"),
    ("POST", FEEDBACK, {"json": {"feedback": [{}]}}, 400, "not feedback"),
]


@pytest.mark.parametrize(("method", "path", "options", "status", "reason"), REFUSALS)
def test_requirement_087_088_refusal_carries_an_operation_outcome(
    service: Service, method: str, path: str, options: dict[str, Any], status: int, reason: str
) -> None:
    response = service.http.open(path, method=method, **options)

    assert refused(response, status), reason


def test_requirement_088_refusal_repeats_nothing_of_the_patient(service: Service) -> None:
    marked = patient(id="MRN-4711-Doe", name=[{"family": "MRN-4711-Doe"}])
    request = hook_request(patient=marked, conditions=bundle())

    response = service.ask(request)

    refused(response, 400)
    assert "MRN-4711-Doe" not in response.text


def test_requirement_009_no_action_selection_behavior(site: Site) -> None:
    places = {place for answer in answers(site) for place, _ in members(answer)}

    assert not [place for place in places if place.endswith("actionSelectionBehavior")]


def test_requirement_183_members_of_our_own_stand_in_extensions_only(site: Site) -> None:
    for answer in answers(site):
        for place, value in members(answer):
            if place in KNOWN_MEMBERS:
                objects = value if isinstance(value, dict) else {}
                assert objects.keys() <= KNOWN_MEMBERS[place]
            if isinstance(value, dict) and ".extension" not in place:
                assert place in KNOWN_MEMBERS


@pytest.mark.parametrize("value", [{}, {"x": 1}, None, 7, "x", [], [1]])
def test_requirement_184_extension_of_any_type_does_no_harm(service: Service, value: Any) -> None:
    assert service.ask(hook_request(members={"extension": value})).status_code == 200


def test_requirement_184_185_extension_is_an_object_with_unique_names(site: Site) -> None:
    extensions = [answer["extension"] for answer in answers(site)]

    assert extensions
    for extension in extensions:
        assert isinstance(extension, dict)
        assert all(REVERSE_DOMAIN.fullmatch(name) for name in extension)
