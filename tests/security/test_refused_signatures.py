"""Attacks on the signature: another algorithm, another key, another text (requirements 162, 176-179)."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING

import pytest

from cds_service.authorization.refusals import Refusal
from cds_service.errors import UnauthenticatedError
from tests.security import forge
from tests.security.conftest import OTHER_ISSUER
from tests.security.forge import LEFT_OUT, b64, claims, ec_key, header, rsa_key, segment, sign, signed, token, unsigned

if TYPE_CHECKING:
    from collections.abc import Callable

    from cds_service.authorization.authenticator import Authenticator


def with_algorithm(name: object, signature: bytes = b"x", kid: str = forge.EC_KID) -> str:
    return f"{unsigned(header(alg=name, kid=kid), claims())}.{b64(signature)}"


def symmetric(algorithm: str, secret: bytes, kid: str = forge.RSA_KID) -> str:
    """What a server accepts that takes a public key for a shared secret."""
    text = unsigned(header(alg=algorithm, kid=kid), claims())
    return f"{text}.{b64(hmac.new(secret, text.encode(), f'sha{algorithm[2:]}').digest())}"


def mislabelled(said: str, used: str, kid: str, owner: str = "ehr") -> str:
    """The header names another algorithm than the one that signed."""
    return signed(header(alg=said, kid=kid), claims(), forge.key_for(used, owner), used)


def with_signature(signature: bytes) -> str:
    return f"{unsigned(header(), claims())}.{b64(signature)}"


def der() -> str:
    text = unsigned(header(), claims())
    return f"{text}.{b64(forge.der_signature(ec_key(), 'ES384', text))}"


def replaced(part: int, value: object) -> str:
    """A good token of which one segment was exchanged after signing."""
    parts = token().split(".")
    parts[part] = segment(value)
    return ".".join(parts)


def shortened() -> str:
    text = unsigned(header(), claims())
    return f"{text}.{b64(sign(ec_key(), 'ES384', text)[:-1])}"


def twice_the_algorithm() -> str:
    text = b'{"alg":"ES384","kid":"' + forge.EC_KID.encode() + b'","alg":"none"}'
    return signed(text, claims(), ec_key(), "ES384")


def of_other_ehr(kid: str) -> str:
    return signed(header("RS384", kid=kid), claims(), rsa_key("other"), "RS384")


ALGORITHMS: list[tuple[str, Callable[[], str], Refusal]] = [
    ("none", lambda: with_algorithm("none"), Refusal.ALGORITHM),
    ("None", lambda: with_algorithm("None"), Refusal.ALGORITHM),
    ("nOnE", lambda: with_algorithm("nOnE"), Refusal.ALGORITHM),
    ("NONE", lambda: with_algorithm("NONE"), Refusal.ALGORITHM),
    ("none, nothing signed", lambda: unsigned(header(alg="none"), claims()) + ".", Refusal.MALFORMED),
    ("none beside a good signature", lambda: mislabelled("none", "ES384", forge.EC_KID), Refusal.ALGORITHM),
    ("HS256 with the public RSA key", lambda: symmetric("HS256", forge.public_pem(rsa_key())), Refusal.ALGORITHM),
    ("HS384 with the public RSA key", lambda: symmetric("HS384", forge.public_pem(rsa_key())), Refusal.ALGORITHM),
    ("HS512 with the public RSA key", lambda: symmetric("HS512", forge.public_pem(rsa_key())), Refusal.ALGORITHM),
    (
        "HS384 with the public EC key",
        lambda: symmetric("HS384", forge.public_pem(ec_key()), forge.EC_KID),
        Refusal.ALGORITHM,
    ),
    ("HS256 with an empty secret", lambda: symmetric("HS256", b""), Refusal.ALGORITHM),
    (
        "HS256 with the modulus",
        lambda: symmetric("HS256", forge.jwk(rsa_key(), "x")["n"].encode()),
        Refusal.ALGORITHM,
    ),
    ("a good RS256 signature that was not agreed on", lambda: token("RS256"), Refusal.ALGORITHM),
    ("a good PS384 signature that was not agreed on", lambda: token("PS384"), Refusal.ALGORITHM),
    (
        "a good ES256 signature that was not agreed on",
        lambda: token("ES256", head={"kid": "ec-256"}),
        Refusal.ALGORITHM,
    ),
    ("alg missing", lambda: signed(header(alg=LEFT_OUT), claims(), ec_key(), "ES384"), Refusal.ALGORITHM),
    ("alg null", lambda: with_algorithm(None), Refusal.ALGORITHM),
    ("alg is a list", lambda: with_algorithm(["ES384"]), Refusal.ALGORITHM),
    ("alg in another case", lambda: mislabelled("es384", "ES384", forge.EC_KID), Refusal.ALGORITHM),
    ("alg with a space", lambda: mislabelled("ES384 ", "ES384", forge.EC_KID), Refusal.ALGORITHM),
    ("alg named twice, the last is none", twice_the_algorithm, Refusal.ALGORITHM),
    ("RS384 with an EC key", lambda: mislabelled("RS384", "ES384", forge.EC_KID), Refusal.KEY_MISMATCH),
    ("ES384 with an RSA key", lambda: mislabelled("ES384", "RS384", forge.RSA_KID), Refusal.KEY_MISMATCH),
    ("ES384 with a key of P-256", lambda: mislabelled("ES384", "ES256", "ec-256"), Refusal.KEY_MISMATCH),
    ("RS384 that is RS256", lambda: mislabelled("RS384", "RS256", forge.RSA_KID), Refusal.SIGNATURE),
    ("RS384 that is PS384", lambda: mislabelled("RS384", "PS384", forge.RSA_KID), Refusal.SIGNATURE),
]

KEYS_AND_TEXTS: list[tuple[str, Callable[[], str], Refusal]] = [
    ("attacker's EC key under our kid", lambda: token(key=ec_key("attacker")), Refusal.SIGNATURE),
    ("attacker's RSA key under our kid", lambda: token("RS384", key=rsa_key("attacker")), Refusal.SIGNATURE),
    ("other client's key, its own kid", lambda: of_other_ehr("other-2026"), Refusal.UNKNOWN_KEY),
    ("other client's key, a kid both have", lambda: of_other_ehr(forge.RSA_KID), Refusal.SIGNATURE),
    ("our key in the other client's name", lambda: token("RS384", iss=OTHER_ISSUER), Refusal.SIGNATURE),
    ("the other client allows no ES384", lambda: token(iss=OTHER_ISSUER), Refusal.ALGORITHM),
    (
        "a key published for encryption",
        lambda: token(key=ec_key("encryption"), head={"kid": "ec-encryption"}),
        Refusal.UNKNOWN_KEY,
    ),
    ("claims exchanged after signing", lambda: replaced(1, claims(sub="admin")), Refusal.SIGNATURE),
    ("header exchanged after signing", lambda: replaced(0, header(cty="x")), Refusal.SIGNATURE),
    ("signature of another token", lambda: replaced(2, sign(ec_key(), "ES384", "x.y")), Refusal.SIGNATURE),
    ("signature one byte short", shortened, Refusal.SIGNATURE),
    ("signature in DER, as TLS writes it", der, Refusal.SIGNATURE),
    ("signature of zeros (r = s = 0)", lambda: with_signature(bytes(96)), Refusal.SIGNATURE),
    ("signature of ones", lambda: with_signature(b"\xff" * 96), Refusal.SIGNATURE),
    ("signature of one byte", lambda: with_signature(b"\0"), Refusal.SIGNATURE),
    ("digest in place of a signature", lambda: with_signature(hashlib.sha384(b"x").digest() * 2), Refusal.SIGNATURE),
    ("signature of 10 kB", lambda: with_signature(b"x" * 10_000), Refusal.SIGNATURE),
]


@pytest.mark.parametrize(("reason", "attack", "expected"), ALGORITHMS + KEYS_AND_TEXTS)
def test_authenticate_forged_signature_is_refused_alike(
    reason: str, attack: Callable[[], str], expected: Refusal, authenticator: Authenticator
) -> None:
    with pytest.raises(UnauthenticatedError) as caught:
        authenticator.authenticate([f"Bearer {attack()}"], forge.ENDPOINT, forge.NOW)

    assert (caught.value.status, caught.value.client_text) == (401, "Authentication is required."), reason
    assert caught.value.log_detail.partition(" ")[0] == expected, reason


def test_authenticate_refusal_names_client_for_the_log_only(authenticator: Authenticator) -> None:
    with pytest.raises(UnauthenticatedError) as caught:
        authenticator.authenticate([f"Bearer {token(key=ec_key('attacker'))}"], forge.ENDPOINT, forge.NOW)

    assert caught.value.log_detail == "bad-signature client=main-ehr"
    assert "main-ehr" not in caught.value.client_text
