"""Why a token was refused: words for the operational log. The caller is told none of them."""

from __future__ import annotations

from enum import StrEnum

from cds_service.errors import ForbiddenError, UnauthenticatedError


class Refusal(StrEnum):
    """Stable words that hospital IT can search for, in the order in which the checks are made."""

    NO_AUTHORIZATION = "no-authorization-header"
    SEVERAL_AUTHORIZATIONS = "several-authorization-headers"
    NOT_BEARER = "not-a-bearer-token"
    TOO_LARGE = "token-too-large"
    MALFORMED = "malformed-token"
    ISSUER = "unknown-issuer"
    CRITICAL_HEADER = "critical-header"
    TYPE = "wrong-typ"
    KEY_IN_HEADER = "key-in-header"
    ALGORITHM = "algorithm-not-allowed"
    FOREIGN_JKU = "foreign-jku"
    KEY_ID = "missing-kid"
    KEYS_UNAVAILABLE = "keys-unavailable"
    UNKNOWN_KEY = "unknown-kid"
    KEY_MISMATCH = "key-does-not-fit-algorithm"
    SIGNATURE = "bad-signature"
    CLAIM_MISSING = "missing-claim"
    CLAIM_TYPE = "wrong-claim-type"
    EXPIRED = "expired"
    ISSUED_IN_FUTURE = "issued-in-future"
    NOT_YET_VALID = "not-yet-valid"
    LIFETIME = "lifetime-not-allowed"
    AUDIENCE = "wrong-audience"
    REPLAYED = "replayed"
    TENANT = "tenant-not-allowed"
    TOO_MANY_FAILURES = "too-many-failures"


def refused(why: Refusal, client_name: str | None = None, *, claims: tuple[str, ...] = ()) -> UnauthenticatedError:
    """Make the one 401 that all refusals look like to the caller; the log is told which `claims` it is about."""
    if not claims:
        return UnauthenticatedError(reason=why, client=client_name)
    detail = f"{why} client={client_name} claims={','.join(claims)}"
    return UnauthenticatedError(reason=why, client=client_name, log_detail=detail)


def forbidden(why: Refusal, client_name: str) -> ForbiddenError:
    """Make the 403 for a client whose token is good but who may not do this."""
    return ForbiddenError(reason=why, client=client_name)
