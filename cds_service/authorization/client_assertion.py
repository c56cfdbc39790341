"""How this service proves who it is to the authorization servers of others: private_key_jwt.

SMART App Launch 2.2, "Asymmetric client authentication": the assertion is signed with RS384 or ES384, lives at most
five minutes, and names the token endpoint as its audience.
"""

from __future__ import annotations

import json
from codecs import BOM_UTF8
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, get_args

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey
from joserfc.jws import JWSRegistry

from cds_service.errors import ServiceError
from cds_service.mistaken_files import ENCRYPTED_PEM, PRIVATE_PEM, kind_of
from cds_service.settings.value_types import Algorithm

if TYPE_CHECKING:
    from collections.abc import Mapping

ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_ASSERTION_SECONDS: Final = 240
_CURVES: Final = {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512"}
# NIST SP 800-131A revision 2, table 2.
_LEAST_RSA_BITS: Final = 2048
# What joserfc knows besides, "none" and symmetric ones, proves nothing to others.
_ALGORITHMS: Final = frozenset(get_args(Algorithm))

_NEEDED: Final = "a private key is needed: a JWK, a JWK Set or PEM"
_TAKE_IT_OFF: Final = (
    "nobody is there to type it: take it off (openssl pkcs8 -in OLD -out NEW), and keep the file at 0600"
)


class SigningKeyError(ServiceError):
    """A file holds no key to sign with. The text says why and quotes nothing of it."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key with its algorithm and id. It may be public only: an earlier key that is still published."""

    key: ECKey | RSAKey
    algorithm: str
    key_id: str

    def __repr__(self) -> str:
        """Keep the key out of every text."""
        return f"SigningKey({self.key_id!r}, ***)"

    def public(self) -> Mapping[str, Any]:
        """Return the public key as a JWK."""
        members = {name: value for name, value in self.key.as_dict(private=False).items() if name != "key_ops"}
        return {**members, "kid": self.key_id, "alg": self.algorithm, "use": "sig"}

    def assertion(self, client_id: str, token_url: str, *, now: int, token_id: str) -> str:
        """Sign that `client_id` is asking; `now` is in seconds since 1970, `token_id` is never used again."""
        header = {"alg": self.algorithm, "kid": self.key_id, "typ": "JWT"}
        claims = {
            "iss": client_id,
            "sub": client_id,
            "aud": token_url,
            "iat": now,
            "exp": now + _ASSERTION_SECONDS,
            "jti": token_id,
        }
        return jwt.encode(header, claims, self.key, algorithms=[self.algorithm])


def read_signing_keys(content: bytes) -> tuple[SigningKey, ...]:
    """Read a JWK, a JWK Set, or PEM; the first key is the one to sign with. Raises SigningKeyError."""
    try:
        return _signing_keys(content)
    except SigningKeyError:
        kind = kind_of(content)
        if kind in ("", PRIVATE_PEM):
            raise
    raise SigningKeyError(f"is {kind}; {_TAKE_IT_OFF if kind == ENCRYPTED_PEM else _NEEDED}")


def _signing_keys(content: bytes) -> tuple[SigningKey, ...]:
    keys = tuple(_signing_key(member) for member in _members(content))
    if not keys or not keys[0].key.is_private:
        raise SigningKeyError(f"holds no private RSA or EC key at its beginning; {_NEEDED}")
    if len({key.key_id for key in keys}) < len(keys):
        raise SigningKeyError("holds two keys of one kid")
    return keys


def _members(content: bytes) -> list[Any]:
    content = content.removeprefix(BOM_UTF8)
    if not content.lstrip().startswith(b"{"):
        return [content]
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        raise SigningKeyError("is no JSON") from None
    keys = document.get("keys", [document])
    if not isinstance(keys, list) or not all(isinstance(member, dict) for member in keys):
        raise SigningKeyError("is no JWK Set: `keys` is no list of keys")
    return keys


def _signing_key(member: Any) -> SigningKey:
    key = _imported(member)
    if isinstance(key, RSAKey) and key.raw_value.key_size < _LEAST_RSA_BITS:
        raise SigningKeyError(f"holds an RSA key of fewer than {_LEAST_RSA_BITS} bits")
    declared = key.as_dict(private=False)
    if declared.get("use", "sig") != "sig":
        raise SigningKeyError("holds a key that is not for signatures")
    algorithm = str(
        declared.get("alg") or ("RS384" if isinstance(key, RSAKey) else _CURVES.get(str(declared["crv"]), ""))
    )
    if algorithm not in _ALGORITHMS or not _fits(key, algorithm):
        raise SigningKeyError("holds a key whose alg does not fit it")
    return SigningKey(key, algorithm, str(declared.get("kid") or key.thumbprint()))


def _fits(key: ECKey | RSAKey, algorithm: str) -> bool:
    try:
        JWSRegistry.algorithms[algorithm].check_key(key)
    except JoseError:
        return False
    return True


def _imported(member: Any) -> ECKey | RSAKey:
    for kind in (RSAKey, ECKey):
        try:
            return kind.import_key(member)
        except (JoseError, ValueError, TypeError, KeyError):
            continue
    raise SigningKeyError("holds what is no RSA or EC key")
