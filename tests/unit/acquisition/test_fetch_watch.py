"""What the metrics are told about FHIR servers: each request that ended, each failure with its kind."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from cds_service.acquisition.delivery import OBSERVATIONS
from cds_service.acquisition.fhir.access import FHIRAccess
from cds_service.acquisition.fhir.breaker import FAILURES_TO_OPEN
from cds_service.acquisition.fhir.exchange import HTTPOptions
from cds_service.acquisition.fhir.fetcher import Fetcher
from tests.support import fhir_stub_faults as faults
from tests.support.fhir_stub import TOKEN, FHIRStub, running_stub

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cds_service.acquisition.fhir.jobs import Search
    from cds_service.acquisition.resources import Observation
    from tests.support.fhir_stub import Fault

DEADLINE = 0.4


class Noted:
    """Remembers what the fetcher tells about servers."""

    def __init__(self) -> None:
        self.answers: list[str] = []
        self.failures: list[tuple[str, str]] = []
        self.limits: list[str] = []

    def note_answer(self, server: str, seconds: float) -> None:
        assert seconds >= 0
        self.answers.append(server)

    def note_limit(self, server: str) -> None:
        self.limits.append(server)

    def note_failure(self, server: str, reason: str) -> None:
        self.failures.append((server, reason))


@pytest.fixture
def stub() -> Iterator[FHIRStub]:
    with running_stub() as running:
        yield running


@pytest.fixture
def noted() -> Noted:
    return Noted()


@pytest.fixture
def fetcher(noted: Noted) -> Fetcher:
    return Fetcher(HTTPOptions(0.5, 1_000_000), max_pages=4, max_entries=5_000, threads=4, watch=noted)


def begin(fetcher: Fetcher, stub: FHIRStub, seconds: float) -> Search[Observation]:
    access = FHIRAccess(stub.url, f"Bearer {TOKEN}")
    deadline = time.monotonic() + seconds
    return fetcher.search("bloodCounts", OBSERVATIONS, f"{stub.url}/Observation?patient=p1", access, deadline)


KINDS: list[tuple[Fault, str]] = [
    (faults.status(401), "status-401"),
    (faults.status(418), "status-other"),
    (faults.status(503), "status-503"),
    (faults.redirect("https://other.example/"), "redirect"),
    (faults.body(faults.HTML), "unusable"),
    (faults.raw(b""), "connection"),
    (faults.BROKEN_BODY, "connection"),
    (faults.silence, "timeout"),
    (faults.SLOW_BODY, "timeout"),
    (faults.next_page("https://other.example/fhir"), "paging"),
]


@pytest.mark.parametrize(("fault", "kind"), KINDS, ids=[f"{case[1]}-{n}" for n, case in enumerate(KINDS)])
def test_failure_is_told_by_server_and_kind(
    fetcher: Fetcher, noted: Noted, stub: FHIRStub, fault: Fault, kind: str
) -> None:
    stub.faults = {"bloodCounts": fault}
    search = begin(fetcher, stub, DEADLINE)
    search.future.result(timeout=5)

    assert noted.failures == [(stub.url, kind)]
    assert noted.answers == [stub.url] * len(stub.received)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (faults.endless_pages, "more pages than acquisition.max_pages"),
        (faults.body(b" " * 1_000_001), "more bytes than acquisition.max_response_bytes"),
    ],
)
def test_limit_of_our_own_is_no_failure_of_the_server(
    fetcher: Fetcher, noted: Noted, stub: FHIRStub, fault: Fault, reason: str
) -> None:
    stub.faults = {"bloodCounts": fault}
    begin(fetcher, stub, 5.0).future.result(timeout=5)

    assert (noted.limits, noted.failures) == ([stub.url], []), reason


def test_server_that_does_not_listen_is_told_as_connection_then_as_left_alone(
    fetcher: Fetcher, noted: Noted, stub: FHIRStub
) -> None:
    access = FHIRAccess("http://127.0.0.1:9", None)
    for _ in range(FAILURES_TO_OPEN + 2):
        reading = fetcher.read("patient", f"{access.base}/Patient/p1", access, time.monotonic() + 5)
        reading.future.result(timeout=5)

    assert [kind for _, kind in noted.failures] == ["connection"] * FAILURES_TO_OPEN + ["left-alone"] * 2
    assert noted.answers == [access.base] * FAILURES_TO_OPEN


def test_search_given_up_early_is_not_told_as_a_time_out(fetcher: Fetcher, noted: Noted, stub: FHIRStub) -> None:
    stub.faults = {"bloodCounts": faults.silence}
    search = begin(fetcher, stub, 5.0)
    while not stub.received:
        time.sleep(0.01)
    search.limit.give_up()
    search.future.result(timeout=5)

    assert noted.failures == [(stub.url, "given-up")]
