"""Decide who is asking: the token of a request becomes a TrustedClient, or a refusal that tells the caller nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cds_service.authorization.claims import check_claims, check_tenant
from cds_service.authorization.refusals import Refusal, refused
from cds_service.authorization.signature import check_signature
from cds_service.authorization.token import read_token

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from cds_service.authorization.clients import TrustedClient
    from cds_service.authorization.replay import ReplayStore
    from cds_service.authorization.trust import ClientTrust, TokenPolicy


class Authenticator:
    """Verifies client JWTs (CDS Hooks 2.0, "Trusting CDS Clients"). Safe to share between threads."""

    def __init__(
        self,
        clients: Sequence[ClientTrust],
        policy: TokenPolicy,
        replay: ReplayStore,
        *,
        anonymous: TrustedClient | None = None,
    ) -> None:
        """Keep the clients by their issuer, of which each has its own.

        With `anonymous` set everybody is taken for that client and no token is looked at
        (`authentication.required: false`, on loopback only).
        """
        self._clients = {client.issuer: client for client in clients}
        self._policy = policy
        self._anonymous = anonymous
        self.replay = replay

    @property
    def clients(self) -> tuple[ClientTrust, ...]:
        """Everybody who may call."""
        return tuple(self._clients.values())

    def authenticate(self, authorization_headers: Sequence[str], endpoint_url: str, now: datetime) -> TrustedClient:
        """Give the client whose token the request carries.

        `authorization_headers` holds every Authorization field of the request, `endpoint_url` is the public URL of the
        endpoint called. Raises UnauthenticatedError, always with the same text for the caller; ForbiddenError when the
        tenant is not on the client's list; StateUnavailableError when nobody can tell whether the token was used.
        """
        if self._anonymous is not None:
            return self._anonymous
        token = read_token(authorization_headers)
        issuer = token.claims.get("iss")
        client = self._clients.get(issuer) if isinstance(issuer, str) else None
        if client is None:
            raise refused(Refusal.ISSUER)
        check_signature(token, client)
        use = check_claims(token.claims, client, endpoint_url, now.timestamp(), self._policy)
        if not self.replay.is_first_use(use, now.timestamp()):
            raise refused(Refusal.REPLAYED, client.name)
        check_tenant(token.claims, client)
        return client.rights

    def check_ready(self) -> None:
        """Raise StateUnavailableError when used tokens could not be remembered now."""
        self.replay.check_writable()
