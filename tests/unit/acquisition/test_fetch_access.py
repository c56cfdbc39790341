"""Which server may be asked with which token (requirements 31, 62-72)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cds_service.acquisition.fhir.access import FHIRAccess, find_access, is_listed, points_to_unlisted_server
from cds_service.authorization.clients import TrustedClient
from cds_service.hooks.request import CDSRequest, parse_cds_request
from tests.support.charts import PATIENT_ID, Json, hook_request
from tests.support.fhir_stub import TOKEN, access

LISTED = "https://ehr.example/fhir/r4"
CLIENT = TrustedClient("main-ehr", "https://ehr.example", "active", fhir_servers=(LISTED,))
OPEN = TrustedClient("sandbox", "https://ehr.example", "active", fhir_servers=(LISTED,), open_fhir_server=True)


def request(members: Json) -> CDSRequest:
    return parse_cds_request(json.dumps(hook_request(members=members)).encode())


def with_token(**changes: Any) -> CDSRequest:
    return request(access(LISTED, **changes))


SERVERS = [
    (LISTED, True, "the same text"),
    (f"{LISTED}/", True, "a trailing slash is the one difference that is none"),
    (f"{LISTED}//", False, "two slashes"),
    (f"{LISTED}/deeper", False, "a deeper path is another server"),
    ("https://ehr.example/fhir", False, "a part of it is another server"),
    ("http://ehr.example/fhir/r4", False, "other scheme"),
    ("https://ehr.example:8443/fhir/r4", False, "other port"),
    ("https://ehr.example.evil.example/fhir/r4", False, "other host"),
    ("https://user@ehr.example/fhir/r4", False, "userinfo"),
    ("https://EHR.example/fhir/r4", False, "compared as text"),
    (f"{LISTED}?x=1", False, "a query"),
    (f"{LISTED}/../r4", False, "dot segments"),
    ("", False, "empty"),
]


@pytest.mark.parametrize(("server", "listed", "reason"), SERVERS)
def test_fhir_server_is_compared_as_text(server: str, listed: bool, reason: str) -> None:
    offered = request(access(server))

    assert is_listed(server, CLIENT.fhir_servers) is listed, reason
    assert (find_access(offered, CLIENT) is not None) is listed, reason
    assert points_to_unlisted_server(offered, CLIENT) is not listed, reason


def test_access_of_a_listed_server_carries_the_token() -> None:
    assert find_access(request(access(f"{LISTED}/")), CLIENT) == FHIRAccess(LISTED, f"Bearer {TOKEN}")


TOKENS = [
    ({"token_type": "bearer"}, True, "requirement 67: sloppy clients"),
    ({"token_type": "BEARER"}, True, "in any case"),
    ({"token_type": "DPoP"}, False, "a token of another kind"),
    ({"token_type": None}, False, "no type"),
    ({"token_type": 7}, False, "no text"),
    ({"patient": PATIENT_ID}, True, "requirement 72: the patient of the context"),
    ({"patient": None}, True, "no patient named"),
    ({"patient": "p2"}, False, "another patient"),
    ({"patient": f"Patient/{PATIENT_ID}"}, False, "no id"),
    ({"patient": ""}, False, "empty: nobody knows whose it is"),
    ({"patient": 7}, False, "no text"),
    ({"token": "a b"}, False, "white space would end it"),
    ({"token": "a\r\nX-Evil: 1"}, False, "a line of its own"),
    ({"token": "tök"}, False, "not ASCII"),
    ({"token": ""}, False, "empty"),
    ({"access_token": None}, False, "null"),
    ({"access_token": ["t"]}, False, "no text"),
]


@pytest.mark.parametrize(("changes", "used", "reason"), TOKENS)
def test_token_is_used_only_when_it_can_be_this_patients(changes: Json, used: bool, reason: str) -> None:
    assert (find_access(with_token(**changes), CLIENT) is not None) is used, reason


@pytest.mark.parametrize("client", [CLIENT, OPEN])
def test_bad_token_is_not_replaced_by_none(client: TrustedClient) -> None:
    assert find_access(with_token(patient="p2"), client) is None


def test_server_without_token_is_asked_only_where_the_site_says_so() -> None:
    bare = request({"fhirServer": LISTED})

    assert find_access(bare, CLIENT) is None
    assert find_access(bare, OPEN) == FHIRAccess(LISTED, None)
    assert not points_to_unlisted_server(request({"fhirServer": "https://x.example"}), CLIENT)
    assert points_to_unlisted_server(request({"fhirServer": "https://x.example"}), OPEN)


def test_request_without_server_gives_no_access() -> None:
    assert find_access(request({}), OPEN) is None
    assert not points_to_unlisted_server(request({}), OPEN)


def test_token_is_in_no_text_of_the_access() -> None:
    found = find_access(with_token(), CLIENT)

    assert TOKEN not in f"{found} {found!r} {[found]} {with_token().fhirAuthorization!r}"
