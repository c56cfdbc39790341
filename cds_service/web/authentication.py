"""Every route says who may ask it: a view is public, or for clients, or for both.

The address a token must be made for is built from `service.public_url`, never from the Host header, which the caller
chooses (requirement 170).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import Response, request

from cds_service.web.exchange import current_exchange

if TYPE_CHECKING:
    from collections.abc import Callable

    from cds_service.authorization.clients import TrustedClient
    from cds_service.web.ports import Running


@dataclass(frozen=True, slots=True)
class PublicView:
    """Answers anyone. A token is not looked at."""

    answer: Callable[[], Response]

    def __call__(self) -> Response:
        """Answer the current request."""
        return self.answer()


@dataclass(frozen=True, slots=True)
class OpenView:
    """Answers anyone, but a token that is sent must be valid (requirement 25)."""

    running: Running
    path: str
    answer: Callable[[], Response]

    def __call__(self) -> Response:
        """Verify the token, if there is one, and answer the current request."""
        if "Authorization" in request.headers:
            authenticate(self.running, self.path)
        return self.answer()


@dataclass(frozen=True, slots=True)
class ClientView:
    """Answers clients that prove who they are. Nothing of the body is read before that."""

    running: Running
    path: str
    answer: Callable[[TrustedClient], Response]

    def __call__(self) -> Response:
        """Authenticate the caller and answer the current request."""
        return self.answer(authenticate(self.running, self.path))


@dataclass(frozen=True, slots=True)
class LaunchView:
    """Answers a browser about one client's trend app: what it may see, its launch proves and no token of its own."""

    answer: Callable[[str], Response]

    def __call__(self, client: str) -> Response:
        """Answer the current request."""
        return self.answer(client)


View = PublicView | OpenView | ClientView | LaunchView


def authenticate(running: Running, path: str) -> TrustedClient:
    """Return the client that sent the current request. Raises UnauthenticatedError or ForbiddenError."""
    exchange = current_exchange()
    client = exchange.parts.authenticator.authenticate(
        request.headers.getlist("Authorization"), exchange.parts.public_url + path, running.now(), exchange.address
    )
    exchange.client, exchange.mode = client.name, client.mode
    return client
