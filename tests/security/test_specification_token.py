"""The sample token of the CDS Hooks specification ("JWT Signing Algorithm", section Example), as it is published there.

Header, claims, public key and the whole signed token are those of the specification. Its token lives for three and a
half years, from 2011 to 2015, which no site can allow; everything else about it is in order.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from cds_service.authorization.authenticator import Authenticator
from cds_service.authorization.clients import ClientTrust, TokenPolicy, TrustedClient
from cds_service.authorization.keys import read_key_set
from cds_service.errors import UnauthenticatedError
from tests.security import forge

if TYPE_CHECKING:
    from cds_service.state.used_tokens import UsedTokens

KEY: dict[str, Any] = {
    "kty": "EC",
    "use": "sig",
    "crv": "P-384",
    "kid": "example-kid",
    "x": "46SDH7Znh821wblCBglA61sNE9ZrHYKKt3qRtRTmSXyOI_FIGBLWrWa0GPUkDCEk",
    "y": "XMcRuuoGW7CXjQdy-F5i3FeBE0x9hPLdeFdSoDd3ELmx404tLX0VRRcqzAsPhXcI",
    "alg": "ES384",
}
TOKEN = (
    "eyJhbGciOiJFUzM4NCIsInR5cCI6IkpXVCIsImtpZCI6ImV4YW1wbGUta2lkIiwiamt1IjoiaHR0cHM6Ly9maGlyLWVoci5leGFtcGxlLmNvbS9qd2tf"
    "dXJpIn0.eyJpc3MiOiJodHRwczovL2ZoaXItZWhyLmV4YW1wbGUuY29tLyIsInN1YiI6ImNsaWVudF9pZCIsImF1ZCI6Imh0dHBzOi8vY2RzLmV4YW1wb"
    "GUub3JnL2Nkcy1zZXJ2aWNlcy9zb21lLXNlcnZpY2UiLCJleHAiOjE0MjI1Njg4NjAsImlhdCI6MTMxMTI4MDk3MCwianRpIjoiZWUyMmIwMjEtZTFiNy"
    "00NjExLWJhNWItOGVlYzZhMzNhYzFlIiwidGVuYW50IjoiMmRkZDZjM2EtOGU5YS00NGM2LWEzMDUtNTIxMTFhZDMwMmEyIn0.CUFPkplnWd6YGIvzoHo"
    "lWCQBDsCL8QtTWKGg_QFpS169WrqDGzktRi-_we6-6rVzbjerU27ZKww_SW0-b9RTz-dPJNcqsueMio8r6EqXUXhbLm_ch3XFSbDlGHDl_tqo"
)
ISSUER, ENDPOINT = "https://fhir-ehr.example.com/", "https://cds.example.org/cds-services/some-service"
TENANT, JKU = "2ddd6c3a-8e9a-44c6-a305-52111ad302a2", "https://fhir-ehr.example.com/jwk_uri"
ISSUED, EXPIRES = 1311280970, 1422568860


def authenticator(replay: UsedTokens, lifetime: float) -> Authenticator:
    keys, rights = read_key_set(forge.key_set(KEY)), TrustedClient("specification", ISSUER, "active")
    client = ClientTrust(ISSUER, keys, ("ES384",), rights, key_set_url=JKU, tenants=(TENANT,))
    return Authenticator([client], TokenPolicy(max_lifetime_seconds=lifetime), replay)


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Shanghai"])
def test_authenticate_sample_token_of_the_specification_is_accepted_but_for_its_life(
    zone: str, replay: UsedTokens
) -> None:
    then = datetime(2014, 6, 1, tzinfo=UTC).astimezone(ZoneInfo(zone))

    with pytest.raises(UnauthenticatedError, match="lifetime-not-allowed"):
        authenticator(replay, 3600).authenticate([f"Bearer {TOKEN}"], ENDPOINT, then)
    client = authenticator(replay, EXPIRES - ISSUED).authenticate([f"Bearer {TOKEN}"], ENDPOINT, then)

    assert client.name == "specification"


def test_authenticate_sample_token_with_one_bit_changed_is_refused(replay: UsedTokens) -> None:
    changed = TOKEN.replace("lWCQBDsCL8", "lWCQBDsCL9")

    with pytest.raises(UnauthenticatedError, match="bad-signature"):
        authenticator(replay, EXPIRES - ISSUED).authenticate(
            [f"Bearer {changed}"], ENDPOINT, datetime(2014, 6, 1, tzinfo=UTC)
        )
