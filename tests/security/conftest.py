"""A site with two EHRs, as the tests of client trust see it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cds_service.authorization.authenticator import Authenticator
from cds_service.authorization.clients import ClientTrust, TokenPolicy, TrustedClient
from cds_service.authorization.key_file import KeyFile
from cds_service.authorization.key_url import KeySetAddress, KeyUrl
from cds_service.state.used_tokens import UsedTokens
from tests.security import forge
from tests.security.key_server import OLD_KEYS, Clock, KeyServer, running_key_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OTHER_ISSUER = "https://other.hospital.example"


def main_key_set() -> bytes:
    """Keys of the main EHR: the two recommended kinds, one for encryption, one of a curve that is not agreed on."""
    return forge.key_set(
        forge.jwk(forge.ec_key(), forge.EC_KID, use="sig", alg="ES384"),
        forge.jwk(forge.rsa_key(), forge.RSA_KID),
        forge.jwk(forge.ec_key("encryption"), "ec-encryption", use="enc"),
        forge.jwk(forge.ec_key("ehr", "ES256"), "ec-256"),
    )


def other_key_set() -> bytes:
    """Keys of the other EHR, one of them under an id that both have."""
    return forge.key_set(
        forge.jwk(forge.rsa_key("other"), forge.RSA_KID), forge.jwk(forge.rsa_key("other"), "other-2026")
    )


@pytest.fixture
def state_file(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "ehr.json"
    path.write_bytes(main_key_set())
    return path


@pytest.fixture
def main_ehr(key_file: Path) -> ClientTrust:
    rights = TrustedClient("main-ehr", forge.ISSUER, "active", (forge.FHIR_SERVER,))
    keys = KeyFile("main-ehr", key_file)
    return ClientTrust(forge.ISSUER, keys, ("ES384", "RS384"), rights, named_key_sets=forge.NAMED_KEY_SETS)


@pytest.fixture
def other_ehr(tmp_path: Path) -> ClientTrust:
    path = tmp_path / "other.json"
    path.write_bytes(other_key_set())
    rights = TrustedClient("other-ehr", OTHER_ISSUER, "silent")
    return ClientTrust(OTHER_ISSUER, KeyFile("other-ehr", path), ("RS384",), rights)


@pytest.fixture
def replay(state_file: Path) -> UsedTokens:
    return UsedTokens(f"sqlite:///{state_file}")


@pytest.fixture
def authenticator(main_ehr: ClientTrust, other_ehr: ClientTrust, replay: UsedTokens) -> Authenticator:
    return Authenticator([main_ehr, other_ehr], TokenPolicy(), replay)


@pytest.fixture
def server() -> Iterator[KeyServer]:
    with running_key_server(OLD_KEYS) as running:
        yield running


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def keys(server: KeyServer, clock: Clock) -> KeyUrl:
    return KeyUrl("main-ehr", KeySetAddress(server.url), clock)
