"""Addresses in the configuration: what counts as loopback, and which URLs are accepted."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit

_HOST_NAME = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*\.?")
_DEFAULT_PORTS = {"http": 80, "https": 443}


def is_loopback(host: str) -> bool:
    """Tell whether a host can be reached from this machine only: 127.0.0.0/8, ::1 or localhost."""
    if host.casefold() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def listen_host(host: str) -> str:
    """Accept an IP address or a host name to listen on. Raises ValueError."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        if _HOST_NAME.fullmatch(host) is None:
            raise ValueError("write an IP address or a host name, without scheme and port") from None
    return host


def address_or_network(text: str) -> str:
    """Accept an IP address or a network with its prefix, written as it is logged. Raises ValueError."""
    if "/" not in text:
        try:
            return str(ipaddress.ip_address(text))
        except ValueError:
            raise ValueError("is not an IP address; write one without port, or a network such as 10.0.0.0/8") from None
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise ValueError("is not a network; write its first address and its prefix, such as 10.0.0.0/8") from None
    if network.prefixlen == 0:
        raise ValueError("is every address there is: callers could give any address as theirs; name your proxies")
    if str(network.network_address) != str(ipaddress.ip_address(text.partition("/")[0])):
        raise ValueError(f'is an address within a network; write "{network}", or the address alone')
    return str(network)


def http_url(text: str) -> str:
    """Accept an absolute http(s) URL without query, fragment and password. Raises ValueError."""
    parts = _split(text, "http", "https")
    if "?" in text or "#" in text:
        raise ValueError('is used as the start of other addresses; leave out everything from "?" or "#"')
    return f"{parts.scheme}://{parts.netloc}{parts.path}".rstrip("/")


def secure_url(text: str) -> str:
    """Accept an https URL, or http on loopback; the trailing slash is dropped. Raises ValueError."""
    url = http_url(text)
    _refuse_plain_http(urlsplit(url))
    return url


def is_plain_http(url: str) -> bool:
    """Tell whether an address sends what it is asked in clear text over a network: http, and not on loopback."""
    parts = urlsplit(url)
    return parts.scheme == "http" and not is_loopback(parts.hostname or "")


def secure_location(text: str) -> str:
    """Accept the https address of a document, query allowed, or http on loopback. Raises ValueError."""
    _refuse_plain_http(_split(text, "http", "https"))
    return text


def web_origin(text: str) -> str:
    """Accept a web origin (RFC 6454) exactly as a browser sends it. Raises ValueError."""
    if text == "*":
        raise ValueError('"*" would open the service to every web page; list the origins that need it')
    parts = _split(text, "http", "https")
    port = "" if parts.port in (None, _DEFAULT_PORTS[parts.scheme]) else f":{parts.port}"
    name = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    origin = f"{parts.scheme}://{name}{port}"
    if origin != text:
        raise ValueError(f'is not an origin as a browser sends it; write "{origin}"')
    return text


def _refuse_plain_http(parts: SplitResult) -> None:
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        raise ValueError("http is accepted on loopback only; use https")


def _split(text: str, *schemes: str) -> SplitResult:
    # The texts below never repeat the value: it may hold a password.
    try:
        parts = urlsplit(text)
        host, user, _port = parts.hostname, parts.username, parts.port
    except ValueError:
        raise ValueError("is not an address (URL); check host and port") from None
    if parts.scheme not in schemes or not host:
        raise ValueError(f'is not an absolute address; it starts with "{schemes[-1]}://" and a host name')
    if user is not None or "@" in parts.netloc:
        raise ValueError("holds a user name or password; secrets never stand in the configuration")
    if not text.isascii() or any(character in text for character in ' \\"<>') or not _is_host(host):
        raise ValueError("holds a character that no address holds; check for spaces, quotes and accents")
    return parts


def _is_host(host: str) -> bool:
    try:
        return bool(listen_host(host))
    except ValueError:
        return False
