"""Headers that every answer gets: the request id, what browsers must not do, and who may read it across origins.

The request id is always the one of the service. An id chosen by the caller could carry patient data into the log or
imitate another request. Strict-Transport-Security is left to the TLS terminator: it speaks for the whole host name,
which may serve others.

The CORS headers (requirement 182) stand on every path and every status: a browser hides a 401 or 412 without them from
the client. Tokens travel in the Authorization header, which is not what CORS calls credentials, so none are allowed.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from flask import Response, request

if TYPE_CHECKING:
    from werkzeug.datastructures import Headers

    from cds_service.web.exchange import Exchange


REQUEST_ID_HEADER = "X-Request-Id"


def add_request_id(exchange: Exchange, response: Response) -> None:
    """Name the request in the answer."""
    response.headers.add(REQUEST_ID_HEADER, exchange.request_id)


_HEADERS = (
    ("X-Content-Type-Options", "nosniff"),
    ("Cache-Control", "no-store"),
    ("Referrer-Policy", "no-referrer"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
)


def add_security_headers(response: Response) -> None:
    """Add the headers that a page did not bring itself."""
    headers = response.headers
    for name, value in _HEADERS:
        if name not in headers:
            headers.add(name, value)


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
