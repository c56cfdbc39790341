"""One secret for each launch, in a cookie of its own; everything that must be hard to guess is derived from it.

Nothing of a launch is kept on this side: `state`, `nonce` and `code_verifier` follow from purpose, client and secret.
So a callback that comes with another launch's cookie, or to another client's address, fits nothing.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

COOKIE_SECONDS: Final = 600
_COOKIE_PREFIX: Final = "__Host-sii-cds-"
# Enough of `state` that no two launches of one browser share a name.
_NAMED_BY: Final = 16
_SECRET_BYTES: Final = 32
# base64url of 256 bits, without padding.
_LENGTH: Final = 43


@dataclass(frozen=True, slots=True, repr=False)
class LaunchSecret:
    """The secret of one launch of one client."""

    client: str
    secret: str

    @property
    def state(self) -> str:
        """The `state` of the authorization request, 43 characters."""
        return self._derived("state")

    @property
    def nonce(self) -> str:
        """The `nonce` that the id_token must hold."""
        return self._derived("nonce")

    @property
    def code_verifier(self) -> str:
        """What proves to the token endpoint that the code is exchanged by whoever asked for it (RFC 7636)."""
        return self._derived("code_verifier")

    @property
    def code_challenge(self) -> str:
        """The S256 challenge of the verifier."""
        return _base64url(hashlib.sha256(self.code_verifier.encode()).digest())

    @property
    def cookie(self) -> str:
        """The Set-Cookie field.

        It also comes back into a frame of another site, and there only under the page that holds the frame.
        """
        return (
            f"{cookie_name(self.state)}={self.secret}; Path=/; Max-Age={COOKIE_SECONDS}; Secure; HttpOnly; "
            "SameSite=None; Partitioned"
        )

    def _derived(self, purpose: str) -> str:
        # The lengths keep the parts apart.
        text = "".join(f"{len(part)}:{part}" for part in (purpose, self.client, self.secret))
        return _base64url(hashlib.sha256(text.encode()).digest())


def new_secret(client: str) -> LaunchSecret:
    """Begin a launch."""
    return LaunchSecret(client, _base64url(secrets.token_bytes(_SECRET_BYTES)))


def secret_of(client: str, state: str, cookies: Mapping[str, str]) -> LaunchSecret | None:
    """Return the secret that this browser has of the launch with this state; None where it has none."""
    held = cookies.get(cookie_name(state), "")
    if len(held) != _LENGTH or not held.isascii() or not state.isascii():
        return None
    secret = LaunchSecret(client, held)
    return secret if hmac.compare_digest(secret.state, state) else None


def cookie_name(state: str) -> str:
    """Name the cookie of the launch with this state."""
    return _COOKIE_PREFIX + state[:_NAMED_BY]


def _base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
