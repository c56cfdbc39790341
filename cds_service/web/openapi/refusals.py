"""Every answer other than 200, taken from the exception tree: status, issue codes, text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cds_service.errors import ConfigurationError, MissingExtraError, ServiceError, UnauthenticatedError
from cds_service.web.openapi.schemas import Schema, answer, array, text

if TYPE_CHECKING:
    from collections.abc import Iterator

# They end a command, a start or a reload; no request leads to them.
_NEVER_ANSWERED = (ConfigurationError, MissingExtraError)

REQUEST_ID_HEADER: Schema = {
    "description": "Names the request in answer, log and audit record; always the service's own.",
    "schema": {"type": "string", "format": "uuid"},
    "required": True,
}


def refusal_statuses() -> dict[int, tuple[type[ServiceError], ...]]:
    """Return which errors of the tree lead to which status; 500 is also the answer to a defect."""
    found: dict[int, list[type[ServiceError]]] = {}
    for kind in _family(ServiceError):
        if kind not in _NEVER_ANSWERED:
            found.setdefault(kind.status, []).append(kind)
    return {status: tuple(kinds) for status, kinds in sorted(found.items())}


def _family(kind: type[ServiceError]) -> Iterator[type[ServiceError]]:
    yield kind
    for child in kind.__subclasses__():
        if child.__module__ == ServiceError.__module__:
            yield from _family(child)


def refusal_responses() -> dict[str, Schema]:
    """Return the responses by name: `Status412` and so on."""
    return {refusal_name(status): _response(status, kinds) for status, kinds in refusal_statuses().items()}


def refusal_name(status: int) -> str:
    """Name a response in the document."""
    return f"Status{status}"


def _response(status: int, kinds: tuple[type[ServiceError], ...]) -> Schema:
    meanings = dict.fromkeys(kind.client_text for kind in kinds)
    headers: Schema = {"X-Request-Id": REQUEST_ID_HEADER}
    if status == UnauthenticatedError.status:
        headers["WWW-Authenticate"] = {"schema": {"const": "Bearer"}, "required": True}
    return {
        "description": " ".join(meanings),
        "headers": headers,
        "content": {"application/json": {"schema": _outcome(status, kinds)}},
    }


def _outcome(status: int, kinds: tuple[type[ServiceError], ...]) -> Schema:
    codes = sorted({kind.issue_code for kind in kinds})
    if status == UnauthenticatedError.status:
        diagnostics: Schema = {"const": UnauthenticatedError.client_text}
    else:
        diagnostics = text("For people; without patient data.", pattern=r"\S Request id: [0-9a-f-]{36}$")
    issue = answer(
        "What is wrong.", {"severity": {"const": "error"}, "code": {"enum": codes}, "diagnostics": diagnostics}
    )
    return answer(
        "FHIR OperationOutcome.",
        {"resourceType": {"const": "OperationOutcome"}, "issue": array(issue, minItems=1, maxItems=1)},
    )
