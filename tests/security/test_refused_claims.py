"""Signed as agreed, yet not acceptable: issuer, times, audience, token id, tenant (requirements 169-174)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from cds_service.authorization.authenticator import Authenticator
from cds_service.authorization.clients import ClientTrust, TokenPolicy
from cds_service.authorization.refusals import Refusal
from cds_service.errors import ForbiddenError, UnauthenticatedError
from tests.security import forge
from tests.security.forge import ENDPOINT, ISSUER, LEFT_OUT, NOW_SECONDS, PUBLIC_URL

if TYPE_CHECKING:
    from cds_service.state.used_tokens import UsedTokens

Claims = dict[str, Any]

ISSUERS: list[tuple[str, Claims, Refusal]] = [
    ("missing", {"iss": LEFT_OUT}, Refusal.ISSUER),
    ("null", {"iss": None}, Refusal.ISSUER),
    ("number", {"iss": 1}, Refusal.ISSUER),
    ("list", {"iss": [ISSUER]}, Refusal.ISSUER),
    ("object", {"iss": {ISSUER: 1}}, Refusal.ISSUER),
    ("unknown", {"iss": "https://attacker.example"}, Refusal.ISSUER),
    ("trailing slash", {"iss": f"{ISSUER}/"}, Refusal.ISSUER),
    ("another case", {"iss": ISSUER.upper()}, Refusal.ISSUER),
    ("a space", {"iss": f"{ISSUER} "}, Refusal.ISSUER),
    ("only its beginning", {"iss": ISSUER[:-1]}, Refusal.ISSUER),
]

TIMES: list[tuple[str, Claims, Refusal]] = [
    ("exp missing", {"exp": LEFT_OUT}, Refusal.CLAIM_MISSING),
    ("exp null", {"exp": None}, Refusal.CLAIM_TYPE),
    ("exp a text", {"exp": str(NOW_SECONDS + 300)}, Refusal.CLAIM_TYPE),
    ("exp true", {"exp": True}, Refusal.CLAIM_TYPE),
    ("exp a list", {"exp": [NOW_SECONDS + 300]}, Refusal.CLAIM_TYPE),
    ("exp negative", {"exp": -1}, Refusal.CLAIM_TYPE),
    ("exp of 400 digits", {"exp": 10**400}, Refusal.CLAIM_TYPE),
    ("exp of 30 digits", {"exp": 10**30}, Refusal.CLAIM_TYPE),
    ("exp in milliseconds", {"exp": (NOW_SECONDS + 300) * 1000}, Refusal.LIFETIME),
    ("exp in ten years", {"exp": NOW_SECONDS + 10 * 365 * 86_400}, Refusal.LIFETIME),
    ("lives a second too long", {"exp": NOW_SECONDS + 901}, Refusal.LIFETIME),
    ("lives a moment too long", {"exp": NOW_SECONDS + 900.5}, Refusal.LIFETIME),
    ("expires before it is issued", {"iat": NOW_SECONDS + 10, "exp": NOW_SECONDS + 5}, Refusal.LIFETIME),
    ("expires when it is issued", {"exp": NOW_SECONDS}, Refusal.LIFETIME),
    ("expired yesterday", {"iat": NOW_SECONDS - 86_700, "exp": NOW_SECONDS - 86_400}, Refusal.EXPIRED),
    ("expired, leeway just over", {"iat": NOW_SECONDS - 360, "exp": NOW_SECONDS - 60}, Refusal.EXPIRED),
    ("exp zero", {"iat": 0, "exp": 0}, Refusal.EXPIRED),
    ("iat missing", {"iat": LEFT_OUT}, Refusal.CLAIM_MISSING),
    ("iat null", {"iat": None}, Refusal.CLAIM_TYPE),
    ("iat a text", {"iat": str(NOW_SECONDS)}, Refusal.CLAIM_TYPE),
    ("iat false", {"iat": False}, Refusal.CLAIM_TYPE),
    ("issued tomorrow", {"iat": NOW_SECONDS + 86_400, "exp": NOW_SECONDS + 86_700}, Refusal.ISSUED_IN_FUTURE),
    ("issued beyond the leeway", {"iat": NOW_SECONDS + 61}, Refusal.ISSUED_IN_FUTURE),
    ("nbf beyond the leeway", {"nbf": NOW_SECONDS + 61}, Refusal.NOT_YET_VALID),
    ("nbf a text", {"nbf": "0"}, Refusal.CLAIM_TYPE),
    ("nbf null", {"nbf": None}, Refusal.CLAIM_TYPE),
]

AUDIENCES: list[tuple[str, Claims, Refusal]] = [
    ("missing", {"aud": LEFT_OUT}, Refusal.CLAIM_MISSING),
    ("null", {"aud": None}, Refusal.CLAIM_TYPE),
    ("number", {"aud": 1}, Refusal.CLAIM_TYPE),
    ("object", {"aud": {ENDPOINT: 1}}, Refusal.CLAIM_TYPE),
    ("empty text", {"aud": ""}, Refusal.AUDIENCE),
    ("empty list", {"aud": []}, Refusal.AUDIENCE),
    ("a list that holds a number", {"aud": [ENDPOINT, 1]}, Refusal.CLAIM_TYPE),
    ("a list in a list", {"aud": [[ENDPOINT]]}, Refusal.CLAIM_TYPE),
    ("base URL only", {"aud": PUBLIC_URL}, Refusal.AUDIENCE),
    ("discovery on a service call", {"aud": f"{PUBLIC_URL}/cds-services"}, Refusal.AUDIENCE),
    ("feedback on a service call", {"aud": f"{ENDPOINT}/feedback"}, Refusal.AUDIENCE),
    ("another service", {"aud": f"{PUBLIC_URL}/cds-services/other"}, Refusal.AUDIENCE),
    ("another host", {"aud": ENDPOINT.replace("cds.hospital", "cds.other")}, Refusal.AUDIENCE),
    ("trailing slash", {"aud": f"{ENDPOINT}/"}, Refusal.AUDIENCE),
    ("query", {"aud": f"{ENDPOINT}?x=1"}, Refusal.AUDIENCE),
    ("without TLS", {"aud": ENDPOINT.replace("https", "http")}, Refusal.AUDIENCE),
    ("another case", {"aud": ENDPOINT.upper()}, Refusal.AUDIENCE),
    ("a list of others", {"aud": [PUBLIC_URL, "https://a.example"]}, Refusal.AUDIENCE),
    ("our URL inside a longer text", {"aud": f"https://a.example {ENDPOINT}"}, Refusal.AUDIENCE),
]

TOKEN_IDS: list[tuple[str, Claims, Refusal]] = [
    ("missing", {"jti": LEFT_OUT}, Refusal.CLAIM_MISSING),
    ("null", {"jti": None}, Refusal.CLAIM_TYPE),
    ("number", {"jti": 7}, Refusal.CLAIM_TYPE),
    ("empty", {"jti": ""}, Refusal.CLAIM_TYPE),
    ("list", {"jti": ["a"]}, Refusal.CLAIM_TYPE),
]


@pytest.mark.parametrize(("reason", "changes", "expected"), ISSUERS + TIMES + AUDIENCES + TOKEN_IDS)
def test_authenticate_unacceptable_claims_are_refused_alike(
    reason: str, changes: Claims, expected: Refusal, authenticator: Authenticator
) -> None:
    with pytest.raises(UnauthenticatedError) as caught:
        authenticator.authenticate([f"Bearer {forge.token(**changes)}"], ENDPOINT, forge.NOW)

    assert (caught.value.status, caught.value.client_text) == (401, "Authentication is required."), reason
    assert caught.value.log_detail.partition(" ")[0] == expected, reason


@pytest.mark.parametrize(
    ("reason", "changes"),
    [
        ("requirement 174: missing where the site lists tenants", {}),
        ("not on the list", {"tenant": "ward-9"}),
        ("another case", {"tenant": "NORTH"}),
        ("null", {"tenant": None}),
        ("a list that holds a listed one", {"tenant": ["north"]}),
        ("an object", {"tenant": {"north": 1}}),
    ],
)
def test_authenticate_tenant_not_listed_is_forbidden(
    reason: str, changes: Claims, main_ehr: ClientTrust, replay: UsedTokens
) -> None:
    authenticator = Authenticator([replace(main_ehr, tenants=("north", "south"))], TokenPolicy(), replay)

    with pytest.raises(ForbiddenError) as caught:
        authenticator.authenticate([f"Bearer {forge.token(**changes)}"], ENDPOINT, forge.NOW)

    assert caught.value.status == 403, reason
    assert caught.value.log_detail == "tenant-not-allowed client=main-ehr"


@pytest.mark.parametrize("jku", ["https://keys.elsewhere.example/jwk", "https://cerner.example/jwk", "jwk", "", None])
def test_authenticate_any_jku_beside_a_file_is_ignored_where_none_is_listed(
    jku: object, main_ehr: ClientTrust, replay: UsedTokens
) -> None:
    """As Oracle Health has it in the operations guide: keys in a file, and a key set at an address of its own."""
    authenticator = Authenticator([replace(main_ehr, named_key_sets=())], TokenPolicy(), replay)

    assert authenticator.authenticate([f"Bearer {forge.token(head={'jku': jku})}"], ENDPOINT, forge.NOW)


LISTED = "https://authorization.ehr.example/jwk"


@pytest.mark.parametrize(
    ("jku", "reason"),
    [
        ("https://attacker.example/k", "another host"),
        (f"{LISTED}/", "a slash more"),
        (f"{LISTED}?x", "a query more"),
        ("https://authorization.ehr.example", "the host alone"),
        ("https://user@authorization.ehr.example/jwk", "a user more"),
        ("http://authorization.ehr.example/jwk", "without TLS"),
        ("https://authorization.ehr.example:8443/jwk", "another port"),
        ("jwk", "no address"),
        ("", "empty"),
        (None, "null"),
        ([LISTED], "a list"),
    ],
)
def test_authenticate_jku_that_is_not_listed_beside_a_file_is_refused(
    jku: object, reason: str, main_ehr: ClientTrust, replay: UsedTokens
) -> None:
    authenticator = Authenticator([replace(main_ehr, named_key_sets=(LISTED,))], TokenPolicy(), replay)

    with pytest.raises(UnauthenticatedError, match="foreign-jku"):
        authenticator.authenticate([f"Bearer {forge.token(head={'jku': jku})}"], ENDPOINT, forge.NOW)
    for head in ({"jku": LISTED}, {}):
        assert authenticator.authenticate([f"Bearer {forge.token(head=head)}"], ENDPOINT, forge.NOW), reason
