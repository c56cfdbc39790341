"""GET /openapi.json: the description of this interface, with the address of this site."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cds_service.web.answers import json_answer
from cds_service.web.authentication import PublicView
from cds_service.web.exchange import current_exchange
from cds_service.web.paths import OPENAPI

if TYPE_CHECKING:
    from flask import Flask, Response


def add_openapi_route(app: Flask) -> None:
    """Serve the document. It names nothing that discovery does not, so it is public."""
    app.add_url_rule(OPENAPI, "openapi", PublicView(_show_document), methods=["GET"])


def _show_document() -> Response:
    # Imported when asked for: a service that is never asked spends neither time nor memory on it.
    from cds_service.web.openapi.document import encoded_document

    return json_answer(encoded_document(current_exchange().parts.public_url))
