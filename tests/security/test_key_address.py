"""A client whose keys lie at an address: rotation, outages, and the addresses that a token names (requirement 166)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cds_service.authorization.authenticator import Authenticator
from cds_service.authorization.clients import ClientTrust, TokenPolicy, TrustedClient
from cds_service.errors import UnauthenticatedError
from tests.security import forge
from tests.security.forge import EC_KID, ENDPOINT, ISSUER, NOW, ec_key, token
from tests.security.key_server import NEW_KEYS, Clock, KeyServer, running_key_server

if TYPE_CHECKING:
    from cds_service.authorization.key_url import KeyUrl
    from cds_service.state.used_tokens import UsedTokens


@pytest.fixture
def by_url(keys: KeyUrl, server: KeyServer, replay: UsedTokens) -> Authenticator:
    rights = TrustedClient("main-ehr", ISSUER, "active")
    return Authenticator([ClientTrust(ISSUER, keys, ("ES384",), rights, server.url)], TokenPolicy(), replay)


def test_authenticate_own_jku_is_accepted(by_url: Authenticator, server: KeyServer) -> None:
    text = token(head={"jku": server.url})

    assert by_url.authenticate([f"Bearer {text}"], ENDPOINT, NOW).name == "main-ehr"


def test_authenticate_key_rotation_lets_the_new_key_in(by_url: Authenticator, server: KeyServer, clock: Clock) -> None:
    by_url.authenticate([f"Bearer {token()}"], ENDPOINT, NOW)
    server.body = NEW_KEYS
    clock.seconds += 31

    new = token(key=ec_key("new"), head={"kid": "ec-2027"})
    assert by_url.authenticate([f"Bearer {new}"], ENDPOINT, NOW).name == "main-ehr"
    with pytest.raises(UnauthenticatedError, match="unknown-kid"):
        by_url.authenticate([f"Bearer {token()}"], ENDPOINT, NOW)


def test_authenticate_outage_of_key_server_is_survived(by_url: Authenticator, server: KeyServer, clock: Clock) -> None:
    by_url.authenticate([f"Bearer {token()}"], ENDPOINT, NOW)
    server.status = 500
    clock.seconds += 7200

    assert by_url.authenticate([f"Bearer {token()}"], ENDPOINT, NOW).name == "main-ehr"


def test_authenticate_without_any_key_set_is_refused_alike(by_url: Authenticator, server: KeyServer) -> None:
    server.status = 500

    with pytest.raises(UnauthenticatedError) as caught:
        by_url.authenticate([f"Bearer {token()}"], ENDPOINT, NOW)

    assert caught.value.client_text == "Authentication is required."
    assert caught.value.log_detail == "keys-unavailable client=main-ehr"


@pytest.mark.parametrize(
    ("suffix", "reason"),
    [
        ("", "the attacker's own address"),
        ("?jwks.json", "with our path in the query"),
        ("#http://127.0.0.1/jwks.json", "with our address in the fragment"),
    ],
)
@pytest.mark.parametrize("owner", ["ehr", "attacker"])
def test_authenticate_foreign_jku_is_refused_without_any_request(
    owner: str, suffix: str, reason: str, by_url: Authenticator, authenticator: Authenticator, server: KeyServer
) -> None:
    with running_key_server(forge.key_set(forge.jwk(ec_key("attacker"), EC_KID))) as listener:
        for trust in (by_url, authenticator):
            text = token(key=ec_key(owner), head={"jku": listener.url + suffix})
            with pytest.raises(UnauthenticatedError, match="foreign-jku"):
                trust.authenticate([f"Bearer {text}"], ENDPOINT, NOW)

    assert listener.requests == [], reason
    assert server.requests == [], "nor is the address agreed on asked: the token is refused before"


@pytest.mark.parametrize("change", ["/", "?x", "#x"])
def test_authenticate_jku_that_only_resembles_ours_is_refused(
    change: str, by_url: Authenticator, server: KeyServer
) -> None:
    with pytest.raises(UnauthenticatedError, match="foreign-jku"):
        by_url.authenticate([f"Bearer {token(head={'jku': server.url + change})}"], ENDPOINT, NOW)

    assert server.requests == []
