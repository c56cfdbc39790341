"""What the head of a request says, and what of it can be believed: host, transfer coding, and where it came from.

Where two readers of one request understand its head differently, one of them can be made to see another request. So
what RFC 9112 leaves no doubt about is refused: a host that is not named exactly once (section 3.2), and a transfer
coding that is not understood (section 6.1). The server joins fields of one name by a comma.

X-Forwarded-For is the text of the caller. Of its entries only the one that a listed proxy added is believed: read from
the right, the first address that is no listed proxy. Proxies write addresses with ports, brackets and quotes, too.
"""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING, Final

from flask import request

from cds_service.errors import MalformedRequestError, UnknownTransferCodingError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


# The only protocol versions in which a request needs no host; the first is what granian makes of the second.
_WITHOUT_HOST: Final = frozenset({"HTTP/1", "HTTP/1.0", "HTTP/0.9"})


def check_head(environ: Mapping[str, str]) -> None:
    """Raise MalformedRequestError or UnknownTransferCodingError where the head is not clear."""
    host = environ.get("HTTP_HOST", "").strip()
    if "," in host or (not host and environ.get("SERVER_PROTOCOL") not in _WITHOUT_HOST):
        raise MalformedRequestError("The request must name its host exactly once.")
    coding = environ.get("HTTP_TRANSFER_ENCODING", "")
    if coding and coding.strip().lower() != "chunked":
        raise UnknownTransferCodingError


# Where a server gives none, as on a Unix socket.
_UNKNOWN: Final = "unknown"
# "[2001:db8::1]:443", "[2001:db8::1]", "203.0.113.7:443"; a colon alone belongs to an address of IPv6.
_FORMS: Final = re.compile(r"\[(?P<v6>[^\]]*)\](:\d{1,5})?|(?P<v4>[^:\[\]]+):\d{1,5}|(?P<bare>[^\[\]]+)")
_LONGEST_ENTRY: Final = 64


class TrustedProxies:
    """The addresses and networks of `server.trusted_proxies`."""

    def __init__(self, listed: Iterable[str] = ()) -> None:
        """Keep them; each is an address or a network with its prefix."""
        self._networks = tuple(ip_network(entry) for entry in listed)

    def __bool__(self) -> bool:
        """Tell whether any is listed."""
        return bool(self._networks)

    def include(self, address: IPv4Address | IPv6Address) -> bool:
        """Tell whether this address is one of theirs."""
        return any(address in network for network in self._networks)


def caller_address(trusted: TrustedProxies) -> str:
    """Return the address that sent the current request, as far as it can be believed."""
    peer = request.environ.get("REMOTE_ADDR") or _UNKNOWN
    address = _address(peer)
    if address is None:
        return peer
    if not trusted or not trusted.include(address):
        return str(address)
    for entry in reversed(request.headers.get("X-Forwarded-For", "").split(",")):
        if not (written := entry.strip(" \t\"'")):
            continue
        named = _address(written)
        if named is None:
            break
        address = named
        if not trusted.include(address):
            break
    return str(address)


@lru_cache(maxsize=1024)
def _address(written: str) -> IPv4Address | IPv6Address | None:
    """Read an address without its port; None for anything else. IPv4 in the form of IPv6 is IPv4."""
    form = _FORMS.fullmatch(written) if len(written) <= _LONGEST_ENTRY else None
    if form is None:
        return None
    try:
        address = ip_address(form["v6"] or form["v4"] or form["bare"] or "")
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
