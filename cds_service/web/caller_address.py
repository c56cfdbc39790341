"""Where a request came from: the address of the connection, unless that is a proxy the site listed.

X-Forwarded-For is the caller's own text. Of its entries only the one that a listed proxy added is believed: read from
the right, the first address that is no listed proxy.
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING

from flask import request

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

# Where a server gives none, as on a Unix socket.
_UNKNOWN = "unknown"


def caller_address(trusted_proxies: AbstractSet[str]) -> str:
    """Return the address that sent the current request, as far as it can be believed."""
    # A socket for IPv6 and IPv4 shows IPv4 addresses in this form.
    address = (request.environ.get("REMOTE_ADDR") or _UNKNOWN).removeprefix("::ffff:")
    if address not in trusted_proxies:
        return address
    for entry in reversed(request.headers.get("X-Forwarded-For", "").split(",")):
        named = entry.strip()
        if not _is_address(named):
            break
        address = named
        if named not in trusted_proxies:
            break
    return address


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
