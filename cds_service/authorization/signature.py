"""The signature of a token, checked with a key that was agreed on beforehand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from joserfc import jws
from joserfc.errors import JoseError

from cds_service.authorization.keys import KeySetError
from cds_service.authorization.refusals import Refusal, refused
from cds_service.authorization.token_header import check_header

if TYPE_CHECKING:
    from cds_service.authorization.keys import VerificationKey
    from cds_service.authorization.token import UnverifiedToken
    from cds_service.authorization.trust import ClientTrust


def check_signature(token: UnverifiedToken, client: ClientTrust) -> None:
    """Raise UnauthenticatedError unless one of the client's keys signed the token with an agreed algorithm."""
    algorithm, key_id = check_header(token.header, client)
    key = _key(client, algorithm, key_id)
    # The algorithm's own check, on the bytes as they came: read_token and check_header did the rest of the library's
    # work already, which is to find out what was signed, how, and with which key.
    if not jws.JWSRegistry.algorithms[algorithm].verify(token.signed, token.signature, key):
        raise refused(Refusal.SIGNATURE, client.name)


def _key(client: ClientTrust, algorithm: str, key_id: str) -> VerificationKey:
    try:
        candidates = client.keys.find(key_id)
    except KeySetError:
        raise refused(Refusal.KEYS_UNAVAILABLE, client.name) from None
    if not candidates:
        raise refused(Refusal.UNKNOWN_KEY, client.name)
    fitting = [key for key in candidates if _fits(key, algorithm)]
    if len(fitting) != 1:
        # Requirement 164: a kid is unique. Several keys are told apart by their type (RFC 7517 section 4.5), not tried.
        raise refused(Refusal.KEY_MISMATCH, client.name)
    return fitting[0]


def _fits(key: VerificationKey, algorithm: str) -> bool:
    try:
        jws.JWSRegistry.algorithms[algorithm].check_key(key)
    except JoseError:
        return False
    return True
