"""The two stages of a chart from prefetch alone: what is required, what is optional, and who may not ask."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cds_service.acquisition.bundles import BundleContent
from cds_service.acquisition.chart import acquire_eligibility, acquire_laboratory
from cds_service.acquisition.delivery import Delivery
from cds_service.acquisition.fhir.access import is_listed
from cds_service.acquisition.prefetch import KeyState
from cds_service.acquisition.resources import Observation
from cds_service.authorization.clients import TrustedClient
from cds_service.errors import DataUnavailableError, ForbiddenError
from cds_service.hooks.request import parse_cds_request
from tests.support.charts import Json, bundle, condition, draw, hook_request, observation, procedure

LISTED = "https://ehr.example/fhir"
CLIENT = TrustedClient("ehr", "https://ehr.example", "active", fhir_servers=(LISTED,))
OPEN = TrustedClient("sandbox", None, "active", fhir_servers=(LISTED,), open_fhir_server=True)
TOKEN: Json = {"access_token": "t", "token_type": "Bearer"}
FAILED: Json = {"resourceType": "OperationOutcome", "issue": [{"severity": "error"}]}


def delivery(*, client: TrustedClient = CLIENT, **options: Any) -> Delivery:
    return Delivery(parse_cds_request(json.dumps(hook_request(**options)).encode()), client)


# What the request lacks, what it holds instead; the keys that a 412 names.
ELIGIBILITY = [
    (("conditions",), {}, ("conditions",), "missing"),
    (("procedures",), {}, ("procedures",), "missing"),
    (("conditions", "procedures"), {}, ("conditions", "procedures"), "both are named"),
    ((), {"conditions": FAILED}, ("conditions",), "failed"),
    (("procedures",), {"conditions": "text"}, ("conditions", "procedures"), "one failed, one missing"),
    ((), {"conditions": bundle(condition(), type="batch-response")}, ("conditions",), "an answer of another kind"),
    (("conditions", "bloodCounts"), {}, ("conditions",), "a key of a later stage is not named"),
]


@pytest.mark.parametrize(("without", "keys", "named", "reason"), ELIGIBILITY)
def test_required_keys_of_eligibility_are_named(
    without: tuple[str, ...], keys: Json, named: tuple[str, ...], reason: str
) -> None:
    with pytest.raises(DataUnavailableError) as raised:
        acquire_eligibility(delivery(without=without, **keys), required=True)

    assert raised.value.keys == named, reason


def test_site_whose_ehr_chooses_the_patients_needs_neither() -> None:
    chart = acquire_eligibility(delivery(without=("conditions", "procedures")), required=False)

    assert (chart.conditions.resources, chart.procedures.resources) == ((), ())


@pytest.mark.parametrize(
    ("without", "keys", "reason"),
    [
        ((), {"conditions": None, "procedures": bundle()}, "nothing was found: an answer"),
        (("patient",), {}, "the Patient is optional"),
        (("bloodCounts", "albumin"), {}, "not asked for yet"),
        ((), {"bloodCounts": FAILED, "albumin": "text"}, "not looked at yet"),
    ],
)
def test_eligibility_is_read_without_the_laboratory(without: tuple[str, ...], keys: Json, reason: str) -> None:
    chart = acquire_eligibility(delivery(without=without, **keys), required=True)

    assert (chart.patient is None) == ("patient" in without), reason
    assert not chart.truncated


@pytest.mark.parametrize("value", [None, FAILED, "text"], ids=["missing", "failed", "text"])
def test_blood_counts_are_required(value: Any) -> None:
    options: dict[str, Any] = {"without": ("bloodCounts",)} if value is None else {"bloodCounts": value}

    with pytest.raises(DataUnavailableError) as raised:
        acquire_laboratory(delivery(**options))

    assert raised.value.keys == ("bloodCounts",)


@pytest.mark.parametrize(
    ("options", "state"),
    [
        ({"without": ("albumin",)}, KeyState.MISSING),
        ({"albumin": FAILED}, KeyState.FAILED),
        ({"albumin": None}, KeyState.NO_DATA),
        ({}, KeyState.PRESENT),
    ],
)
def test_albumin_is_optional_and_tells_why_there_is_none(options: dict[str, Any], state: KeyState) -> None:
    chart = acquire_laboratory(delivery(**options))

    assert chart.albumin_state is state
    assert len(chart.blood_counts.resources) == 3


@pytest.mark.parametrize("key", ["conditions", "procedures"])
def test_chart_with_an_unread_page_is_truncated(key: str) -> None:
    page = bundle(condition(), procedure(), link=[{"relation": "next", "url": f"{LISTED}?page=2"}])

    keys: dict[str, Any] = {key: page}

    assert acquire_eligibility(delivery(**keys), required=True).truncated


@pytest.mark.parametrize("key", ["conditions", "procedures"])
def test_search_that_tells_of_more_than_it_brings_is_a_truncated_chart(key: str) -> None:
    keys: dict[str, Any] = {key: bundle(total=5)}

    assert acquire_eligibility(delivery(**keys), required=True).truncated


def test_albumin_of_which_a_part_is_missing_is_not_all() -> None:
    assert not acquire_laboratory(delivery(albumin=bundle(observation("1751-7", 38, "g/L"), total=2))).has_all_albumin


@pytest.mark.parametrize(
    ("total", "more_total", "truncated", "reason"),
    [
        (4, 1, True, "the further search has a total of its own, and does not bring what the first one lacks"),
        (4, 9, True, ""),
        (3, 1, False, "nothing was missing"),
    ],
)
def test_further_search_leaves_what_is_missing_of_the_first(
    total: int, more_total: int, truncated: bool, reason: str
) -> None:
    chart = acquire_laboratory(delivery(bloodCounts=bundle(*draw(), total=total)))
    more = BundleContent((Observation(id="more"),), total=more_total, matches=1)

    joined = chart.joined_with(more).blood_counts

    assert (len(joined.resources), joined.truncated) == (4, truncated), reason


# Client, server, authorization; what a missing key leads to.
ACCESS = [
    (CLIENT, "https://evil.example/fhir", TOKEN, ForbiddenError, "offers a token for a server that is not listed"),
    (CLIENT, f"{LISTED}/deeper", TOKEN, ForbiddenError, "a deeper path is another server"),
    (CLIENT, "", TOKEN, ForbiddenError, "an empty address is on no list"),
    (CLIENT, LISTED, TOKEN, DataUnavailableError, "a listed one, but nobody answered"),
    (CLIENT, f"{LISTED}/", TOKEN, DataUnavailableError, "listed but for a slash"),
    (CLIENT, "https://evil.example/fhir", None, DataUnavailableError, "no token: no access was offered"),
    (CLIENT, None, TOKEN, DataUnavailableError, "a token for no server"),
    (CLIENT, None, None, DataUnavailableError, "neither"),
    (OPEN, "https://evil.example/fhir", None, ForbiddenError, "a test system needs no token, but a listed server"),
    (OPEN, LISTED, None, DataUnavailableError, "a test system, but nobody answered"),
]


@pytest.mark.parametrize(("client", "server", "authorization", "error", "reason"), ACCESS)
def test_missing_key_is_forbidden_or_unavailable(
    client: TrustedClient, server: str | None, authorization: Json | None, error: type[Exception], reason: str
) -> None:
    members = {"fhirServer": server, "fhirAuthorization": authorization}
    with pytest.raises(error):
        acquire_eligibility(delivery(client=client, without=("conditions",), members=members), required=True)
    with pytest.raises(error):
        acquire_laboratory(delivery(client=client, without=("bloodCounts",), members=members))

    chart = acquire_laboratory(delivery(client=client, without=("albumin",), members=members))
    assert len(chart.blood_counts.resources) == 3, "optional data are carried on without"


LISTS = [
    (LISTED, (LISTED,), True, "equal"),
    (f"{LISTED}/", (LISTED,), True, "a trailing slash"),
    (LISTED, (f"{LISTED}/",), True, "a trailing slash on the list"),
    (LISTED, ("https://other.example/fhir", LISTED), True, "second of two"),
    (f"{LISTED}//", (LISTED,), False, "two slashes"),
    (f"{LISTED}/deeper", (LISTED,), False, "a deeper path"),
    ("https://ehr.example", (LISTED,), False, "a shorter path"),
    (LISTED.upper(), (LISTED,), False, "addresses are compared with their case"),
    (LISTED.replace("https", "http"), (LISTED,), False, "another scheme"),
    (LISTED.replace("example", "example:8443"), (LISTED,), False, "another port"),
    (f"{LISTED}?x", (LISTED,), False, "a query"),
    (LISTED.replace("https://", "https://user@"), (LISTED,), False, "a user"),
    ("", (LISTED,), False, "empty"),
    (LISTED, (), False, "an empty list"),
]


@pytest.mark.parametrize(("server", "listed", "expected", "reason"), LISTS)
def test_fhir_server_listed_or_not_is_told(server: str, listed: tuple[str, ...], expected: bool, reason: str) -> None:
    assert is_listed(server, listed) is expected, reason


def test_blood_counts_of_another_kind_are_left_out() -> None:
    counts = bundle(observation("751-8", 4.2), condition())

    assert len(acquire_laboratory(delivery(bloodCounts=counts)).blood_counts.resources) == 1
