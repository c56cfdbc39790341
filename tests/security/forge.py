"""Make tokens, good ones and bad ones, with nothing but `cryptography`: the code under test signs nothing here."""

from __future__ import annotations

import base64
import itertools
import json
from datetime import datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

PUBLIC_URL = "https://cds.hospital.example"
ENDPOINT = f"{PUBLIC_URL}/cds-services/sii-recurrence-risk"
ISSUER = "https://ehr.hospital.example"
FHIR_SERVER = "https://fhir.hospital.example/r4"
# What tokens may name in `jku`, though the keys lie in a file.
NAMED_KEY_SETS = (f"{ISSUER}/jwks.json", "https://fhir.hospital.example/keys")
NOW = datetime(2026, 3, 14, 9, 30, tzinfo=ZoneInfo("Asia/Shanghai"))
NOW_SECONDS = int(NOW.timestamp())

EC_KID, RSA_KID = "ec-2026", "rsa-2026"
LEFT_OUT = object()

_CURVES = {"ES256": ec.SECP256R1(), "ES384": ec.SECP384R1(), "ES512": ec.SECP521R1()}
_HASHES = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}
_numbers = itertools.count(1)


def ec_key(owner: str = "ehr", algorithm: str = "ES384") -> ec.EllipticCurvePrivateKey:
    return _ec_key(owner, algorithm)


def rsa_key(owner: str = "ehr", bits: int = 2048) -> rsa.RSAPrivateKey:
    return _rsa_key(owner, bits)


# One key for each owner, however the arguments are written: the cache takes f() and f("ehr") for two calls.
@cache
def _ec_key(_owner: str, algorithm: str) -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(_CURVES[algorithm])


@cache
def _rsa_key(_owner: str, bits: int) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def key_for(algorithm: str, owner: str = "ehr") -> Key:
    return ec_key(owner, algorithm) if algorithm.startswith("ES") else rsa_key(owner)


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def segment(value: object) -> str:
    return b64(value if isinstance(value, bytes) else json.dumps(value).encode())


def sign(key: Key, algorithm: str, text: str) -> bytes:
    digest = _HASHES[algorithm[2:]]
    if isinstance(key, rsa.RSAPrivateKey):
        how = padding.PSS(padding.MGF1(digest), digest.digest_size) if algorithm[:2] == "PS" else padding.PKCS1v15()
        return key.sign(text.encode(), how, digest)
    size = (key.key_size + 7) // 8
    return b"".join(part.to_bytes(size) for part in decode_dss_signature(der_signature(key, algorithm, text)))


def der_signature(key: ec.EllipticCurvePrivateKey, algorithm: str, text: str) -> bytes:
    return key.sign(text.encode(), ec.ECDSA(_HASHES[algorithm[2:]]))


def header(algorithm: str = "ES384", /, **changes: object) -> dict[str, Any]:
    kid = EC_KID if algorithm.startswith("ES") else RSA_KID
    return _changed({"alg": algorithm, "typ": "JWT", "kid": kid}, changes)


def claims(**changes: object) -> dict[str, Any]:
    good = {
        "iss": ISSUER,
        "aud": ENDPOINT,
        "iat": NOW_SECONDS,
        "exp": NOW_SECONDS + 300,
        "jti": f"token-{next(_numbers)}",
    }
    return _changed(good, changes)


def _changed(values: dict[str, Any], changes: dict[str, object]) -> dict[str, Any]:
    return {name: value for name, value in {**values, **changes}.items() if value is not LEFT_OUT}


def unsigned(header_part: object, claims_part: object) -> str:
    return f"{segment(header_part)}.{segment(claims_part)}"


def signed(header_part: object, claims_part: object, key: Key, algorithm: str) -> str:
    text = unsigned(header_part, claims_part)
    return f"{text}.{b64(sign(key, algorithm, text))}"


def token(algorithm: str = "ES384", key: Key | None = None, head: dict[str, Any] | None = None, **body: object) -> str:
    """A token of the main EHR, good but for the changes asked for."""
    return signed({**header(algorithm), **(head or {})}, claims(**body), key or key_for(algorithm), algorithm)


def public_pem(key: Key) -> bytes:
    return key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def jwk(key: Key, kid: str, **extra: object) -> dict[str, Any]:
    """The public half as a JWK (RFC 7518 section 6)."""
    numbers = key.public_key().public_numbers()
    if isinstance(numbers, rsa.RSAPublicNumbers):
        made: dict[str, Any] = {"kty": "RSA", "n": _integer(numbers.n), "e": _integer(numbers.e)}
    else:
        size = (key.key_size + 7) // 8
        made = {
            "kty": "EC",
            "crv": f"P-{key.key_size}",
            "x": b64(numbers.x.to_bytes(size)),
            "y": b64(numbers.y.to_bytes(size)),
        }
    return {**made, "kid": kid, **extra}


def _integer(number: int) -> str:
    return b64(number.to_bytes((number.bit_length() + 7) // 8))


def key_set(*keys: object) -> bytes:
    return json.dumps({"keys": keys}).encode()
