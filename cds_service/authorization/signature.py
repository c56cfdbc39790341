"""The signature of a token, checked with a key that was agreed on beforehand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from joserfc.jws import JWSRegistry

from cds_service.authorization.keys import KeySetError
from cds_service.authorization.refusals import Refusal, refused
from cds_service.authorization.token import HEADERS_KEPT
from cds_service.authorization.token_header import check_header

if TYPE_CHECKING:
    from cds_service.authorization.keys import VerificationKey
    from cds_service.authorization.token import UnverifiedToken
    from cds_service.authorization.trust import ClientTrust


def check_signature(token: UnverifiedToken, client: ClientTrust) -> None:
    """Raise UnauthenticatedError unless one of the client's keys signed the token with an agreed algorithm."""
    agreed = client.proved_headers.get(token.header_text)
    algorithm, key_id = agreed or check_header(token.header, client)
    keys = _keys(client, algorithm, key_id)
    # The algorithm's own check, on the bytes as they came: read_token and check_header did the rest of the library's
    # work already, which is to find out what was signed, how, and with which key.
    verify = JWSRegistry.algorithms[algorithm].verify
    if not any(verify(token.signed, token.signature, key) for key in keys):
        raise refused(Refusal.SIGNATURE, client.name)
    if agreed is None and len(client.proved_headers) < HEADERS_KEPT:
        client.proved_headers[token.header_text] = algorithm, key_id


def _keys(client: ClientTrust, algorithm: str, key_id: str) -> tuple[VerificationKey, ...]:
    """Return the keys that may have signed: one, unless the client gave several the same id (RFC 7517, section 4.5)."""
    try:
        by_algorithm = client.keys.find(key_id)
    except KeySetError:
        raise refused(Refusal.KEYS_UNAVAILABLE, client.name) from None
    if by_algorithm is None:
        raise refused(Refusal.UNKNOWN_KEY, client.name)
    keys = by_algorithm.get(algorithm, ())
    if not keys:
        raise refused(Refusal.KEY_MISMATCH, client.name)
    return keys
