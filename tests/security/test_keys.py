"""Which keys of a JWK Set are used, and how a key file is followed (requirements 167, 168)."""

from __future__ import annotations

import json
import logging
import os
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from cds_service.authorization.key_file import KeyFile
from cds_service.authorization.keys import MAX_KEY_SET_BYTES, KeySetError, read_key_set
from cds_service.errors import UnauthenticatedError
from tests.security import forge
from tests.security.forge import EC_KID, ENDPOINT, NOW, ec_key, jwk, key_set, rsa_key, token

if TYPE_CHECKING:
    from pathlib import Path

    from cds_service.authorization.authenticator import Authenticator

GOOD = jwk(ec_key(), "good")


def off_the_curve() -> dict[str, Any]:
    return {**GOOD, "y": forge.b64(bytes(48))}


def with_private_half() -> dict[str, Any]:
    return {**GOOD, "d": forge.b64(ec_key().private_numbers().private_value.to_bytes(48))}


UNUSABLE: list[tuple[str, object, str]] = [
    ("weak RSA", jwk(rsa_key("weak", 1024), "bad"), "RSA size"),
    ("RSA one bit too small", {**jwk(rsa_key(), "bad"), "n": forge.b64((2**2046 + 1).to_bytes(256))}, "RSA size"),
    ("RSA that takes seconds", {"kty": "RSA", "kid": "bad", "n": "w" * 4000, "e": "AQAB"}, "RSA size"),
    ("symmetric", {"kty": "oct", "kid": "bad", "k": "c2VjcmV0"}, "key type"),
    ("no type", {"kid": "bad"}, "key type"),
    ("type that is not in use here", {"kty": "OKP", "crv": "Ed25519", "kid": "bad", "x": "AA"}, "key type"),
    ("curve of another world", {**GOOD, "crv": "secp256k1"}, "key type"),
    ("point not on the curve", off_the_curve(), "malformed"),
    ("coordinate missing", {name: value for name, value in GOOD.items() if name != "y"}, "malformed"),
    ("coordinate is a number", {**GOOD, "y": 1}, "malformed"),
    ("modulus is a number", {**jwk(rsa_key(), "bad"), "n": 1}, "malformed"),
    ("exponent is even", {**jwk(rsa_key(), "bad"), "e": "Ag"}, "malformed"),
    ("exponent missing", {**jwk(rsa_key(), "bad"), "e": None}, "malformed"),
    ("alg is a number", {**GOOD, "alg": 1}, "malformed"),
    ("for encryption", {**GOOD, "use": "enc"}, "not for signatures"),
    ("use is a list", {**GOOD, "use": ["sig"]}, "not for signatures"),
    ("may only sign", {**GOOD, "key_ops": ["sign"]}, "not for signatures"),
    ("operations are a number", {**GOOD, "key_ops": 1}, "not for signatures"),
    ("private half published", with_private_half(), "private key"),
    ("no kid", {name: value for name, value in GOOD.items() if name != "kid"}, "kid missing"),
    ("kid empty", {**GOOD, "kid": ""}, "kid missing"),
    ("kid is a number", {**GOOD, "kid": 1}, "kid missing"),
    ("not an object", "key", "not an object"),
    ("null", None, "not an object"),
]


@pytest.mark.parametrize(("reason", "member", "expected"), UNUSABLE)
def test_read_key_set_unusable_key_costs_that_key_only(reason: str, member: object, expected: str) -> None:
    held = read_key_set(key_set(member, jwk(ec_key("next"), "next")))

    assert dict(held.left_out) == {expected: 1}, reason
    assert held.find("next")
    assert not held.find("bad")
    assert not held.find("good")


@pytest.mark.parametrize(
    ("reason", "text", "expected"),
    [
        ("empty file", b"", "not JSON"),
        ("a certificate", b"-----BEGIN CERTIFICATE-----", "not JSON"),
        ("deep nesting", b"[" * 5000, "not JSON"),
        ("UTF-16", key_set(GOOD).decode().encode("utf-16"), "UTF-16 in place of UTF-8"),
        ("an array", b"[]", "no list of keys"),
        ("a single key in place of a set", json.dumps(GOOD).encode(), "no list of keys"),
        ("keys is an object", b'{"keys": {}}', "no list of keys"),
        ("no key", b'{"keys": []}', "it is empty"),
        ("none that is usable", key_set({"kty": "oct"}, {**GOOD, "use": "enc"}), "kid missing, not for signatures"),
    ],
)
def test_read_key_set_without_usable_key_is_refused(reason: str, text: bytes, expected: str) -> None:
    with pytest.raises(KeySetError) as caught:
        read_key_set(text)

    assert expected in caught.value.log_detail, reason


@pytest.mark.parametrize(
    ("reason", "extra"),
    [
        ("members that nobody knows", {"x-vendor": {"a": 1}, "iat": 1}),
        ("certificate members of wrong types", {"x5c": 1, "x5t": None, "x5u": "not an address"}),
        ("operations named", {"key_ops": ["verify"], "use": "sig"}),
        ("null members of a serializer", dict.fromkeys(("d", "use", "alg", "key_ops", "x5c", "x5u"))),
        ("empty members of a serializer", {"d": "", "use": "", "alg": "", "key_ops": []}),
        ("valid on its own", {}),
    ],
)
def test_read_key_set_good_key_with_extra_members_is_used(reason: str, extra: dict[str, Any]) -> None:
    assert read_key_set(key_set({**GOOD, **extra})).find("good"), reason


@pytest.mark.parametrize("bits", [2048, 3072])
def test_read_key_set_rsa_of_allowed_size_is_used(bits: int) -> None:
    assert read_key_set(key_set(jwk(rsa_key("large", bits), "large"))).find("large")


@pytest.mark.parametrize(
    ("reason", "keys", "log_detail"),
    [
        ("same id, told apart by type", [jwk(ec_key(), EC_KID), jwk(rsa_key(), EC_KID)], None),
        ("same id, same type", [jwk(ec_key(), EC_KID), jwk(ec_key("twin"), EC_KID)], None),
        ("same id, same type, the other first", [jwk(ec_key("twin"), EC_KID), jwk(ec_key(), EC_KID)], None),
        ("same id, neither is ours", [jwk(ec_key("twin"), EC_KID), jwk(ec_key("b"), EC_KID)], "bad-signature"),
        ("the same key twice", [jwk(ec_key(), EC_KID), jwk(ec_key(), EC_KID)], None),
        (
            "beyond the most that are tried",
            [*(jwk(ec_key(f"o{number}"), EC_KID) for number in range(8)), jwk(ec_key(), EC_KID)],
            "bad-signature",
        ),
        ("declared for another algorithm", [jwk(ec_key(), EC_KID, alg="ES256")], "key-does-not-fit-algorithm"),
    ],
)
def test_authenticate_key_ids_that_are_not_unique(
    reason: str, keys: list[object], log_detail: str | None, key_file: Path, authenticator: Authenticator
) -> None:
    replace_file(key_file, key_set(*keys))

    if log_detail is None:
        assert authenticator.authenticate([f"Bearer {token()}"], ENDPOINT, NOW).name == "main-ehr", reason
    else:
        with pytest.raises(UnauthenticatedError, match=log_detail):
            authenticator.authenticate([f"Bearer {token()}"], ENDPOINT, NOW)


def replace_file(path: Path, text: bytes) -> None:
    """As deployment tools do: write beside, then rename."""
    beside = path.with_suffix(".new")
    beside.write_bytes(text)
    beside.replace(path)


def test_key_file_that_changes_is_read_again(key_file: Path, authenticator: Authenticator) -> None:
    authenticator.authenticate([f"Bearer {token()}"], ENDPOINT, NOW)
    replace_file(key_file, key_set(jwk(ec_key("new"), EC_KID)))

    assert authenticator.authenticate([f"Bearer {token(key=ec_key('new'))}"], ENDPOINT, NOW).name == "main-ehr"
    with pytest.raises(UnauthenticatedError, match="bad-signature"):
        authenticator.authenticate([f"Bearer {token()}"], ENDPOINT, NOW)


def test_key_file_behind_a_link_that_is_turned_is_read_again(tmp_path: Path) -> None:
    """Container platforms publish a new version of a file by turning a link."""
    for name in ("old", "new"):
        (tmp_path / name).write_bytes(key_set(jwk(ec_key(name), name)))
        os.utime(tmp_path / name, ns=(1, 1))
    link = tmp_path / "keys.json"
    link.symlink_to("old")
    keys = KeyFile("main-ehr", link)
    link.unlink()
    link.symlink_to("new")

    assert keys.find("new")
    assert not keys.find("old")


@pytest.mark.parametrize("broken", [b"{", b"", b"[]", b" " * (MAX_KEY_SET_BYTES + 1), None])
def test_key_file_new_version_unusable_keeps_old_keys(
    broken: bytes | None, key_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    keys = KeyFile("main-ehr", key_file)
    if broken is None:
        key_file.unlink()
    else:
        replace_file(key_file, broken)

    with caplog.at_level(logging.ERROR):
        assert all(keys.find(EC_KID) for _ in range(3))
    assert len(caplog.messages) == 1, "said once, not with every request"
    assert "main-ehr" in caplog.text


@pytest.mark.parametrize("emptied", [b'{"keys": []}', key_set(jwk(ec_key(), EC_KID, use="enc"))])
def test_key_file_that_lists_no_usable_key_any_more_withdraws_them(
    emptied: bytes, key_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    keys, before = KeyFile("main-ehr", key_file), key_file.read_bytes()
    replace_file(key_file, emptied)

    for _ in range(3):
        with pytest.raises(KeySetError, match="no usable key"):
            keys.find(EC_KID)
    assert "its tokens are refused" in caplog.text
    assert len(caplog.messages) == 1, "said once, not with every request"
    replace_file(key_file, before)
    assert keys.find(EC_KID)


def test_key_file_made_readable_is_read_again(key_file: Path) -> None:
    """Only its permissions change then, not its time of change or size."""
    keys = KeyFile("main-ehr", key_file)
    replace_file(key_file, key_set(jwk(ec_key("new"), "ec-2027")))
    key_file.chmod(0o000)
    with patch.object(type(key_file), "open", side_effect=PermissionError(13, "Permission denied")):
        assert keys.find(EC_KID), "the old keys stay"
    key_file.chmod(0o644)

    assert keys.find("ec-2027")


def test_key_file_that_cannot_be_used_at_start_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KeySetError, match="cannot be read"):
        KeyFile("main-ehr", tmp_path / "missing.json")


def test_forge_makes_points_of_full_length() -> None:
    """A coordinate with a leading zero keeps it (RFC 7518 section 6.2.1.2); otherwise one key in 128 would fail."""
    short = next(
        key
        for key in (ec.derive_private_key(number, ec.SECP384R1()) for number in range(2, 5000))
        if key.public_key().public_numbers().x >> 376 == 0
    )

    assert read_key_set(key_set(jwk(short, "short"))).find("short")
