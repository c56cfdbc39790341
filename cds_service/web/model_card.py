"""GET /model-card: HTML for people, JSON for programs, by the Accept header."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Response, request

from cds_service.web.answers import JSON, json_answer
from cds_service.web.authentication import PublicView
from cds_service.web.exchange import current_exchange
from cds_service.web.paths import MODEL_CARD

if TYPE_CHECKING:
    from flask import Flask

HTML = "text/html"
# A document that runs nothing and loads nothing; its styles stand in it.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; frame-ancestors 'none'"


def add_model_card_route(app: Flask) -> None:
    """Serve the model card. Browsers and callers without preference get HTML."""
    app.add_url_rule(MODEL_CARD, "model-card", PublicView(_show_model_card), methods=["GET"])


def _show_model_card() -> Response:
    card = current_exchange().parts.model_card
    if request.accept_mimetypes.best_match([HTML, JSON], default=HTML) == JSON:
        response = json_answer(card.json())
    else:
        response = Response(card.html(), content_type=f"{HTML}; charset=utf-8")
        response.headers["Content-Security-Policy"] = _POLICY
    response.vary.add("Accept")
    return response
