"""The description and the service agree: routes, statuses, bodies, in both directions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from cds_service.web.pages import kept_document
from tests.conformance.answers import HOOKS
from tests.support import openapi
from tests.support.charts import hook_request
from tests.support.openapi import DOCUMENT, HOOK

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from tests.conformance.conftest import Service, Site


METHODS = ("GET", "POST")


def test_description_is_valid_openapi() -> None:
    assert [error.message for error in OpenAPIV31SpecValidator(DOCUMENT).iter_errors()] == []


def test_description_with_an_error_is_not_valid() -> None:
    broken = kept_document()
    del broken["paths"]["/livez"]["get"]["responses"]["200"]["description"]

    assert list(OpenAPIV31SpecValidator(broken).iter_errors())


def test_served_description_names_the_address_of_the_site(site: Site) -> None:
    http = site(service={"public_url": "https://other.hospital.example/cds"}).http

    served = http.get("/openapi.json").get_json()

    assert served["servers"] == [{"url": "https://other.hospital.example/cds"}]
    assert served["paths"] == DOCUMENT["paths"]
    assert served["components"] == DOCUMENT["components"]


def described(rule: str) -> str:
    """Write the path of a rule as OpenAPI does."""
    return rule.replace("<", "{").replace(">", "}")


def test_every_route_is_described_and_nothing_else(service: Service) -> None:
    rules = service.http.application.url_map.iter_rules()
    routes = {(described(rule.rule), method) for rule in rules for method in rule.methods or () if method in METHODS}

    assert routes == {(path, method) for path, method, _ in openapi.operations()}


@pytest.mark.parametrize(
    "name", [name for name, schema in DOCUMENT["components"]["schemas"].items() if "examples" in schema]
)
def test_example_keeps_to_its_schema_and_is_answered(service: Service, name: str) -> None:
    for example in DOCUMENT["components"]["schemas"][name]["examples"]:
        assert list(openapi.schema_named(name).iter_errors(example)) == []
        assert service.outcome(example) == "not-eligible"


@pytest.mark.parametrize("name", HOOKS)
def test_answer_of_every_outcome_keeps_to_the_description(service: Service, name: str) -> None:
    body, _outcome = HOOKS[name]

    answer = service.ask(body)

    assert openapi.problems(HOOK, "POST", answer.status_code, answer.headers, answer.data) == []


@pytest.mark.parametrize(
    ("place", "value", "reason"),
    [
        ("summary", "x" * 140, "too long"),
        ("summary", "two\nlines", "not one line"),
        ("indicator", "hard-stop", "of an older version"),
        ("uuid", "7", "no uuid"),
        ("selectionBehavior", "any", "nothing that is not described"),
    ],
)
def test_card_that_breaks_a_limit_is_seen(service: Service, place: str, value: str, reason: str) -> None:
    (card,) = service.cards(hook_request())

    assert openapi.schema_named("Card").is_valid(card)
    assert not openapi.schema_named("Card").is_valid(card | {place: value}), reason


DECIDED = {
    "outcome": "above-cutoff",
    "cutoff": "405.08",
    "ruleVersion": "1",
    "sii": "500",
    "basis": "absolute",
    "sampleTime": "2026-10-14",
}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"sii": None}, "a decision without its figure"),
        ({"outcome": "indeterminate"}, "a figure where nothing was decided"),
        ({"relation": "after"}, "a relation without its days"),
        ({"reasons": ["because"]}, "a reason that is not in the vocabulary"),
        ({"exclusions": {}}, "nothing counted"),
    ],
)
def test_assessment_that_contradicts_itself_is_seen(changes: dict[str, Any], reason: str) -> None:
    assert openapi.schema_named("Assessment").is_valid(DECIDED)
    broken = {name: value for name, value in (DECIDED | changes).items() if value is not None}
    assert not openapi.schema_named("Assessment").is_valid(broken), reason


def defect_in(http: FlaskClient, endpoint: str) -> None:
    """Make a view fail in a way nobody foresaw."""

    def fail(**_: str) -> NoReturn:
        raise ZeroDivisionError

    http.application.view_functions[endpoint] = fail


@pytest.mark.parametrize(("path", "method"), [(path, method) for path, method, _ in openapi.operations()])
def test_defect_keeps_to_the_description(site: Site, path: str, method: str) -> None:
    http = site().http
    (rule,) = (rule for rule in http.application.url_map.iter_rules() if described(rule.rule) == path)
    defect_in(http, rule.endpoint)

    answer = http.open(path, method=method)

    assert answer.status_code == 500
    assert openapi.problems(path, method, 500, answer.headers, answer.data) == []


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [("/cds-services/unknown", "POST", 404), ("/", "GET", 404), *[(path, "PUT", 405) for path in DOCUMENT["paths"]]],
)
def test_other_paths_and_methods_keep_to_the_description(service: Service, path: str, method: str, status: int) -> None:
    answer = service.http.open(path, method=method)

    assert answer.status_code == status
    assert openapi.problems(path, method, status, answer.headers, answer.data) == []
