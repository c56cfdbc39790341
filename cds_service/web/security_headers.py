"""Headers for every answer: nothing is sniffed, framed, cached or referred to.

Strict-Transport-Security is left to the TLS terminator: it speaks for the whole host name, which may serve others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Response

_HEADERS = (
    ("X-Content-Type-Options", "nosniff"),
    ("Cache-Control", "no-store"),
    ("Referrer-Policy", "no-referrer"),
)
_POLICY = "Content-Security-Policy"
_STRICTEST_POLICY = "default-src 'none'; frame-ancestors 'none'"


def add_security_headers(response: Response) -> None:
    """Add the headers. A page brings its own content security policy; nothing else needs one that allows anything."""
    response.headers.extend(_HEADERS)
    if _POLICY not in response.headers:
        response.headers.add(_POLICY, _STRICTEST_POLICY)
