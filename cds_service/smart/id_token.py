"""The id_token: that the authorization server signed it, for this app, for this launch, and that it has not expired."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, get_args

from joserfc.jws import JWSRegistry

from cds_service.authorization.token import is_time, read_token
from cds_service.errors import LaunchUpstreamError, UnauthenticatedError
from cds_service.hooks.request import LONGEST_TEXT
from cds_service.settings.value_types import Algorithm

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cds_service.authorization.keys import KeySet, VerificationKey
    from cds_service.authorization.token import UnverifiedToken

_ALGORITHMS: Final = frozenset(get_args(Algorithm))
# RFC 7515, section 4.1.11: extensions that must be understood; none is.
_EXTENSIONS: Final = ("crit", "b64")


class ExpectedToken:
    """What the id_token of one launch must say."""

    __slots__ = ("client_id", "issuer", "leeway", "nonce", "now")

    def __init__(self, *, issuer: str, client_id: str, nonce: str, now: float, leeway: float) -> None:
        """Compare with these; `now` is in seconds since 1970, `leeway` in seconds."""
        self.issuer = issuer
        self.client_id = client_id
        self.nonce = nonce
        self.now = now
        self.leeway = leeway


def verify_id_token(text: str, expected: ExpectedToken, keys: Callable[[bool], KeySet]) -> Mapping[str, Any]:
    """Return the claims of a good id_token; `keys` gives the server's keys, fetched anew where it is told so.

    Raises LaunchUpstreamError.
    """
    token = _read(text)
    algorithm, key_id = _checked_header(token.header)
    verify = JWSRegistry.algorithms[algorithm].verify
    if not any(verify(token.signed, token.signature, key) for key in _candidates(algorithm, key_id, keys)):
        raise _bad("no key of the server made the signature")
    _check_claims(token.claims, expected)
    return token.claims


def user_of(claims: Mapping[str, Any], fhir_server: str) -> str:
    """Return who is asking, relative to the FHIR server; the subject where the claim `fhirUser` is missing."""
    user = claims.get("fhirUser") or claims.get("sub") or ""
    if not isinstance(user, str):
        return ""
    return user.removeprefix(f"{fhir_server}/")[:LONGEST_TEXT].strip()


def _read(text: str) -> UnverifiedToken:
    try:
        return read_token([f"Bearer {text}"])
    except UnauthenticatedError as error:
        raise _bad(error.reason) from None


def _checked_header(header: Mapping[str, Any]) -> tuple[str, str]:
    algorithm, key_id = header.get("alg"), header.get("kid", "")
    if not isinstance(algorithm, str) or algorithm not in _ALGORITHMS:
        raise _bad("alg is none that proves anything")
    if not isinstance(key_id, str) or any(name in header for name in _EXTENSIONS):
        raise _bad("the header holds what is not understood")
    return algorithm, key_id


def _candidates(algorithm: str, key_id: str, keys: Callable[[bool], KeySet]) -> tuple[VerificationKey, ...]:
    """Return the keys that may have signed. A key that is not known may be new: the server is asked once more."""
    for anew in (False, True):
        known = keys(anew)
        found = known.find(key_id) if key_id else None
        fitting = (found or {}).get(algorithm, ()) if key_id else known.fitting(algorithm)
        if fitting:
            return fitting
    raise _bad("no key of the server has this kid and fits alg")


def _check_claims(claims: Mapping[str, Any], expected: ExpectedToken) -> None:
    if claims.get("iss") != expected.issuer:
        raise _bad("iss is another issuer")
    _check_audience(claims, expected.client_id)
    expires, latest = claims.get("exp"), expected.now + expected.leeway
    if not is_time(expires) or expected.now >= expires + expected.leeway:  # type: ignore[operator]
        raise _bad("expired, or without exp")
    for name in ("iat", "nbf"):
        if name in claims and not (is_time(claims[name]) and claims[name] <= latest):
            raise _bad(f"{name} lies in the future, or is no time")
    if claims.get("nonce") != expected.nonce:
        raise _bad("nonce is of another launch")


def _check_audience(claims: Mapping[str, Any], client_id: str) -> None:
    """Accept this app alone, or among others where it is the one that the token was made for (OpenID Connect Core)."""
    audience, party = claims.get("aud"), claims.get("azp", client_id)
    listed = audience if isinstance(audience, list) else [audience]
    is_one_of_several = len(listed) > 1 and "azp" not in claims
    if client_id not in listed or party != client_id or is_one_of_several:
        raise _bad("aud is another app")


def _bad(why: str) -> LaunchUpstreamError:
    return LaunchUpstreamError("id-token", log_detail=why)
