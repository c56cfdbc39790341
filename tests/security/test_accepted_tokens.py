"""Tokens that must get in: both recommended algorithms, and what Epic and the CDS Hooks sandbox really send."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from cds_service.authorization.authenticator import Authenticator
from cds_service.authorization.clients import ClientTrust, TokenPolicy, TrustedClient
from cds_service.authorization.key_file import KeyFile
from tests.security import forge
from tests.security.forge import ENDPOINT, LEFT_OUT, NOW, NOW_SECONDS, b64, claims, header, rsa_key, signed, token

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cds_service.state.used_tokens import UsedTokens

GOOD: list[tuple[str, Callable[[], str]]] = [
    ("requirement 178: ES384", token),
    ("requirement 178: RS384", lambda: token("RS384")),
    ("requirement 170: aud is an array of one", lambda: token(aud=[ENDPOINT])),
    ("aud is an array that holds our URL among others", lambda: token(aud=["https://a.example", ENDPOINT])),
    ("times with fractions of a second", lambda: token(iat=NOW_SECONDS + 0.25, exp=NOW_SECONDS + 299.75)),
    ("lives as long as allowed", lambda: token(exp=NOW_SECONDS + 900)),
    ("EHR's clock ahead by the leeway", lambda: token(iat=NOW_SECONDS + 60, exp=NOW_SECONDS + 360)),
    ("expired less than the leeway ago", lambda: token(iat=NOW_SECONDS - 359, exp=NOW_SECONDS - 59)),
    ("nbf within the leeway", lambda: token(nbf=NOW_SECONDS + 60)),
    ("requirement 174: tenant where the site lists none", lambda: token(tenant="any")),
    ("claims that nobody asked for", lambda: token(sub="x", fhirUser="Practitioner/1", extra={"a": [1]})),
    ("requirement 165: typ left out, as many libraries do", lambda: without_typ()),
    ("typ in lower case: a media type has none", lambda: token(head={"typ": "jwt"})),
    ("header member that is not in RFC 7515", lambda: token(head={"appid": "x"})),
    ("certificate chain and thumbprint beside the agreed kid", lambda: token(head={"x5c": ["MIIB"], "x5t": "AA"})),
    ("certificate chain of 4 kB", lambda: token(head={"x5c": ["A" * 4000]})),
    ("jku at the issuer, keys in a file", lambda: token(head={"jku": f"{forge.ISSUER}/jwks.json"})),
    ("jku at the FHIR server, keys in a file", lambda: token(head={"jku": "https://fhir.hospital.example/keys"})),
    ("jti with letters beyond ASCII", lambda: token(jti="ключ-1")),
]


def without_typ() -> str:
    return signed(header(typ=LEFT_OUT), claims(), forge.ec_key(), "ES384")


@pytest.mark.parametrize(("reason", "make"), GOOD)
def test_authenticate_good_token_gives_rights_of_its_client(
    reason: str, make: Callable[[], str], authenticator: Authenticator
) -> None:
    client = authenticator.authenticate([f"Bearer {make()}"], ENDPOINT, NOW)

    assert client == TrustedClient("main-ehr", forge.ISSUER, "active", (forge.FHIR_SERVER,)), reason


@pytest.mark.parametrize("scheme", ["Bearer ", "bearer ", "BEARER ", "bEaReR ", "Bearer   ", " Bearer "])
def test_authenticate_scheme_in_any_case_is_accepted(scheme: str, authenticator: Authenticator) -> None:
    assert authenticator.authenticate([scheme + token()], ENDPOINT, NOW).name == "main-ehr"


def test_authenticate_second_client_gets_its_own_rights(authenticator: Authenticator) -> None:
    text = token("RS384", key=rsa_key("other"), iss="https://other.hospital.example")

    client = authenticator.authenticate([f"Bearer {text}"], ENDPOINT, NOW)

    assert (client.name, client.mode, client.fhir_servers) == ("other-ehr", "silent", ())


def test_authenticate_listed_tenant_is_accepted(main_ehr: ClientTrust, replay: UsedTokens) -> None:
    authenticator = Authenticator([replace(main_ehr, tenants=("north",))], TokenPolicy(), replay)

    assert authenticator.authenticate([f"Bearer {token(tenant='north')}"], ENDPOINT, NOW).name == "main-ehr"


def test_authenticate_audience_agreed_on_is_accepted(main_ehr: ClientTrust, replay: UsedTokens) -> None:
    authenticator = Authenticator([replace(main_ehr, audiences=("urn:sii-cds",))], TokenPolicy(), replay)

    assert authenticator.authenticate([f"Bearer {token(aud='urn:sii-cds')}"], ENDPOINT, NOW).name == "main-ehr"


def test_authenticate_leeway_of_site_replaces_default(main_ehr: ClientTrust, replay: UsedTokens) -> None:
    authenticator = Authenticator([main_ehr], TokenPolicy(leeway_seconds=300), replay)
    text = token(iat=NOW_SECONDS - 599, exp=NOW_SECONDS - 299)

    assert authenticator.authenticate([f"Bearer {text}"], ENDPOINT, NOW).name == "main-ehr"


def epic_token(kid: str, iss: str) -> str:
    """As Epic describes its tokens: opaque kid, jku, sub, nbf five minutes before iat, fifteen minutes of life."""
    head = header("RS384", kid=kid, jku="https://epic.hospital.example/api/epic/2019/Security/Open/PublicKeys/1/x")
    body = claims(iss=iss, sub="5e8b3c1a", nbf=NOW_SECONDS - 300, exp=NOW_SECONDS + 900)
    return signed(head, body, rsa_key("epic"), "RS384")


def test_authenticate_token_as_epic_sends_it_is_accepted(tmp_path: Path, replay: UsedTokens) -> None:
    kid, issuer = "p+7/Tn4vYkQz0a/+Xw==", "https://epic.hospital.example/api/FHIR/R4"
    (tmp_path / "epic.json").write_bytes(forge.key_set(forge.jwk(rsa_key("epic"), kid)))
    keys = KeyFile("epic", tmp_path / "epic.json")
    epic = ClientTrust(issuer, keys, ("RS384",), TrustedClient("epic", issuer, "active", (issuer,)))

    client = Authenticator([epic], TokenPolicy(), replay).authenticate(
        [f"Bearer {epic_token(kid, issuer)}"], ENDPOINT, NOW
    )

    assert client.name == "epic"


# The public key that the CDS Hooks sandbox publishes: repository cds-hooks/sandbox, .well-known/jwks.json.
SANDBOX_KEY: dict[str, Any] = {
    "kty": "EC",
    "use": "sig",
    "crv": "P-384",
    "kid": "44823f3d-0b01-4a6c-a80e-b9d3e8a7226f",
    "x": "dw_JGR8nB2I6XveNxUOl2qk699ZPLM2nYI5STSdiEl9avAkrm3CkfYMbrrjr8laB",
    "y": "Sm3mLE-n1zYNla_aiE3cb3nZsL51RbC7ysw3q8aJLxGm-hx79RPMYpITDjp7kgzy",
    "alg": "ES384",
}
SANDBOX_ISSUER = "https://sandbox.cds-hooks.org"
# A token that the sandbox signed on 8 July 2020 for a discovery call, long expired.
SANDBOX_HEADER = {
    "alg": "ES384",
    "typ": "JWT",
    "kid": SANDBOX_KEY["kid"],
    "jku": "https://sandbox.cds-hooks.org/.well-known/jwks.json",
}
SANDBOX_CLAIMS: dict[str, Any] = {
    "iss": SANDBOX_ISSUER,
    "aud": "http://127.0.0.1:8000/cds-services",
    "exp": 1594230900,
    "iat": 1594230600,
    "jti": "efb3773d-3a28-43e2-9fbc-b936a9ae388b",
}
SANDBOX_SIGNATURE = (
    "Cbey3n5NkDRoCLHZ2WMFc1z_RY8Rlq5oGxdAYfbrBPMiJXLCwjbYoU0av2CQj-Olhbnpe7Vs8vzJ5oHP5gc2-0"
    "ooc5J49t4Uz9iYKpiM9KLUrqaJe0umc_klM2-ynHAI"
)


def sandbox_token() -> str:
    parts = (json.dumps(part, separators=(",", ":")).encode() for part in (SANDBOX_HEADER, SANDBOX_CLAIMS))
    return ".".join([*map(b64, parts), SANDBOX_SIGNATURE])


@pytest.fixture
def sandbox(tmp_path: Path, replay: UsedTokens) -> Authenticator:
    (tmp_path / "sandbox.json").write_bytes(forge.key_set(SANDBOX_KEY))
    keys = KeyFile("sandbox", tmp_path / "sandbox.json")
    rights = TrustedClient("sandbox", SANDBOX_ISSUER, "active")
    return Authenticator([ClientTrust(SANDBOX_ISSUER, keys, ("ES384",), rights)], TokenPolicy(), replay)


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Shanghai", "Pacific/Chatham"])
def test_authenticate_token_signed_by_cds_hooks_sandbox_is_accepted(zone: str, sandbox: Authenticator) -> None:
    then = datetime(2020, 7, 8, 17, 52, tzinfo=UTC).astimezone(ZoneInfo(zone))

    assert sandbox.authenticate([f"Bearer {sandbox_token()}"], SANDBOX_CLAIMS["aud"], then).name == "sandbox"


def test_sandbox_token_is_one_of_five_minutes_and_a_signature_of_p384() -> None:
    assert SANDBOX_CLAIMS["exp"] - SANDBOX_CLAIMS["iat"] == timedelta(minutes=5).total_seconds()
    assert len(base64.urlsafe_b64decode(SANDBOX_SIGNATURE)) == 96
