"""The key pair of the test client: made once, kept in a folder, entered in the configuration by hand."""

from __future__ import annotations

import json
import os
import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeyParameters, RSAKey

from cds_service.settings.defaults import yaml_text

if TYPE_CHECKING:
    from pathlib import Path

NAME: Final = "client-test"
ISSUER: Final = "https://client-test.invalid"
PRIVATE_KEY: Final = "private-key.json"
KEY_SET: Final = "jwks.json"
LIFE_SECONDS: Final = 120
_RSA_BITS: Final = 3072


class KeyFolderError(Exception):
    """The folder cannot be used; the text says why."""


@dataclass(frozen=True)
class TestKeys:
    """A key pair and where its public half lies. `made` tells that it is new, so no configuration knows it yet."""

    __test__ = False

    key: ECKey | RSAKey
    algorithm: str
    key_set: Path
    made: bool

    def token(self, audience: str, *, key: ECKey | RSAKey | None = None, **changes: Any) -> str:
        """Sign a token for an endpoint, with another key or other claims where a bad one is wanted."""
        now = int(time.time())
        claims = {
            "iss": ISSUER,
            "aud": audience,
            "iat": now,
            "exp": now + LIFE_SECONDS,
            "jti": secrets.token_urlsafe(16),
            **changes,
        }
        header = {"alg": self.algorithm, "typ": "JWT", "kid": self.key.kid}
        return jwt.encode(header, claims, key or self.key, algorithms=[self.algorithm])

    def stranger(self) -> ECKey | RSAKey:
        """Make a key of the same kind that nobody knows."""
        return _new_key(self.algorithm, "stranger")

    def snippet(self) -> str:
        """Write the entry of the test client for the configuration file."""
        return "\n".join(
            (
                "clients:",
                f"  - name: {NAME}",
                f"    issuer: {ISSUER}",
                f"    jwks_file: {yaml_text(str(self.key_set))}",
                f"    algorithms: [{self.algorithm}]",
                "    mode: silent",
            )
        )


def keys_in(folder: Path, algorithm: str) -> TestKeys:
    """Read the key pair of a folder, or make one there. Raises KeyFolderError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        private, public = folder / PRIVATE_KEY, (folder / KEY_SET).absolute()
        if private.exists():
            key = _read(private)
            known = str(key.as_dict()["alg"])
            if known != algorithm:
                advice = f"use it with --algorithm {known}, or name another folder with --keys"
                raise KeyFolderError(f"{folder} holds a key for {known}: {advice}")
            if not public.exists():
                _publish(public, key)
            return TestKeys(key, algorithm, public, made=False)
        key = _new_key(algorithm, f"{NAME}-{time.strftime('%Y-%m-%d')}-{secrets.token_hex(3)}")
        _write_for_owner(private, json.dumps(key.as_dict(private=True)))
        _publish(public, key)
    except OSError as error:
        raise KeyFolderError(f"{error.filename}: {error.strerror}") from None
    return TestKeys(key, algorithm, public, made=True)


def _new_key(algorithm: str, kid: str) -> ECKey | RSAKey:
    parameters: KeyParameters = {"kid": kid, "use": "sig", "alg": algorithm}
    if algorithm.startswith("ES"):
        return ECKey.generate_key("P-384", parameters)
    return RSAKey.generate_key(_RSA_BITS, parameters)


def _publish(path: Path, key: ECKey | RSAKey) -> None:
    path.write_text(json.dumps({"keys": [key.as_dict(private=False)]}, indent=2) + "\n", encoding="utf-8")


def _read(path: Path) -> ECKey | RSAKey:
    try:
        value = json.loads(path.read_text(encoding="utf-8-sig"))
        key = ECKey.import_key(value) if value["kty"] == "EC" else RSAKey.import_key(value)
        is_ours = key.is_private and isinstance(value["alg"], str)
    except (ValueError, KeyError, TypeError, JoseError):
        is_ours = False
    if not is_ours:
        raise KeyFolderError(f"{path} holds no key of this command; delete the folder and start again")
    return key


def _write_for_owner(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
