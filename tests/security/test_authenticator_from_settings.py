"""What the configuration of a site makes of its clients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from cds_service.authorization.clients import TrustedClient
from cds_service.authorization.from_settings import authenticator_from_settings
from cds_service.authorization.key_url import KeyUrl
from cds_service.errors import ConfigurationError, UnauthenticatedError
from cds_service.settings import Settings, settings_from_dict
from tests.security import forge
from tests.security.forge import ENDPOINT, ISSUER, NOW, NOW_SECONDS, token

if TYPE_CHECKING:
    from pathlib import Path

EHR: dict[str, Any] = {"name": "main-ehr", "issuer": ISSUER, "fhir_servers": [f"{forge.FHIR_SERVER}/"]}
TEST_EHR: dict[str, Any] = {"name": "test-ehr", "issuer": "https://test.example", "open_fhir_server": True}
KEY_ADDRESS = "https://ehr.hospital.example/jwks.json"


def settings(directory: Path, *clients: dict[str, Any], **sections: Any) -> Settings:
    state = {"url": f"sqlite:///{directory / 'state.db'}"}
    return settings_from_dict({"clients": list(clients), "state": state, **sections}, directory)


def by_file(key_file: Path, **changes: Any) -> dict[str, Any]:
    return {**EHR, "jwks_file": str(key_file), **changes}


@pytest.mark.parametrize(
    ("service_mode", "client_mode", "expected"),
    [
        ("active", None, "active"),
        ("silent", None, "silent"),
        ("active", "silent", "silent"),
        ("silent", "active", "active"),
    ],
)
def test_authenticator_from_settings_gives_rights_of_the_entry(
    service_mode: str, client_mode: str | None, expected: Any, key_file: Path, tmp_path: Path
) -> None:
    site = settings(tmp_path, by_file(key_file, mode=client_mode), service={"mode": service_mode})

    client = authenticator_from_settings(site).authenticate([f"Bearer {token()}"], ENDPOINT, NOW)

    assert client == TrustedClient("main-ehr", ISSUER, expected, (forge.FHIR_SERVER,))


@pytest.mark.parametrize(
    ("changes", "authentication", "claims", "reason"),
    [
        ({"algorithms": ["RS384"]}, {}, {}, "algorithm"),
        ({"tenants": ["north"]}, {}, {"tenant": "south"}, "tenant"),
        ({}, {"max_lifetime_seconds": 299}, {}, "lifetime"),
        ({}, {"leeway_seconds": 0}, {"iat": NOW_SECONDS + 1}, "issued-in-future"),
        ({"audiences": ["urn:x"]}, {}, {"aud": "urn:y"}, "audience"),
    ],
)
def test_authenticator_from_settings_keeps_the_rules_of_the_site(
    changes: dict[str, Any],
    authentication: dict[str, Any],
    claims: dict[str, Any],
    reason: str,
    key_file: Path,
    tmp_path: Path,
) -> None:
    site = settings(tmp_path, by_file(key_file, **changes), authentication=authentication)

    with pytest.raises(Exception, match=reason) as caught:
        authenticator_from_settings(site).authenticate([f"Bearer {token(**claims)}"], ENDPOINT, NOW)

    assert caught.type.__name__ in ("UnauthenticatedError", "ForbiddenError")


@pytest.mark.parametrize(
    ("clients", "servers", "without_token", "reason"),
    [
        ([], (), False, "no client: no server may be asked"),
        ([EHR], (forge.FHIR_SERVER,), False, "one client"),
        ([EHR, TEST_EHR], (forge.FHIR_SERVER,), False, "one entry does not allow requests without a token"),
        ([TEST_EHR], (), True, "every entry allows them"),
        (
            [EHR, {**TEST_EHR, "fhir_servers": ["https://b.example", forge.FHIR_SERVER]}],
            (forge.FHIR_SERVER, "https://b.example"),
            False,
            "union, each once",
        ),
    ],
)
@pytest.mark.parametrize("headers", [[], ["Bearer x"], ["Bearer x", "Basic y"]])
def test_authenticate_not_required_gives_anonymous_client(
    headers: list[str],
    clients: list[dict[str, Any]],
    servers: tuple[str, ...],
    without_token: bool,
    reason: str,
    tmp_path: Path,
) -> None:
    site = settings(tmp_path, *clients, authentication={"required": False}, service={"mode": "silent"})

    client = authenticator_from_settings(site).authenticate(headers, ENDPOINT, NOW)

    assert client == TrustedClient("anonymous", None, "silent", servers, without_token), reason


def test_authenticator_from_settings_key_address_gets_authorities_and_proxy(key_file: Path, tmp_path: Path) -> None:
    acquisition = {"ca_file": str(key_file), "proxy": "http://proxy.hospital.example:3128"}
    site = settings(tmp_path, {**EHR, "jwks_url": KEY_ADDRESS}, acquisition=acquisition)

    (client,) = authenticator_from_settings(site).clients

    assert isinstance(client.keys, KeyUrl)
    assert client.key_set_url == client.keys.address.url == KEY_ADDRESS
    assert client.keys.address.proxy == "http://proxy.hospital.example:3128"
    assert client.keys.address.ca_file == key_file


@pytest.mark.parametrize("text", ["{", '{"keys": []}'])
def test_authenticator_from_settings_unusable_key_file_names_its_key(text: str, tmp_path: Path) -> None:
    (tmp_path / "keys.json").write_text(text)

    with pytest.raises(ConfigurationError, match=r"clients\.0\.jwks_file: .*keys\.json"):
        authenticator_from_settings(settings(tmp_path, by_file(tmp_path / "keys.json")))


def test_authenticator_from_settings_reload_keeps_fetched_keys_and_used_tokens(tmp_path: Path) -> None:
    site = settings(tmp_path, {**EHR, "jwks_url": KEY_ADDRESS})
    before = authenticator_from_settings(site)
    other = settings(tmp_path, {**EHR, "jwks_url": f"{KEY_ADDRESS}?v=2"}, authentication={"leeway_seconds": 1})

    assert authenticator_from_settings(site, before).clients[0].keys is before.clients[0].keys
    assert authenticator_from_settings(other, before).clients[0].keys is not before.clients[0].keys
    assert authenticator_from_settings(other, before).replay is before.replay


def test_authenticator_from_settings_reload_after_withdrawal_refuses_the_client(key_file: Path, tmp_path: Path) -> None:
    before = authenticator_from_settings(settings(tmp_path, by_file(key_file)))
    after = authenticator_from_settings(settings(tmp_path, by_file(key_file, issuer="https://new.example")), before)

    with pytest.raises(UnauthenticatedError, match="unknown-issuer"):
        after.authenticate([f"Bearer {token()}"], ENDPOINT, NOW)
