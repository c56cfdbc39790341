"""What protects the demo page in a browser: response headers, and no answers to other sites' forms."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Request, Response

_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self';"
    " base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    # Not "no-referrer": with it, browsers send "Origin: null" with the forms.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def add_protection(response: Response) -> Response:
    """Set the headers of every page of the demo; one that states a stricter policy of its own keeps it."""
    response.headers.setdefault("Content-Security-Policy", _POLICY)
    response.headers.update(_HEADERS)
    return response


def came_from_this_site(request: Request) -> bool:
    """Return whether a form was sent by a page of this site.

    Browsers say so in Sec-Fetch-Site; older ones send Origin. A request with neither is refused: no page
    of the demo leads to one.
    """
    fetch_site = request.headers.get("Sec-Fetch-Site")
    if fetch_site is not None:
        return fetch_site == "same-origin"
    return request.headers.get("Origin") == request.host_url.rstrip("/")
