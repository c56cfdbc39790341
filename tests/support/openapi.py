"""The description of the HTTP interface as a judge of answers: status, headers, content type and body."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator

from cds_service.services.sii_recurrence_risk import SII_RECURRENCE_RISK
from cds_service.web.pages import kept_document
from cds_service.web.paths import feedback_path, service_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from werkzeug.datastructures import Headers

HOOK = service_path(SII_RECURRENCE_RISK.id)
FEEDBACK = feedback_path(SII_RECURRENCE_RISK.id)
DOCUMENT = kept_document()

# Answers that no operation of a path has: another method, another path.
EVERYWHERE = frozenset({404, 405})


def validator(schema: dict[str, Any]) -> Draft202012Validator:
    """Return a validator for a schema of the document, which may refer to the others."""
    whole = schema | {"components": DOCUMENT["components"]}
    return Draft202012Validator(whole, format_checker=Draft202012Validator.FORMAT_CHECKER)


def schema_named(name: str) -> Draft202012Validator:
    """Return the validator of a named schema."""
    return _validator_named(name)


@cache
def _validator_named(name: str) -> Draft202012Validator:
    return validator({"$ref": f"#/components/schemas/{name}"})


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield path, method and operation."""
    for path, item in DOCUMENT["paths"].items():
        for method, operation in item.items():
            yield path, method.upper(), operation


def described_statuses(path: str, method: str) -> frozenset[int]:
    """Return the statuses that the operation names."""
    return frozenset(map(int, DOCUMENT["paths"][path][method.lower()]["responses"]))


def problems(path: str, method: str, status: int, headers: Mapping[str, str] | Headers, body: bytes) -> list[str]:
    """Name in what an answer differs from its description; nothing when it keeps to it."""
    response = _response(path, method, status)
    if response is None:
        return [f"status {status} is not described for {method} {path}"]
    media_type = headers["Content-Type"].partition(";")[0]
    if media_type not in response["content"]:
        return [f"{media_type} is not described for {status}"]
    lacking = [name for name, header in response["headers"].items() if header["required"] and name not in headers]
    if media_type != "application/json":
        return lacking
    found = _body_validator(path, method, status).iter_errors(json.loads(body))
    return lacking + [f"{error.json_path}: {error.message}" for error in found]


def _response(path: str, method: str, status: int) -> dict[str, Any] | None:
    item = DOCUMENT["paths"].get(path, {})
    # Another method is answered as the one that is described says.
    operation = item.get(method.lower(), next(iter(item.values()), {"responses": {}}) if status == 405 else {})
    response: dict[str, Any] | None = operation.get("responses", {}).get(str(status))
    if status in EVERYWHERE and response is None:
        response = {"$ref": f"#/components/responses/Status{status}"}
    if response is not None and "$ref" in response:
        response = DOCUMENT["components"]["responses"][response["$ref"].rpartition("/")[2]]
    return response


@cache
def _body_validator(path: str, method: str, status: int) -> Draft202012Validator:
    response = _response(path, method, status)
    assert response is not None
    return validator(response["content"]["application/json"]["schema"])
