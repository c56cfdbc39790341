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
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
)


def add_security_headers(response: Response) -> None:
    """Add the headers that a page did not bring itself."""
    headers = response.headers
    for name, value in _HEADERS:
        if name not in headers:
            headers.add(name, value)
