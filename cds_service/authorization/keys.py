"""Public keys of clients: read from a JWK Set, kept only if they are fit to verify signatures."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Mapping
from itertools import islice
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey
from joserfc.jws import JWSRegistry

from cds_service.authorization.key_set_advice import instead_of_json, instead_of_set, of_unusable
from cds_service.errors import ServiceError
from cds_service.foreign_bytes import UNREADABLE, decode, fault
from cds_service.reports.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

VerificationKey = ECKey | RSAKey
# The keys of one id under the JWS algorithms that each of them fits.
KeysByAlgorithm = Mapping[str, tuple[VerificationKey, ...]]

MAX_KEY_SET_BYTES: Final = 1_048_576
# Lower limit: NIST SP 800-131A revision 2, table 2. Upper limit: the time that a verification takes.
_RSA_BITS: Final = range(2048, 8193)
# Each is tried with a token that names this id; a rotation has two.
_MOST_OF_ONE_ID: Final = 8
_SHOWN_OF_ID: Final = 80
_CURVES: Final = ("P-256", "P-384", "P-521")
# How libraries write members that a key does not have. An empty key_ops would allow nothing, which no key is made for.
_ABSENT: Final[tuple[object, ...]] = (None, "", [])
_DECODER: Final = msgspec.json.Decoder()


class KeySetError(ServiceError):
    """A key set could not be had, or a key is not usable. It never leaves this package."""

    def __init__(self, why: str) -> None:
        super().__init__(log_detail=why)


class NoUsableKeyError(KeySetError):
    """A key set was had, and lists no key that can be used: whatever it listed before is withdrawn."""


class KeySet:
    """The usable keys of one JWK Set by their `kid`; what was left out is counted by reason.

    `ambiguous_ids` are those of several keys that fit one algorithm: a token is tried against each.
    """

    def __init__(self, keys: Mapping[str, Sequence[VerificationKey]], left_out: Mapping[str, int]) -> None:
        """Find out once what each key can check."""
        self._keys = {key_id: _by_algorithm(of_one_id) for key_id, of_one_id in keys.items()}
        self.left_out = left_out
        self.ambiguous_ids = tuple(
            key_id for key_id, fitting in self._keys.items() if any(len(keys) > 1 for keys in fitting.values())
        )

    def find(self, key_id: str) -> KeysByAlgorithm | None:
        """Return the keys with this id, None where there is none."""
        return self._keys.get(key_id)

    def fitting(self, algorithm: str) -> tuple[VerificationKey, ...]:
        """Return the keys that fit an algorithm, for a token that names none of them; few of many."""
        fitting = (key for of_one_id in self._keys.values() for key in of_one_id.get(algorithm, ()))
        return tuple(islice(fitting, _MOST_OF_ONE_ID))

    def remarks(self) -> Iterator[str]:
        """Yield remarks for whoever maintains the keys; key ids are public."""
        if self.left_out:
            yield f"keys left out: {', '.join(f'{count} ({why})' for why, count in sorted(self.left_out.items()))}"
        if self.ambiguous_ids:
            named = ", ".join(
                f'"{printable(key_id[:_SHOWN_OF_ID])}"' for key_id in self.ambiguous_ids[:_MOST_OF_ONE_ID]
            )
            yield f"different keys have one kid ({named}): a token is tried against each; a kid should name one key"


class KeySource(Protocol):
    """Where the keys of one client come from."""

    def find(self, key_id: str) -> KeysByAlgorithm | None:
        """Return the keys with this id, None where there is none.

        Raises KeySetError when there is no key set at all.
        """


def read_key_set(text: bytes, *, unnamed: bool = False) -> KeySet:
    """Read a JWK Set (RFC 7517). One bad key costs that key only; `unnamed` ones may do without a `kid`.

    Raises KeySetError when the text is no JWK Set, NoUsableKeyError when none of its keys is usable.
    """
    try:
        document = decode(_DECODER, text)
    except UNREADABLE as error:
        raise KeySetError(instead_of_json(text) or fault(text, error)) from None
    members = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(members, list):
        raise KeySetError(f"no list of keys: {instead_of_set(document)}")
    keys: dict[str, dict[tuple[str, object], VerificationKey]] = {}
    left_out: Counter[str] = Counter()
    for member in members:
        try:
            key_id, key = _usable_key(member, unnamed=unnamed)
        except KeySetError as reason:
            left_out[str(reason)] += 1
        else:
            _add(keys.setdefault(key_id, {}), key, left_out)
    if not keys:
        reasons = sorted(left_out) or ["it is empty"]
        raise NoUsableKeyError(f"no usable key: {', '.join(reasons)}{of_unusable(reasons)}")
    by_id = {key_id: tuple(of_one_id.values()) for key_id, of_one_id in keys.items()}
    return KeySet(by_id, MappingProxyType(left_out))


def _add(of_one_id: dict[tuple[str, object], VerificationKey], key: VerificationKey, left_out: Counter[str]) -> None:
    """Keep a key once, however often it is listed (RFC 7638: one thumbprint)."""
    identity = key.thumbprint(), key.get("alg")
    if identity not in of_one_id and len(of_one_id) >= _MOST_OF_ONE_ID:
        left_out["too many keys of one kid"] += 1
    else:
        of_one_id[identity] = key


def _by_algorithm(keys: Sequence[VerificationKey]) -> KeysByAlgorithm:
    fitting = {name: tuple(key for key in keys if _fits(key, name)) for name in JWSRegistry.algorithms}
    return {name: of_algorithm for name, of_algorithm in fitting.items() if of_algorithm}


def _fits(key: VerificationKey, algorithm: str) -> bool:
    """Tell by type, curve, and the algorithm that the key declares, if any: none fits `none` or a symmetric one."""
    try:
        JWSRegistry.algorithms[algorithm].check_key(key)
    except JoseError:
        return False
    return True


def _usable_key(member: Any, *, unnamed: bool) -> tuple[str, VerificationKey]:
    if not isinstance(member, dict):
        raise KeySetError("not an object")
    key_id = member.get("kid", "")
    if not isinstance(key_id, str) or not (key_id or unnamed):
        raise KeySetError("kid missing")
    member = {name: value for name, value in member.items() if value not in _ABSENT}
    operations = member.get("key_ops", ["verify"])
    if member.get("use", "sig") != "sig" or not isinstance(operations, list) or "verify" not in operations:
        raise KeySetError("not for signatures")
    if "d" in member:
        # A private key in a published set is known to others: what it signs proves nothing.
        raise KeySetError("private key")
    try:
        return key_id, _imported(member)
    except (JoseError, ValueError, TypeError, KeyError):
        raise KeySetError("malformed") from None


def _imported(member: Mapping[str, Any]) -> VerificationKey:
    # Only what makes the key is handed on: other members must not decide anything, nor make a good key unreadable.
    declared = {"alg": member["alg"]} if "alg" in member else {}
    match member.get("kty"):
        case "RSA":
            modulus = base64.urlsafe_b64decode(member["n"] + "==")
            if int.from_bytes(modulus).bit_length() not in _RSA_BITS:
                raise KeySetError("RSA size")
            return RSAKey.import_key({"kty": "RSA", "n": member["n"], "e": member["e"], **declared})
        case "EC" if member.get("crv") in _CURVES:
            point = {name: member[name] for name in ("crv", "x", "y")}
            return ECKey.import_key({"kty": "EC", **point, **declared})
        case _:
            raise KeySetError("key type")
