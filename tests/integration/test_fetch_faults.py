"""FHIR servers that misbehave: the status that design asks for, in time, and a service that goes on."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from tests.support import fhir_stub_faults as faults
from tests.support.charts import bundle, draw, hook_request
from tests.support.fhir_stub import FHIRStub, moved_to, running_stub
from tests.support.fhir_stub_site import GRACE_SECONDS, FetchingSite, fetching_site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.charts import Json
    from tests.support.fhir_stub import Fault

KEYS = ("patient", "conditions", "procedures", "bloodCounts", "albumin")
DEADLINE = 0.6


@pytest.fixture(scope="module")
def running() -> Iterator[FHIRStub]:
    with running_stub() as stub:
        yield stub


@pytest.fixture
def stub(running: FHIRStub) -> FHIRStub:
    running.reset()
    return running


@pytest.fixture(scope="module")
def site(running: FHIRStub, tmp_path_factory: pytest.TempPathFactory) -> FetchingSite:
    return fetching_site(
        tmp_path_factory.mktemp("site"),
        running.url,
        deadline=DEADLINE,
        connect_timeout_seconds=0.3,
        max_response_bytes=500_000,
    )


def without_prefetch(stub: FHIRStub, request: Json | None = None) -> Json:
    return moved_to(stub, request or hook_request(), *KEYS)


ERROR = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]}
FAULTS: dict[str, Fault] = {
    "401": faults.status(401),
    "403": faults.status(403),
    "404": faults.status(404),
    "410": faults.status(410),
    "429": faults.status(429),
    "500": faults.status(500),
    "HTML": faults.body(faults.HTML, Content_Type="text/html"),
    "garbage": faults.body(b"\x00\xff{"),
    "empty body": faults.body(b""),
    "no HTTP": faults.raw(b"220 smtp.example ESMTP\r\n"),
    "error outcome": faults.resource(ERROR),
    "error outcome in the Bundle": faults.resource(bundle(ERROR)),
    "another resource": faults.resource({"resourceType": "List", "status": "current"}),
    "silence": faults.silence,
    "slow header": faults.SLOW_HEADER,
    "header after header": faults.SLOW_HEADERS,
    "slow body": faults.SLOW_BODY,
    "slow chunks": faults.SLOW_CHUNKS,
    "endless body": faults.ENDLESS_BODY,
    "huge body": faults.body(b" " * 500_001),
    "bomb": faults.zipped(b" " * 50_000_000),
    "broken off": faults.BROKEN_BODY,
    "hung up": faults.raw(b""),
}


@pytest.mark.parametrize("key", ["conditions", "procedures", "bloodCounts"])
@pytest.mark.parametrize("name", FAULTS)
def test_required_data_that_do_not_come_are_412_in_time(
    site: FetchingSite, stub: FHIRStub, name: str, key: str
) -> None:
    request = without_prefetch(stub)
    stub.faults = {key: FAULTS[name]}

    answer = site.ask(request)

    assert answer.missing_keys == [key]
    assert answer.seconds < DEADLINE + GRACE_SECONDS
    stub.faults = {}
    assert site.ask(request).assessment["outcome"] == "above-cutoff", "the next hook is answered"


@pytest.mark.parametrize("key", ["patient", "albumin"])
@pytest.mark.parametrize("name", FAULTS)
def test_optional_data_that_do_not_come_are_done_without(
    site: FetchingSite, stub: FHIRStub, name: str, key: str
) -> None:
    request = without_prefetch(stub)
    stub.faults = {key: FAULTS[name]}

    answer = site.ask(request)

    assert answer.assessment["outcome"] == "above-cutoff"
    assert answer.seconds < DEADLINE + GRACE_SECONDS


@pytest.mark.parametrize("strategy", ["staged", "parallel"])
@pytest.mark.parametrize(
    ("hanging", "reason"),
    [
        (("procedures",), "one search"),
        (("conditions",), "the other"),
        (("patient", "conditions", "procedures"), "all that is not required shares its time"),
    ],
)
def test_data_that_need_not_come_where_eligibility_is_assumed_cost_no_counts(
    stub: FHIRStub, tmp_path: Path, hanging: tuple[str, ...], strategy: str, reason: str
) -> None:
    assuming = fetching_site(tmp_path, stub.url, deadline=2 * DEADLINE, eligibility="assume", strategy=strategy)
    request = without_prefetch(stub)
    stub.faults = dict.fromkeys(hanging, faults.silence)

    answer = assuming.ask(request)

    assert (answer.assessment["outcome"], answer.assessment["notDelivered"]) == ("above-cutoff", [*hanging]), reason


def test_all_missing_keys_of_the_stage_are_named(site: FetchingSite, stub: FHIRStub) -> None:
    request = without_prefetch(stub)
    stub.faults = dict.fromkeys(("conditions", "procedures"), faults.silence)

    answer = site.ask(request)

    assert answer.missing_keys == ["conditions", "procedures"]
    assert answer.seconds < DEADLINE + GRACE_SECONDS


def test_server_that_refuses_connections_is_412_in_time(site: FetchingSite, stub: FHIRStub, tmp_path: Path) -> None:
    with running_stub() as gone:
        closed = fetching_site(tmp_path / "closed", gone.url, deadline=DEADLINE)
        request = without_prefetch(gone)

    answer = closed.ask(request)

    assert (answer.status, answer.seconds < DEADLINE + GRACE_SECONDS) == (412, True)


def test_slow_stages_share_one_deadline(site: FetchingSite, stub: FHIRStub) -> None:
    request = without_prefetch(stub)
    stub.latency = 0.7 * DEADLINE

    answer = site.ask(request)

    assert answer.missing_keys == ["bloodCounts"]
    assert answer.seconds < DEADLINE + GRACE_SECONDS


# Pages and redirects that lead elsewhere. The other server must not see a request, least of all a token.

LINKS = [
    ("http://127.0.0.1:{port}/fhir/Observation?page=2", "another port"),
    ("http://localhost:{own}/fhir/Observation?page=2", "another host"),
    ("https://127.0.0.1:{own}/fhir/Observation?page=2", "another scheme"),
    ("http://127.0.0.1:{own}@127.0.0.1:{port}/fhir/Observation", "the server as userinfo"),
    ("http://user:secret@127.0.0.1:{own}/fhir/Observation", "userinfo"),
    ("//127.0.0.1:{port}/fhir/Observation", "without scheme"),
    ("http://127.0.0.1:{own}/fhir/../admin", "dot segments"),
    ("http://127.0.0.1:{own}/fhir/%2e%2e/admin", "encoded dot segments"),
    ("http://127.0.0.1:{own}/admin", "beside the base"),
    ("http://[::1", "no address"),
]


@pytest.mark.parametrize(("link", "reason"), LINKS)
def test_next_link_that_leaves_the_base_is_not_followed(
    site: FetchingSite, stub: FHIRStub, link: str, reason: str
) -> None:
    request = without_prefetch(stub)
    with running_stub() as other:
        address = link.format(port=other.server_port, own=stub.server_port)
        stub.faults = {"bloodCounts": faults.next_page(address, *draw())}

        answer = site.ask(request)

        assert other.received == [], reason
    assert len(stub.received) == len(KEYS), reason
    assert answer.assessment["outcome"] == "above-cutoff"
    assert answer.assessment["reasons"] == ["truncated"], reason


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_redirect_is_not_followed(site: FetchingSite, stub: FHIRStub, code: int) -> None:
    request = without_prefetch(stub)
    with running_stub() as other:
        stub.faults = {"conditions": faults.redirect(f"{other.url}/Condition?patient=p1", code)}

        assert site.ask(request).status == 412
        assert other.received == []


def test_endless_pages_end_at_the_limit(stub: FHIRStub, tmp_path: Path) -> None:
    request = without_prefetch(stub)
    stub.faults = {"bloodCounts": faults.endless_pages}

    answer = fetching_site(tmp_path, stub.url, max_pages=5).ask(request)

    assert answer.assessment["outcome"] == "indeterminate"
    assert "truncated" in answer.assessment["reasons"]
    # Five pages, and five of the search for a baseline that the missing pages may hold.
    assert stub.keys_asked().count("bloodCounts") == 10


# Many at once.


def test_server_that_hangs_keeps_no_hook_longer_than_its_deadline(tmp_path: Path) -> None:
    with running_stub() as hanging, ThreadPoolExecutor(16) as clinicians:
        site = fetching_site(tmp_path, hanging.url, deadline=DEADLINE)
        hanging.faults = dict.fromkeys(KEYS, faults.SLOW_HEADER)
        answers = list(clinicians.map(site.ask, [without_prefetch(hanging)] * 48))

        assert {answer.status for answer in answers} == {412}
        assert max(answer.seconds for answer in answers) < DEADLINE + GRACE_SECONDS
        assert site.ask(hook_request()).seconds < GRACE_SECONDS, "prefetched data are assessed all the same"


def test_server_that_hangs_does_not_hold_up_another(tmp_path: Path) -> None:
    with running_stub() as hanging, running_stub() as healthy, ThreadPoolExecutor(16) as clinicians:
        site = fetching_site(tmp_path, hanging.url, healthy.url, deadline=DEADLINE)
        hanging.faults = dict.fromkeys(KEYS, faults.SLOW_BODY)
        waiting = [clinicians.submit(site.ask, without_prefetch(hanging)) for _ in range(15)]
        while len(hanging.received) < 3 * len(waiting):
            time.sleep(0.01)
        answer = site.ask(without_prefetch(healthy))

        assert answer.assessment["outcome"] == "above-cutoff"
        assert answer.seconds < DEADLINE
        assert {future.result().status for future in waiting} == {412}
