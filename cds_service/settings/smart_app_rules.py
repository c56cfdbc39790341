"""What a trend app demands of the rest of the configuration."""

from __future__ import annotations

import string
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cds_service.settings.errors import KeyPath
    from cds_service.settings.models import Settings
    from cds_service.settings.smart_app import SmartAppSettings

# The name of a client is a segment of the address that the EHR registers: characters that need no encoding there.
_OF_A_SEGMENT: Final = frozenset(string.ascii_letters + string.digits + "-_~.")


def smart_app_problems(settings: Settings) -> Iterator[tuple[KeyPath, str]]:
    """Yield what a trend app lacks, or has and may not have."""
    for index, client in enumerate(settings.clients):
        if client.smart_app is None:
            continue
        place: KeyPath = ("clients", index, "smart_app")
        if not set(client.name) <= _OF_A_SEGMENT or set(client.name) <= {"."}:
            yield (
                ("clients", index, "name"),
                f'"{client.name}" is a part of the addresses of its smart_app; use letters, digits, "-", "_" and "."',
            )
        yield from ((place + key, text) for key, text in _server_problems(client.smart_app, client.fhir_servers))
        yield from ((place + key, text) for key, text in _proof_problems(client.smart_app))


def smart_app_cautions(settings: Settings) -> Iterator[tuple[KeyPath, str]]:
    """Yield what keeps a trend app from being seen."""
    for index, client in enumerate(settings.clients):
        if client.smart_app is not None and (client.mode or settings.service.mode) == "silent":
            yield ("clients", index, "smart_app"), f'"{client.name}" is silent: its trend app is not served'


def fhir_server_of(app: SmartAppSettings, listed: tuple[str, ...]) -> str | None:
    """Return the FHIR server that launches come from; None where nobody can tell which of several."""
    if app.fhir_server is not None:
        return app.fhir_server
    return listed[0] if len(listed) == 1 else None


def _server_problems(app: SmartAppSettings, listed: tuple[str, ...]) -> Iterator[tuple[KeyPath, str]]:
    if app.fhir_server is not None and app.fhir_server not in listed:
        yield ("fhir_server",), "is none of the client's fhir_servers; list it there too"
    elif fhir_server_of(app, listed) is None:
        listing = "several are listed" if listed else "none is listed"
        yield ("fhir_server",), f"name the one of fhir_servers that launches come from: {listing}"


def _proof_problems(app: SmartAppSettings) -> Iterator[tuple[KeyPath, str]]:
    needed = {"private_key_jwt": "private_key_file", "client_secret_basic": "client_secret_file"}
    for authentication, key in needed.items():
        given = getattr(app, key) is not None
        if app.authentication == authentication and not given:
            yield (key,), f"{authentication} needs it"
        elif app.authentication != authentication and given:
            yield (key,), f"is for {authentication}, and authentication is {app.authentication}; leave it out"
