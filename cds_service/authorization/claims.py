"""The claims of a verified token: for whom, by when, and whether all of them have their type."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cds_service.authorization.refusals import Refusal, forbidden, refused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cds_service.authorization.trust import ClientTrust, TokenPolicy

# Larger numbers lose their unit as double-precision floats, and no clock shows them.
_LARGEST_TIME = 2**53


@dataclass(frozen=True, slots=True)
class TokenUse:
    """What must be remembered of an accepted token, and until when (seconds since 1970)."""

    issuer: str
    token_id: str
    until: float


def check_claims(
    claims: Mapping[str, Any], client: ClientTrust, endpoint_url: str, now: float, policy: TokenPolicy
) -> TokenUse:
    """Check the registered claims but `iss`, by which the client was found (requirements 170-173).

    `now` is in seconds since 1970. Raises UnauthenticatedError.
    """
    issued, expires = _time(claims, "iat", client), _time(claims, "exp", client)
    if now >= expires + policy.leeway_seconds:
        raise refused(Refusal.EXPIRED, client.name)
    if issued > now + policy.leeway_seconds:
        raise refused(Refusal.ISSUED_IN_FUTURE, client.name)
    if not 0 < expires - issued <= policy.max_lifetime_seconds:
        raise refused(Refusal.LIFETIME, client.name)
    if "nbf" in claims and _time(claims, "nbf", client) > now + policy.leeway_seconds:
        raise refused(Refusal.NOT_YET_VALID, client.name)
    if not _audiences(claims, client).intersection((endpoint_url, *client.audiences)):
        raise refused(Refusal.AUDIENCE, client.name)
    token_id = _present(claims, "jti", client)
    if not isinstance(token_id, str) or not token_id:
        raise refused(Refusal.CLAIM_TYPE, client.name)
    return TokenUse(client.issuer, token_id, expires + policy.leeway_seconds)


def check_tenant(claims: Mapping[str, Any], client: ClientTrust) -> None:
    """Raise ForbiddenError unless the token names a tenant on the client's list, if it has one (requirement 174)."""
    if client.tenants and claims.get("tenant") not in client.tenants:
        raise forbidden(Refusal.TENANT, client.name)


def _present(claims: Mapping[str, Any], name: str, client: ClientTrust) -> object:
    if name not in claims:
        raise refused(Refusal.CLAIM_MISSING, client.name)
    return claims[name]


def _time(claims: Mapping[str, Any], name: str, client: ClientTrust) -> float:
    """Give a NumericDate (RFC 7519 section 2): a JSON number, whole or not."""
    value = _present(claims, name, client)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _LARGEST_TIME:
        raise refused(Refusal.CLAIM_TYPE, client.name)
    return value


def _audiences(claims: Mapping[str, Any], client: ClientTrust) -> set[str]:
    value = _present(claims, "aud", client)
    listed = value if isinstance(value, list) else [value]
    if not all(isinstance(item, str) for item in listed):
        raise refused(Refusal.CLAIM_TYPE, client.name)
    return set(listed)
