"""The claims of a verified token: for whom, by when, and whether all of them have their type."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from cds_service.authorization.refusals import Refusal, forbidden, refused
from cds_service.settings.operations_content import LARGEST_LEEWAY_SECONDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cds_service.authorization.trust import ClientTrust, TokenPolicy

# Larger numbers lose their unit as double-precision floats, and no clock shows them.
_LARGEST_TIME: Final = 2**53
# By exact type: `true` is an int to Python.
_NUMBERS: Final = (int, float)


class TokenUse(msgspec.Struct, frozen=True, gc=False):
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
    try:
        issued, expires, audience, token_id = claims["iat"], claims["exp"], claims["aud"], claims["jti"]
    except KeyError:
        raise refused(Refusal.CLAIM_MISSING, client.name, claims=missing_claims(claims)) from None
    if not (is_time(issued) and is_time(expires) and token_id and isinstance(token_id, str)):
        raise refused(Refusal.CLAIM_TYPE, client.name, claims=mistyped_claims(claims))
    latest = now + policy.leeway_seconds
    if now >= expires + policy.leeway_seconds:
        raise refused(Refusal.EXPIRED, client.name)
    if issued > latest:
        raise refused(Refusal.ISSUED_IN_FUTURE, client.name)
    if not 0 < expires - issued <= policy.max_lifetime_seconds:
        raise refused(Refusal.LIFETIME, client.name)
    if "nbf" in claims:
        _check_not_before(claims["nbf"], latest, client)
    if audience != endpoint_url:
        _check_audience(audience, endpoint_url, client)
    # Not the leeway of now: a site that raises it must not make tokens valid again that were used and forgotten.
    return TokenUse(client.issuer, token_id, expires + LARGEST_LEEWAY_SECONDS)


def check_tenant(claims: Mapping[str, Any], client: ClientTrust) -> None:
    """Raise ForbiddenError unless the token names a tenant on the client's list, if it has one (requirement 174)."""
    if client.tenants and claims.get("tenant") not in client.tenants:
        raise forbidden(Refusal.TENANT, client.name)


def missing_claims(claims: Mapping[str, Any]) -> tuple[str, ...]:
    """Name the required claims that a token does not have."""
    return tuple(name for name in ("iss", "aud", "exp", "iat", "jti") if name not in claims)


def mistyped_claims(claims: Mapping[str, Any]) -> tuple[str, ...]:
    """Name the claims of another type than theirs; missing ones are not among them."""
    times = [name for name in ("exp", "iat", "nbf") if name in claims and not is_time(claims[name])]
    token_id, audience = claims.get("jti", "-"), claims.get("aud", "-")
    is_text = isinstance(token_id, str) and token_id != ""
    listed = audience if isinstance(audience, list) else [audience]
    are_texts = all(isinstance(item, str) for item in listed)
    return (*(() if are_texts else ("aud",)), *times, *(() if is_text else ("jti",)))


def is_time(value: object) -> bool:
    """Tell whether it is a NumericDate (RFC 7519 section 2): a JSON number, whole or not."""
    return type(value) in _NUMBERS and 0 <= value <= _LARGEST_TIME  # type: ignore[operator]


def _check_not_before(value: Any, latest: float, client: ClientTrust) -> None:
    if not is_time(value):
        raise refused(Refusal.CLAIM_TYPE, client.name, claims=("nbf",))
    if value > latest:
        raise refused(Refusal.NOT_YET_VALID, client.name)


def _check_audience(value: object, endpoint_url: str, client: ClientTrust) -> None:
    listed = value if isinstance(value, list) else [value]
    if not all(isinstance(item, str) for item in listed):
        raise refused(Refusal.CLAIM_TYPE, client.name, claims=("aud",))
    if not {endpoint_url, *client.audiences}.intersection(listed):
        raise refused(Refusal.AUDIENCE, client.name)
