"""The kept description says what the code says: its words, limits, refusals and schemas, compared one by one."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from cds_service.acquisition import prefetch
from cds_service.cards.extension import EXTENSION_NAME
from cds_service.cards.gaps import Gap
from cds_service.clinical.reasons import Reason
from cds_service.errors import (
    ConfigurationError,
    LaunchError,
    MissingExtraError,
    ServiceError,
    UnauthenticatedError,
)
from cds_service.hooks import discovery, feedback, request, response
from cds_service.model_card.parts import ModelCardContent
from cds_service.web.pages import with_services
from tests.support import openapi
from tests.support.openapi import DOCUMENT, FEEDBACK, HOOK

if TYPE_CHECKING:
    from collections.abc import Iterator

SCHEMAS: dict[str, Any] = DOCUMENT["components"]["schemas"]
RESPONSES: dict[str, Any] = DOCUMENT["components"]["responses"]

PREFETCH_KEYS = [prefetch.PATIENT, prefetch.BLOOD_COUNTS, prefetch.ALBUMIN, prefetch.CONDITIONS, prefetch.PROCEDURES]


def member(schema: str, name: str) -> dict[str, Any]:
    found: dict[str, Any] = SCHEMAS[schema]["properties"][name]
    return found["anyOf"][0] if "anyOf" in found else found


@pytest.mark.parametrize(
    ("described", "coded", "reason"),
    [
        (DOCUMENT["info"]["version"], version("sii-cds"), "pyproject.toml holds the version"),
        (SCHEMAS["ReasonName"]["enum"], [str(reason) for reason in Reason], "the vocabulary of reasons"),
        (
            member("Assessment", "notDelivered")["items"]["enum"],
            list(dict.fromkeys(gap.key for gap in Gap)),
            "data that an answer can do without",
        ),
        (sorted(SCHEMAS["Prefetch"]["properties"]), sorted(PREFETCH_KEYS), "what a client may deliver"),
        (member("Service", "prefetch")["required"], PREFETCH_KEYS, "what discovery asks for"),
        (list(member("CDSResponse", "extension")["properties"]), [EXTENSION_NAME], "the name of the extension"),
        (member("CDSRequest", "hook")["const"], request.HOOK, "the hook that is answered"),
        (member("Service", "hook")["const"], request.HOOK, "the hook that is offered"),
        (member("CDSRequest", "hookInstance")["maxLength"], request.LONGEST_TEXT, "a longer one is refused"),
        (member("Context", "userId")["maxLength"], request.LONGEST_TEXT, "a longer one is refused"),
        (member("Context", "patientId")["pattern"], request.BARE_ID, "FHIR syntax is no id"),
        (member("FeedbackRequest", "feedback")["maxItems"], feedback.MOST_ITEMS, "a longer batch is refused"),
        (member("Feedback", "card")["maxLength"], feedback.LONGEST_ID, "a longer one is refused"),
        (member("Feedback", "acceptedSuggestions")["maxItems"], feedback.MOST_SUGGESTIONS, "more are refused"),
        (RESPONSES["Status401"]["headers"]["WWW-Authenticate"]["schema"]["const"], "Bearer", "RFC 6750"),
    ],
)
def test_description_value_written_in_the_code_too_is_the_same(described: Any, coded: Any, reason: str) -> None:
    assert described == coded, reason


STRUCTS: list[tuple[type[msgspec.Struct], str]] = [
    (request.CDSRequest, "CDSRequest"),
    (request.Context, "Context"),
    (feedback._Item, "Feedback"),
    (feedback._Override, "OverrideReason"),
    (feedback.ReasonCode, "ReasonCode"),
    (discovery.ServiceDescription, "Service"),
    (discovery.Discovery, "Discovery"),
    (response.CDSResponse, "CDSResponse"),
    (response.Card, "Card"),
    (response.Source, "Source"),
    (response.Link, "Link"),
    (response.Coding, "Coding"),
]


@pytest.mark.parametrize(("struct", "name"), STRUCTS)
def test_schema_of_a_struct_has_the_members_that_are_read_or_written(struct: type[msgspec.Struct], name: str) -> None:
    assert set(SCHEMAS[name]["properties"]) == set(struct.__struct_encode_fields__)


def form(schema: Any) -> Any:
    """Leave out the texts: how a part is explained is free, what it is made of is not."""
    if isinstance(schema, dict):
        return {name: form(value) for name, value in schema.items() if name != "description" or isinstance(value, dict)}
    return [form(item) for item in schema] if isinstance(schema, list) else schema


def test_schemas_of_the_model_card_are_those_of_its_structs() -> None:
    _, parts = msgspec.json.schema_components([ModelCardContent], ref_template="#/components/schemas/{name}")

    assert {name: form(SCHEMAS.get(name)) for name in parts} == form(parts)


# They end a command, a start or a reload; no request leads to them. Those of a launch are told by a page.
NEVER_ANSWERED = (ConfigurationError, MissingExtraError)
OF_LAUNCHES = {kind.status for kind in LaunchError.__subclasses__()}
REDIRECT = 303


def errors_by_status() -> dict[int, list[type[ServiceError]]]:
    found: dict[int, list[type[ServiceError]]] = {}
    for kind in family(ServiceError):
        if kind not in NEVER_ANSWERED and not issubclass(kind, LaunchError):
            found.setdefault(kind.status, []).append(kind)
    return found


def family(kind: type[ServiceError]) -> Iterator[type[ServiceError]]:
    yield kind
    for child in kind.__subclasses__():
        if child.__module__ == ServiceError.__module__:
            yield from family(child)


def test_described_statuses_are_those_of_the_exception_tree() -> None:
    described = {
        status for path, method, _ in openapi.operations() for status in openapi.described_statuses(path, method)
    }

    assert described | openapi.EVERYWHERE == {200, REDIRECT, *errors_by_status(), *OF_LAUNCHES}


@pytest.mark.parametrize(("status", "kinds"), sorted(errors_by_status().items()))
def test_refusal_has_the_texts_and_issue_codes_of_its_errors(status: int, kinds: list[type[ServiceError]]) -> None:
    refusal = RESPONSES[f"Status{status}"]
    issue = refusal["content"]["application/json"]["schema"]["properties"]["issue"]["items"]

    assert refusal["description"] == " ".join(dict.fromkeys(kind.client_text for kind in kinds))
    assert issue["properties"]["code"]["enum"] == sorted({kind.issue_code for kind in kinds})


def test_refusal_without_valid_token_always_has_the_same_text() -> None:
    refusal = RESPONSES["Status401"]["content"]["application/json"]["schema"]["properties"]["issue"]["items"]

    assert refusal["properties"]["diagnostics"] == {"const": UnauthenticatedError.client_text}


def test_paths_of_two_registered_services_are_both_described() -> None:
    paths = with_services(DOCUMENT["paths"], ("sii-recurrence-risk", "another-index"))

    another = "/cds-services/another-index"
    assert set(paths) == {*DOCUMENT["paths"], another, f"{another}/feedback"}
    assert paths[HOOK] == DOCUMENT["paths"][HOOK]
    assert paths[another]["post"]["requestBody"] == paths[HOOK]["post"]["requestBody"]
    names = [operation["operationId"] for item in paths.values() for operation in item.values()]
    assert len(names) == len(set(names))


def test_paths_of_a_service_that_is_not_registered_are_left_out() -> None:
    paths = with_services(DOCUMENT["paths"], ("another-index",))

    assert HOOK not in paths
    assert FEEDBACK not in paths
    assert list(paths["/cds-services/another-index/feedback"]) == ["post"]
