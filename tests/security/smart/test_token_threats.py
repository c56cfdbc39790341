"""Tokens and id_tokens that are forged, foreign, expired or of no use: none of them shows a page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.security import forge
from tests.support.fhir_stub_faults import BROKEN_ANSWERS
from tests.support.smart_site import SmartSite, assert_refused

if TYPE_CHECKING:
    from tests.support.fhir_stub import Fault


@pytest.mark.parametrize(("fault", "reason"), BROKEN_ANSWERS)
def test_broken_token_endpoint_is_no_page(fault: Fault, reason: str, site: SmartSite) -> None:
    site.server.faults = {"token": fault}

    assert_refused(site.open(), 502, "token", reason)
    assert site.records() == []


# Forged id_tokens.

FORGED: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({"iss": "https://evil.example"}, {}, "another issuer"),
    ({"iss": None}, {}, "no issuer"),
    ({"aud": "another-app"}, {}, "for another app"),
    ({"aud": ["sii-trend", "another-app"]}, {}, "for several, none of them named"),
    ({"aud": ["sii-trend", "another-app"], "azp": "another-app"}, {}, "for another of several"),
    ({"aud": None}, {}, "for nobody"),
    ({"nonce": "n" * 43}, {}, "of another launch"),
    ({"nonce": None}, {}, "of no launch"),
    ({"exp": 1}, {}, "expired"),
    ({"exp": None}, {}, "for ever"),
    ({"exp": "2099"}, {}, "no time"),
    ({"exp": True}, {}, "a truth value"),
    ({"iat": 4102444800}, {}, "not yet issued"),
    ({"nbf": 4102444800}, {}, "not yet valid"),
    ({}, {"alg": "none"}, "unsigned"),
    ({}, {"alg": "HS256"}, "signed with the public key"),
    ({}, {"kid": "as-2"}, "a key that is not there"),
    ({}, {"crit": ["x"]}, "an extension"),
    ({}, {"alg": "ES384"}, "an algorithm that does not fit the key"),
]


@pytest.mark.parametrize(("claims", "header", "reason"), FORGED)
def test_forged_id_token_is_refused_before_fhir_is_asked(
    claims: dict[str, Any], header: dict[str, Any], reason: str, site: SmartSite
) -> None:
    site.server.claims, site.server.header = claims, header

    assert_refused(site.open(), 502, "id-token", reason)
    assert site.server.received == [], reason
    (record,) = site.records()
    assert (record["outcome"], record["refused"]) == ("refused", "id-token"), reason


def test_id_token_of_another_key_is_refused(site: SmartSite) -> None:
    site.server.signer = forge.rsa_key("attacker")

    assert_refused(site.open(), 502, "id-token")
    assert site.server.received == []


@pytest.mark.parametrize("text", ["", "a.b", "a.b.c", "x" * 20_000, "é.é.é"])
def test_id_token_that_is_none_is_refused(text: str, site: SmartSite) -> None:
    site.server.token_response = {"id_token": text}

    assert_refused(site.open(), 502, "id-token")


GOOD: list[tuple[dict[str, Any], dict[str, Any], dict[str, Any], str]] = [
    ({"aud": ["sii-trend"]}, {}, {}, "a list of one"),
    ({"aud": ["sii-trend", "x"], "azp": "sii-trend"}, {}, {}, "this one of several"),
    ({}, {"kid": None}, {}, "no kid, and one key"),
    ({}, {"typ": None}, {}, "no typ"),
    ({"fhirUser": None}, {}, {}, "no fhirUser: the subject"),
    ({}, {}, {"token_type": "bearer", "expires_in": "300"}, "spellings of servers"),
    ({}, {}, {"scope": None}, "no scope: as asked"),
    ({}, {}, {"scope": "launch openid patient/*.read"}, "all of SMART 1"),
    ({}, {}, {"scope": "patient/*.cruds"}, "more than was asked"),
    ({}, {}, {"need_patient_banner": "false", "appContext": {"a": 1}, "encounter": 7}, "members of other types"),
]


@pytest.mark.parametrize(("claims", "header", "response", "reason"), GOOD)
def test_servers_spell_a_good_answer_in_their_own_way(
    claims: dict[str, Any], header: dict[str, Any], response: dict[str, Any], reason: str, site: SmartSite
) -> None:
    site.server.claims, site.server.header, site.server.token_response = claims, header, response

    assert site.open().status_code == 200, reason


def test_key_that_is_new_is_fetched_once_more(site: SmartSite) -> None:
    assert site.open().status_code == 200
    site.server.signer, site.server.header = forge.rsa_key("rotated"), {"kid": "as-2"}
    site.server.key_set = forge.key_set(forge.jwk(forge.rsa_key("rotated"), "as-2"))

    assert site.open().status_code == 200


UNUSABLE: list[tuple[dict[str, Any], int, str, str]] = [
    ({"access_token": None}, 502, "token", "none"),
    ({"access_token": "a\r\nX: y"}, 502, "token", "a line of its own"),
    ({"access_token": "x" * 20_000}, 502, "token", "longer than any header"),
    ({"token_type": "mac"}, 502, "token", "another kind"),
    ({"token_type": None}, 502, "token", "no kind"),
    ({"patient": None}, 502, "token", "of no patient"),
    ({"patient": "p1/../p2"}, 502, "token", "a path"),
    ({"patient": ["p1"]}, 502, "token", "a list"),
    ({"scope": 7}, 502, "token", "a number"),
    ({"scope": "launch openid patient/Patient.rs patient/Observation.rs"}, 403, "patient/Condition.rs", "not all"),
    ({"scope": "patient/*.r"}, 403, "patient/Observation.rs", "no search"),
    ({"scope": "user/*.rs"}, 403, "patient/Patient.rs", "of all patients"),
    ({"scope": "patient/*.rs?category=laboratory"}, 403, "patient/Condition.rs", "a part"),
    ({"scope": ""}, 403, "patient/Patient.rs", "nothing"),
]


@pytest.mark.parametrize(("response", "status", "named", "reason"), UNUSABLE)
def test_token_that_is_of_no_use_is_no_page(
    response: dict[str, Any], status: int, named: str, reason: str, site: SmartSite
) -> None:
    site.server.token_response = response

    assert_refused(site.open(), status, named, reason)
    assert site.server.received == [], reason
