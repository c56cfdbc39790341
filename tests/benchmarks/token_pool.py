"""Tokens for the load: signed beforehand, each with a `jti` of its own, as every request of an EHR needs one."""

import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from uuid import uuid4

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from tests.security import forge

ALGORITHMS = ("RS384", "ES384")
# Below the longest lifetime that the service accepts, and longer than a round takes.
LIFETIME_SECONDS = 840
CHECKS = 200


def key_set() -> bytes:
    """The public keys of both algorithms as a JWK Set."""
    return forge.key_set(forge.jwk(forge.rsa_key(), forge.RSA_KID), forge.jwk(forge.ec_key(), forge.EC_KID))


class TokenPool:
    """Tokens of one algorithm in a file, used up from the first line on."""

    def __init__(self, file: Path, algorithm: str, number: int) -> None:
        """Sign them; all are good from now on for `LIFETIME_SECONDS`."""
        self.file, self.used = file, 0
        file.write_text("\n".join(_signed(algorithm, number)))

    def take(self) -> str:
        """Use one."""
        token = self.file.read_text().split("\n")[self.used]
        self.used += 1
        return token


def _signed(algorithm: str, number: int) -> Iterator[str]:
    now, run = int(time.time()), uuid4()
    key = forge.key_for(algorithm)
    for serial in count():
        if serial == number:
            return
        claims = forge.claims(iat=now, exp=now + LIFETIME_SECONDS, jti=f"{run}-{serial}")
        yield forge.signed(forge.header(algorithm), claims, key, algorithm)


def bare_check_ms(algorithm: str) -> float:
    """Processor time of one signature check by `cryptography`, in milliseconds: what no verifier can do without."""
    key, text, digest = forge.key_for(algorithm), b"header.claims" * 20, hashes.SHA384()
    if isinstance(key, rsa.RSAPrivateKey):
        signature = key.sign(text, padding.PKCS1v15(), digest)
        rsa_key = key.public_key()
        began = time.process_time()
        for _ in range(CHECKS):
            rsa_key.verify(signature, text, padding.PKCS1v15(), digest)
    else:
        signature = key.sign(text, ec.ECDSA(digest))
        ec_key = key.public_key()
        began = time.process_time()
        for _ in range(CHECKS):
            ec_key.verify(signature, text, ec.ECDSA(digest))
    return (time.process_time() - began) * 1000 / CHECKS
