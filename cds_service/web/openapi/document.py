"""The whole document: one path item for each route, and the schemas they refer to."""

from __future__ import annotations

from functools import lru_cache
from importlib.metadata import version
from typing import Any, Final

import msgspec

from cds_service.services.sii_recurrence_risk import SERVICE_ID
from cds_service.web import paths
from cds_service.web.openapi.answers import answer_schemas
from cds_service.web.openapi.refusals import REQUEST_ID_HEADER, refusal_name, refusal_responses
from cds_service.web.openapi.requests import request_schemas
from cds_service.web.openapi.schemas import Schema, ref

# Where the site of the kept copy (docs/openapi.json) is.
EXAMPLE_URL: Final = "https://cds.hospital.example"

_JSON: Final = "application/json"
_TOKEN: Final = "clientToken"  # noqa: S105  the name of a scheme
_ABOUT: Final = (
    "CDS Hooks service for the systemic immune-inflammation index (SII). Every answer other than 200 is a FHIR "
    "OperationOutcome without patient data. What holds for all paths: HEAD is answered like GET, without body; OPTIONS "
    "names the methods, and answers the preflight of a configured origin with 204; another method is answered with 405 "
    "(Status405), another path with 404 (Status404). A body must be one JSON text in UTF-8 without content encoding, "
    "at most server.max_request_bytes long; NaN and Infinity are refused; of a repeated member the last counts; "
    "numbers keep their digits; texts that are not read are not checked for UTF-8."
)


@lru_cache(maxsize=4)
def encoded_document(public_url: str) -> bytes:
    """Return the document of a site as JSON."""
    return msgspec.json.encode(build_document(public_url))


def build_document(public_url: str) -> dict[str, Any]:
    """Return the document; `public_url` is where the paths begin."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "sii-cds",
            "version": version("sii-cds"),
            "description": _ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": public_url}],
        "paths": _paths(),
        "components": {
            "schemas": request_schemas() | answer_schemas(),
            "responses": refusal_responses(),
            "securitySchemes": {_TOKEN: _token_scheme()},
        },
    }


def _token_scheme() -> Schema:
    return {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": (
            "JWT of the CDS Client (CDS Hooks 2.0, Trusting CDS Clients), signed with ES384 or RS384 and a new jti for "
            "each request; aud is the public address of the endpoint. Needed wherever authentication.required is true; "
            "on loopback a site may turn it off."
        ),
    }


def _paths() -> dict[str, Schema]:
    hook = paths.service_path(SERVICE_ID)
    return {
        paths.DISCOVERY: {"get": _discovery()},
        hook: {"post": _hook()},
        paths.feedback_path(SERVICE_ID): {"post": _feedback()},
        paths.LIVENESS: {"get": _open("livez", "The process is up.", {_JSON: ref("Alive")})},
        paths.READINESS: {"get": _open("readyz", "A hook would be answered.", {_JSON: ref("Ready")}, 503)},
        paths.METRICS: {"get": _open("metrics", "Prometheus metrics.", {"text/plain": {"type": "string"}})},
        paths.MODEL_CARD: {"get": _model_card()},
        paths.OPENAPI: {
            "get": _open("openapi", "This document.", {_JSON: {"type": "object", "required": ["openapi"]}})
        },
    }


def _discovery() -> Schema:
    operation = _open("discovery", "What the service offers.", {_JSON: ref("Discovery")}, 401, 403, 503)
    operation["description"] = "Needs no token; one that is sent must be valid."
    operation["security"] = [{}, {_TOKEN: []}]
    return operation


def _hook() -> Schema:
    operation = _open("hook", "Assess the patient of a chart.", {_JSON: ref("CDSResponse")}, *_REFUSED, 412, 503)
    return operation | {"security": [{_TOKEN: []}], "requestBody": _body("CDSRequest")}


def _feedback() -> Schema:
    operation = _open("feedback", "Tell what became of cards.", {_JSON: ref("Nothing")}, *_REFUSED, 503)
    return operation | {"security": [{_TOKEN: []}], "requestBody": _body("FeedbackRequest")}


def _model_card() -> Schema:
    content = {"text/html": {"type": "string"}, _JSON: ref("ModelCardContent")}
    operation = _open("modelCard", "The description of the rule.", content)
    operation["description"] = "HTML or JSON by the Accept header; HTML where both will do."
    return operation


_OBJECT: Final[Schema] = {"type": "object", "required": ["openapi"]}
_REFUSED: Final = (400, 401, 403, 413, 415, 501)


def _body(name: str) -> Schema:
    return {"required": True, "content": {_JSON: {"schema": ref(name)}}}


def _open(operation_id: str, summary: str, content: dict[str, Schema], *refusals: int) -> Schema:
    """Describe an operation that needs no token. Any operation may meet a defect, which is answered with 500."""
    success = {
        "description": summary,
        "headers": {"X-Request-Id": REQUEST_ID_HEADER},
        "content": {media_type: {"schema": schema} for media_type, schema in content.items()},
    }
    refused = {
        str(status): {"$ref": f"#/components/responses/{refusal_name(status)}"} for status in sorted((*refusals, 500))
    }
    return {"operationId": operation_id, "summary": summary, "responses": {"200": success, **refused}}
