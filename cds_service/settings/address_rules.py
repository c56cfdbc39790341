"""Addresses whose scheme, port or path does not go with the rest, as far as the configuration tells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cds_service.settings.errors import KeyPath
    from cds_service.settings.models import Settings

_PUBLIC_URL: Final[KeyPath] = ("service", "public_url")
_OF_THE_OTHER: Final = {("https", 80): "http", ("http", 443): "https"}
_ADDED: Final = "/cds-services"


def address_cautions(settings: Settings) -> Iterator[tuple[KeyPath, str]]:
    """Yield the addresses that answer nobody, or are not the ones that clients use."""
    for path, address in _addresses(settings):
        parts = urlsplit(address)
        if other := _OF_THE_OTHER.get((parts.scheme, parts.port or 0)):
            yield path, f"begins with {parts.scheme}://, and port {parts.port} is the usual one of {other}"
    public = urlsplit(settings.service.public_url)
    if public.scheme == "https" and public.port == settings.server.port:
        yield (
            _PUBLIC_URL,
            f"begins with https://, and on port {public.port} this service speaks http (server.port); name the port on "
            "which the proxy in front speaks https",
        )
    if _ADDED in f"{public.path}/":
        yield _PUBLIC_URL, f"holds {_ADDED}, which the service adds by itself; leave it out"


def _addresses(settings: Settings) -> Iterator[tuple[KeyPath, str]]:
    yield _PUBLIC_URL, settings.service.public_url
    for index, client in enumerate(settings.clients):
        if client.jwks_url is not None:
            yield ("clients", index, "jwks_url"), client.jwks_url
        for place, server in enumerate(client.fhir_servers):
            yield ("clients", index, "fhir_servers", place), server
