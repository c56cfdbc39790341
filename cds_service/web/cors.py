"""Cross-origin requests of browser-based CDS Clients (requirement 182): configured origins only.

The headers stand on every path and every status: a browser hides a 401 or 412 without them from the client. Tokens
travel in the Authorization header, which is not what CORS calls credentials, so none are allowed.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from flask import Response, request

from cds_service.web.request_ids import REQUEST_ID_HEADER

if TYPE_CHECKING:
    from werkzeug.datastructures import Headers

    from cds_service.web.exchange import Exchange

_PREFLIGHT_HEADERS = {
    "Access-Control-Allow-Methods": "GET, HEAD, POST",
    "Access-Control-Max-Age": "600",
}
# What clients of this service need in any case; a page may send more, as tracing does (traceparent).
_USUAL_HEADERS: Final = "Authorization, Content-Type"
_HEADER_NAMES: Final = re.compile(
    r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}([ \t]*,[ \t]*[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}){0,63}"
)
_EXPOSED = f"{REQUEST_ID_HEADER}, WWW-Authenticate"


def answer_preflight(exchange: Exchange) -> Response | None:
    """Answer a preflight of an allowed origin, without token and before routing; None for all other requests."""
    if request.method != "OPTIONS" or "Access-Control-Request-Method" not in request.headers:
        return None
    if request.headers.get("Origin") not in exchange.parts.cors_origins:
        return None
    response = Response(status=204, headers=_PREFLIGHT_HEADERS)
    response.headers["Access-Control-Allow-Headers"] = _allowed_headers()
    _add_to_vary(response.headers, "Access-Control-Request-Headers")
    # There is no body that could have one.
    del response.headers["Content-Type"]
    return response


def add_cors_headers(exchange: Exchange, response: Response) -> None:
    """Let the page of an allowed origin read the answer; caches keep answers of different origins apart."""
    allowed = exchange.parts.cors_origins
    if not allowed:
        return
    _add_to_vary(response.headers, "Origin")
    origin = request.headers.get("Origin")
    if origin is not None and origin in allowed:
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Expose-Headers"] = _EXPOSED


def _allowed_headers() -> str:
    """Return the headers that the page asks for: none of them decides anything here but the usual ones."""
    asked = request.headers.get("Access-Control-Request-Headers", "")
    return asked if _HEADER_NAMES.fullmatch(asked) else _USUAL_HEADERS


def _add_to_vary(headers: Headers, name: str) -> None:
    present = headers.get("Vary")
    headers["Vary"] = f"{present}, {name}" if present else name
