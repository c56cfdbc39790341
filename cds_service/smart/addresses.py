"""The three addresses of a client's trend app, each written once."""

from __future__ import annotations

from typing import Final

PREFIX: Final = "/smart/"
LAUNCH: Final = "/smart/<client>/launch"
CALLBACK: Final = "/smart/<client>/callback"
KEY_SET: Final = "/smart/<client>/jwks.json"


def address_of(route: str, public_url: str, client: str) -> str:
    """Return the address of a route for one client; `public_url` has no slash at its end."""
    return public_url + route.replace("<client>", client)
