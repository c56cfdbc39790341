"""The header of a token, unverified: everything that would choose another key or another algorithm is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cds_service.authorization.refusals import Refusal, refused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cds_service.authorization.trust import ClientTrust

# RFC 7515 section 4.1: `crit` names extensions that must be understood (none is), `b64` is such an extension.
_EXTENSIONS = ("crit", "b64")
# A key, or the address of one, that the token brings along. `x5c` and `x5t` merely describe the key and are ignored,
# as RFC 7515 allows: libraries that sign with certificates add them.
_KEYS = ("jwk", "x5u")


def check_header(header: Mapping[str, Any], client: ClientTrust) -> tuple[str, str]:
    """Check a token's header against what was agreed with its client; give algorithm and key id.

    Nothing is fetched here. Raises UnauthenticatedError (requirements 163-166, 176-179). An absent `typ` is accepted:
    common JWT libraries leave it out unless asked.
    """
    if any(name in header for name in _EXTENSIONS):
        raise refused(Refusal.CRITICAL_HEADER, client.name)
    if not _is_jwt(header.get("typ", "JWT")):
        raise refused(Refusal.TYPE, client.name)
    if any(name in header for name in _KEYS):
        raise refused(Refusal.KEY_IN_HEADER, client.name)
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in client.algorithms:
        raise refused(Refusal.ALGORITHM, client.name)
    if "jku" in header and not _may_name(header["jku"], client):
        raise refused(Refusal.FOREIGN_JKU, client.name)
    key_id = header.get("kid")
    if not isinstance(key_id, str) or not key_id:
        raise refused(Refusal.KEY_ID, client.name)
    return algorithm, key_id


def _is_jwt(value: object) -> bool:
    # RFC 7519 section 5.1: a media type, hence compared without case.
    return isinstance(value, str) and value.casefold() == "jwt"


def _may_name(jku: object, client: ClientTrust) -> bool:
    """Tell whether a token may name this key set. None is ever asked because a token names it."""
    if client.key_set_url is not None:
        return jku == client.key_set_url
    # Keys in a file: EHRs name their key set to everybody, also at an address apart from issuer and FHIR server.
    return not client.named_key_sets or jku in client.named_key_sets
