"""GET /openapi.json: the kept description of the HTTP interface, with the address and the services of this site."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

import msgspec

from cds_service.web.answers import json_answer
from cds_service.web.authentication import PublicView
from cds_service.web.exchange import current_exchange
from cds_service.web.paths import OPENAPI, service_path

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flask import Flask, Response

    from cds_service.web.ports import Running

# The service whose paths stand in the kept document. Every other one takes and answers the same.
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
    """Give the operations of a further service names of their own, as OpenAPI wants them."""
    if service == DESCRIBED_SERVICE:
        return item
    return {
        method: operation | {"operationId": f"{operation['operationId']}-{service}"}
        for method, operation in item.items()
    }
