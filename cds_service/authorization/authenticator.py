"""Decide who is asking: the token of a request becomes a TrustedClient, or a refusal that tells the caller nothing."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from cds_service.authorization.failures import FailureLimit, Standing
from cds_service.authorization.key_url import KeyUrl
from cds_service.authorization.observing import SilentObserver
from cds_service.authorization.refusals import Refusal, refused
from cds_service.authorization.token import check_claims, check_signature, check_tenant, read_token
from cds_service.errors import UnauthenticatedError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from cds_service.authorization.clients import ClientTrust, TokenPolicy, TrustedClient
    from cds_service.authorization.observing import TrustObserver
    from cds_service.state.used_tokens import UsedTokens

_log = logging.getLogger(__name__)


class Authenticator:
    """Verifies client JWTs (CDS Hooks 2.0, "Trusting CDS Clients"). Safe to share between threads."""

    def __init__(
        self,
        clients: Sequence[ClientTrust],
        policy: TokenPolicy,
        replay: UsedTokens,
        *,
        anonymous: TrustedClient | None = None,
        failures: FailureLimit | None = None,
        observer: TrustObserver | None = None,
    ) -> None:
        """Keep the clients by their issuer, of which each has its own.

        With `anonymous` set everybody is taken for that client and no token is looked at
        (`authentication.required: false`, on loopback only).
        """
        self._clients = {client.issuer: client for client in clients}
        self.policy = policy
        self._anonymous = anonymous
        self._observer = observer or SilentObserver()
        self.failures = failures or FailureLimit()
        self.replay = replay

    @property
    def clients(self) -> tuple[ClientTrust, ...]:
        """Everybody who may call."""
        return tuple(self._clients.values())

    def authenticate(
        self, authorization_headers: Sequence[str], endpoint_url: str, now: datetime, address: str = ""
    ) -> TrustedClient:
        """Return the client whose token the request carries.

        `authorization_headers` holds every Authorization field of the request, `endpoint_url` is the public URL of the
        endpoint called, `address` the one that the request came from, if it is known. Raises UnauthenticatedError,
        always with the same text for the caller; ForbiddenError when the tenant is not on the client's list;
        StateUnavailableError when nobody can tell whether the token was used.
        """
        if self._anonymous is not None:
            return self._anonymous
        seconds = now.timestamp()
        try:
            client = self._verified(authorization_headers, endpoint_url, seconds, address)
        except UnauthenticatedError as refusal:
            self._note_failure(refusal, address, seconds)
            raise
        self.failures.note_success(address, client.name, seconds)
        return client

    def _verified(
        self, authorization_headers: Sequence[str], endpoint_url: str, now: float, address: str
    ) -> TrustedClient:
        token = read_token(authorization_headers)
        client = self.client_of(token.claims)
        if not self.failures.allows(address, client.name, now):
            raise refused(Refusal.TOO_MANY_FAILURES, client.name)
        check_signature(token, client)
        use = check_claims(token.claims, client, endpoint_url, now, self.policy)
        if not self.replay.is_first_use(use, now):
            raise refused(Refusal.REPLAYED, client.name)
        check_tenant(token.claims, client)
        return client.rights

    def client_of(self, claims: Mapping[str, Any]) -> ClientTrust:
        """Return the client that a token says it comes from. Raises UnauthenticatedError when there is none."""
        issuer = claims.get("iss")
        client = self._clients.get(issuer) if isinstance(issuer, str) else None
        if client is None:
            raise refused(Refusal.ISSUER)
        return client

    def _note_failure(self, refusal: UnauthenticatedError, address: str, now: float) -> None:
        if refusal.reason == Refusal.KEYS_UNAVAILABLE:
            # Not the caller's fault: once the keys are there again, its tokens are to be read at once.
            return
        standing = self.failures.note_failure(address, refusal.client, now)
        # A line for each token of a flood would bury all others and fill the disk.
        refusal.logged = standing is Standing.WITHIN
        if standing is Standing.FIRST_BEYOND:
            fields = {"address": address, "client": refusal.client, "detail": refusal.reason}
            _log.warning("too many failed attempts from one address", extra={"fields": fields})
            self._observer.count_limited_address(refusal.client)

    def keep_keys_fresh(self) -> None:
        """Fetch keys in the background from now on, so that hardly any request waits for them."""
        for client in self._clients.values():
            if isinstance(client.keys, KeyUrl):
                client.keys.keep_fresh()

    def check_ready(self) -> None:
        """Raise StateUnavailableError when used tokens could not be remembered now."""
        self.replay.check_writable()
