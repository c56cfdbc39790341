"""Cross-origin requests of browser-based CDS Clients (requirement 182): configured origins only.

The headers stand on every path and every status: a browser hides a 401 or 412 without them from the client. Tokens
travel in the Authorization header, which is not what CORS calls credentials, so none are allowed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Response, request

from cds_service.web.request_ids import REQUEST_ID_HEADER

if TYPE_CHECKING:
    from werkzeug.datastructures import Headers

    from cds_service.web.exchange import Exchange

_PREFLIGHT_HEADERS = {
    "Access-Control-Allow-Methods": "GET, HEAD, POST",
    "Access-Control-Allow-Headers": "Authorization, Content-Type",
    "Access-Control-Max-Age": "600",
}
_EXPOSED = f"{REQUEST_ID_HEADER}, WWW-Authenticate"


def answer_preflight(exchange: Exchange) -> Response | None:
    """Answer a preflight of an allowed origin, without token and before routing; None for all other requests."""
    if request.method != "OPTIONS" or "Access-Control-Request-Method" not in request.headers:
        return None
    if request.headers.get("Origin") not in exchange.parts.cors_origins:
        return None
    response = Response(status=204, headers=_PREFLIGHT_HEADERS)
    # There is no body that could have one.
    del response.headers["Content-Type"]
    return response


def add_cors_headers(exchange: Exchange, response: Response) -> None:
    """Let the page of an allowed origin read the answer; caches keep answers of different origins apart."""
    allowed = exchange.parts.cors_origins
    if not allowed:
        return
    _add_vary(response.headers)
    origin = request.headers.get("Origin")
    if origin is not None and origin in allowed:
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Expose-Headers"] = _EXPOSED


def _add_vary(headers: Headers) -> None:
    present = headers.get("Vary")
    headers["Vary"] = f"{present}, Origin" if present else "Origin"
