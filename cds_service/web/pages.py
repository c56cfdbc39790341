"""The routes that are only read: discovery, health, the model card and the OpenAPI description."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

import msgspec
from flask import Response, request

from cds_service.errors import NotReadyError, ServiceError
from cds_service.hooks.discovery import Discovery
from cds_service.web.authentication import OpenView, PublicView
from cds_service.web.body import JSON, json_answer
from cds_service.web.exchange import current_exchange
from cds_service.web.paths import DISCOVERY, LIVENESS, MODEL_CARD, OPENAPI, READINESS, service_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from flask import Flask

    from cds_service.web.ports import ReadinessCheck, Running


def add_discovery_route(app: Flask, running: Running) -> None:
    """Serve discovery. It needs no data, so it answers while everything behind the service is down."""

    def describe_services() -> Response:
        services = current_exchange().parts.services.values()
        discovery = Discovery(tuple(service.describe() for service in services))
        return json_answer(msgspec.json.encode(discovery))

    app.add_url_rule(DISCOVERY, "discovery", OpenView(running, DISCOVERY, describe_services), methods=["GET"])


def add_health_routes(app: Flask) -> None:
    """Serve liveness (the process answers) and readiness (a hook would be answered)."""
    app.add_url_rule(LIVENESS, "livez", PublicView(_tell_alive), methods=["GET"])
    app.add_url_rule(READINESS, "readyz", PublicView(_tell_ready), methods=["GET"])


def _tell_alive() -> Response:
    return json_answer(b'{"status":"alive"}')


def _tell_ready() -> Response:
    failures = _failures(current_exchange().parts.readiness)
    if failures:
        raise NotReadyError(
            f"The service is not ready: {', '.join(failures)}.",
            log_detail="; ".join(f"{name}: {detail}" for name, detail in failures.items()),
        )
    return json_answer(b'{"status":"ready"}')


def _failures(checks: Mapping[str, ReadinessCheck]) -> dict[str, str]:
    """Run every check, so that one answer names all that is wrong."""
    failures = {}
    for name, check in checks.items():
        try:
            check()
        except ServiceError as error:
            failures[name] = error.log_detail or error.client_text
    return failures


HTML = "text/html"
# A document that runs nothing and loads nothing; its styles stand in it.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; frame-ancestors 'none'"


def add_model_card_route(app: Flask) -> None:
    """Serve the model card. Browsers and callers without preference get HTML."""
    app.add_url_rule(MODEL_CARD, "model-card", PublicView(_show_model_card), methods=["GET"])


def _show_model_card() -> Response:
    card = current_exchange().parts.model_card
    language = _language_of(card.offered)
    if request.accept_mimetypes.best_match([HTML, JSON], default=HTML) == JSON:
        response = json_answer(card.json(language))
    else:
        response = Response(card.html(language), content_type=f"{HTML}; charset=utf-8")
        response.headers["Content-Security-Policy"] = _POLICY
    response.vary.update(("Accept", "Accept-Language"))
    response.headers["Content-Language"] = language
    return response


def _language_of(offered: Sequence[str]) -> str:
    """Choose the language that the address names, else one that the browser asks for, else the first."""
    asked = request.args.get("language", "")
    if asked in offered:
        return asked
    wanted = [tag.partition("-")[0].lower() for tag, quality in request.accept_languages if quality > 0]
    return next((language for tag in wanted for language in offered if language.partition("-")[0] == tag), offered[0])


# The service that the kept document describes. Every other one takes and answers the same.
DESCRIBED_SERVICE: Final = "sii-recurrence-risk"


def add_openapi_route(app: Flask, running: Running) -> None:
    """Serve the document. It names nothing that discovery does not, so it is public."""
    services = tuple(running.parts.services)

    def show_document() -> Response:
        return json_answer(encoded_document(current_exchange().parts.public_url, services))

    app.add_url_rule(OPENAPI, "openapi", PublicView(show_document), methods=["GET"])


@lru_cache(maxsize=4)
def encoded_document(public_url: str, services: tuple[str, ...]) -> bytes:
    """Return the document of a site as JSON. It is read when it is first asked for, not at the start of a worker."""
    document = kept_document()
    document["servers"] = [{"url": public_url}]
    document["paths"] = with_services(document["paths"], services)
    return msgspec.json.encode(document)


def kept_document() -> dict[str, Any]:
    """Return the description as it is kept, with the address of an example."""
    document: dict[str, Any] = msgspec.json.decode(files("cds_service.web").joinpath("openapi.json").read_bytes())
    return document


def with_services(paths: dict[str, Any], services: Iterable[str]) -> dict[str, Any]:
    """Return the paths with the hook and the feedback of each registered service in the place of the described one."""
    described = service_path(DESCRIBED_SERVICE)
    found: dict[str, Any] = {}
    for path, item in paths.items():
        if path.startswith(described):
            found |= {path.replace(described, service_path(name)): _operations_of(name, item) for name in services}
        else:
            found[path] = item
    return found


def _operations_of(service: str, item: dict[str, Any]) -> dict[str, Any]:
    """Return the operations of a service under ids of their own: OpenAPI wants each operationId once."""
    if service == DESCRIBED_SERVICE:
        return item
    return {
        method: operation | {"operationId": f"{operation['operationId']}-{service}"}
        for method, operation in item.items()
    }
