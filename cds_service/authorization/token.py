"""A client JWT, from the Authorization field to checked claims.

`read_token` takes it apart before anything in it is believed: one header field, a size limit, three segments of JSON.
`check_header` refuses everything that would choose another key or another algorithm than agreed, `check_signature`
checks it with a key that was agreed on beforehand, `check_claims` for whom it is and by when, `check_tenant` whether
the client speaks for a tenant of its own.
"""

from __future__ import annotations

import re
import string
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import msgspec
from joserfc.jws import JWSRegistry

from cds_service.authorization.keys import KeySetError
from cds_service.authorization.refusals import Refusal, forbidden, refused
from cds_service.settings.operations_content import LARGEST_LEEWAY_SECONDS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cds_service.authorization.clients import ClientTrust, TokenPolicy
    from cds_service.authorization.keys import VerificationKey


# Tokens of Epic and of the CDS Hooks sandbox have 0.5 to 1 kB; every larger input is refused unread.
MAX_TOKEN_CHARACTERS = 16_384
# A client signs all its tokens under the same header.
HEADERS_KEPT: Final = 64

# RFC 9110 section 11.4: the scheme name is compared without case and followed by spaces.
_BEARER: Final = re.compile(r"[ \t]*(?i:bearer) +\S+[ \t]*", re.ASCII)
# RFC 7515 section 2: base64url without padding. What is no letter of it becomes one that no reader of base64 takes.
_OF_BASE64: Final = {"-": "+", "_": "/"} | {letter: letter for letter in string.ascii_letters + string.digits}
_BASE64: Final = bytes(ord(_OF_BASE64.get(chr(byte), "!")) for byte in range(256))
_PADDING: Final = (b"", b"!", b"==", b"=")
_read_segments: Final = msgspec.json.Decoder(tuple[bytes, bytes]).decode
_read_json: Final = msgspec.json.Decoder().decode


class UnverifiedToken(msgspec.Struct, frozen=True, gc=False):
    """A token whose signature was not checked. `repr` shows none of it: tokens are never logged.

    `header_text` is the header as it came, `signed` the text that `signature` was made for.
    """

    header_text: bytes
    header: Mapping[str, Any]
    claims: Mapping[str, Any]
    signed: bytes
    signature: bytes

    __repr__ = object.__repr__


def read_token(authorization_headers: Sequence[str]) -> UnverifiedToken:
    """Take the token from the Authorization fields of a request.

    Raises UnauthenticatedError unless there is one field with one signed token whose header and claims are JSON
    objects (requirements 161, 162, 176).
    """
    if len(authorization_headers) != 1:
        raise refused(Refusal.SEVERAL_AUTHORIZATIONS if authorization_headers else Refusal.NO_AUTHORIZATION)
    value = authorization_headers[0]
    if len(value) > MAX_TOKEN_CHARACTERS:
        raise refused(Refusal.TOO_LARGE)
    scheme, _, token = value.strip(" \t").partition(" ")
    # RFC 7515 section 7.1. An encrypted token has five segments, the signature of an unsigned one is empty: a segment
    # with a point in it, or without a letter, is not read.
    signed, _, signature = token.lstrip(" ").encode(errors="replace").rpartition(b".")
    header, _, claims = signed.partition(b".")
    try:
        if scheme.lower() != "bearer" or not signature:
            raise ValueError
        members = _header(header)
        claims_json, signature_bytes = _decoded(claims, signature)
        return UnverifiedToken(header, members, _object(claims_json), signed, signature_bytes)
    except (ValueError, RecursionError):
        raise refused(Refusal.MALFORMED if _BEARER.fullmatch(value) else Refusal.NOT_BEARER) from None


def _decoded(first: bytes, second: bytes) -> tuple[bytes, bytes]:
    """Read two segments at once. Raises ValueError unless both are base64url without padding."""
    segments = first.translate(_BASE64), _PADDING[len(first) % 4], second.translate(_BASE64), _PADDING[len(second) % 4]
    return _read_segments(b'["%b%b","%b%b"]' % segments)


def _object(text: bytes) -> dict[str, Any]:
    # msgspec refuses what json accepts: NaN, Infinity, lone surrogates, other encodings than UTF-8.
    value = _read_json(text)
    if not isinstance(value, dict):
        raise ValueError  # noqa: TRY004  text of another form is what the caller expects to hear of
    return value


@lru_cache(HEADERS_KEPT)
def _header(segment: bytes) -> Mapping[str, Any]:
    return _object(_decoded(segment, b"")[0])


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
