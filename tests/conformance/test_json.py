"""Use of JSON (requirements 1-6)."""

import json

import pytest

from tests.conformance.answers import HOOKS, MAY_BE_EMPTY, members
from tests.conformance.conftest import DISCOVERY, FEEDBACK, SERVICE, Service, Site
from tests.conformance.outcomes import refused
from tests.support.charts import Json, hook_request


def strictly_parsed(body: bytes) -> Json:
    """Parse as RFC 8259 does: no NaN, no name twice."""

    def once(pairs: list[tuple[str, object]]) -> dict[str, object]:
        names = [name for name, _ in pairs]
        assert len(names) == len(set(names)), names
        return dict(pairs)

    def refuse(constant: str) -> object:
        raise AssertionError(constant)

    parsed = json.loads(body.decode("utf-8"), object_pairs_hook=once, parse_constant=refuse)
    assert isinstance(parsed, dict)
    return parsed


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", DISCOVERY, None),
        ("POST", SERVICE, hook_request()),
        ("POST", SERVICE, {}),
        ("POST", SERVICE, hook_request(without=("conditions",))),
        ("POST", FEEDBACK, {"feedback": []}),
        ("POST", FEEDBACK, {}),
        ("GET", "/unknown", None),
        ("GET", SERVICE, None),
        ("GET", "/livez", None),
        ("GET", "/readyz", None),
    ],
)
def test_requirement_001_every_answer_is_json(service: Service, method: str, path: str, body: Json | None) -> None:
    response = service.http.open(path, method=method, json=body)

    assert response.headers["Content-Type"] == "application/json"
    strictly_parsed(response.data)


@pytest.mark.parametrize(("body", "status"), [({}, 400), (hook_request(without=("conditions",)), 412)])
def test_requirement_002_operation_outcome_is_fhir_json(service: Service, body: Json, status: int) -> None:
    # `refused` hands the body to a FHIR parser.
    refused(service.ask(body), status)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (json.dumps(hook_request())[:-1] + ",}", "trailing comma"),
        ("// why\n" + json.dumps(hook_request()), "line comment"),
        (json.dumps(hook_request())[:-1] + "/* why */}", "comment"),
    ],
)
def test_requirement_003_comment_or_trailing_comma_is_refused_cleanly(service: Service, text: str, reason: str) -> None:
    response = service.http.post(SERVICE, data=text, content_type="application/json")

    assert refused(response, 400), reason


def everything_sent(site: Site) -> list[Json]:
    """Discovery and every kind of answer, with all cards shown that a site can show."""
    service = site(cards={"show_not_above_cutoff": True})
    return [service.http.get(DISCOVERY).get_json(), *(service.ask(request).get_json() for request, _ in HOOKS.values())]


def test_requirement_004_no_member_is_null(site: Site) -> None:
    nulls = [place for body in everything_sent(site) for place, value in members(body) if value is None]

    assert nulls == []


def test_requirement_005_no_member_is_empty(site: Site) -> None:
    empties = {place for body in everything_sent(site) for place, value in members(body) if value in ("", [], {})}

    assert empties <= MAY_BE_EMPTY


def test_requirement_006_members_without_value_are_left_out(service: Service) -> None:
    with_extension = service.ask(HOOKS["not eligible"][0]).get_json()
    (card,) = service.cards(HOOKS["above"][0])

    assert with_extension.keys() == {"cards", "extension"}
    assert not {"suggestions", "selectionBehavior", "systemActions", "icon"} & card.keys()
