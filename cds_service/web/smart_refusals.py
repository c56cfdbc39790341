"""What a person reads who opened the trend app and gets no page of it: a small page, whatever went wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Response, request

from cds_service.smart.addresses import PREFIX
from cds_service.smart.page import content_security_policy, refusal_page

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cds_service.web.exchange import Exchange

_HTML = "text/html; charset=utf-8"


def is_for_a_person() -> bool:
    """Tell whether a browser asked for a page; key sets are for programs."""
    return request.path.startswith(PREFIX) and not request.path.endswith(".json")


def refusal_answer(exchange: Exchange, status: int, reason: str, named: Sequence[str] = ()) -> Response:
    """Return the page of a refusal, in the frame of the EHR where the app may stand there."""
    page = refusal_page(status, reason, named, exchange.request_id, exchange.parts.language)
    response = Response(page, status, content_type=_HTML)
    ancestors = exchange.trend_app.registration.frame_ancestors if exchange.trend_app is not None else ()
    response.headers["Content-Security-Policy"] = content_security_policy(ancestors)
    return response
