"""Searches and reads on the pool: pages, limits, and a pool that a silent server cannot use up."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

from cds_service.acquisition.bundles import BundleContent
from cds_service.acquisition.delivery import OBSERVATIONS
from cds_service.acquisition.fhir.access import FHIRAccess
from cds_service.acquisition.fhir.breaker import FAILURES_TO_OPEN
from cds_service.acquisition.fhir.exchange import HTTPOptions
from cds_service.acquisition.fhir.fetcher import Fetcher
from tests.support import fhir_stub_faults as faults
from tests.support.charts import bundle, draw, observation
from tests.support.fhir_stub import TOKEN, FHIRStub, running_stub

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cds_service.acquisition.fhir.jobs import Reading, Search
    from cds_service.acquisition.resources import Observation
    from tests.support.fhir_stub import Fault

MOST_BYTES = 1_000_000
MOST_PAGES = 4
THREADS = 4
DEADLINE = 0.4


@pytest.fixture
def stub() -> Iterator[FHIRStub]:
    with running_stub() as running:
        yield running


@pytest.fixture
def fetcher() -> Fetcher:
    return limited(5_000)


def limited(most_entries: int) -> Fetcher:
    options = HTTPOptions(0.5, MOST_BYTES)
    return Fetcher(options, max_pages=MOST_PAGES, max_entries=most_entries, threads=THREADS)


def to(stub: FHIRStub) -> FHIRAccess:
    return FHIRAccess(stub.url, f"Bearer {TOKEN}")


def begin(
    fetcher: Fetcher, stub: FHIRStub, *, seconds: float = 5.0, first_page: BundleContent[Observation] | None = None
) -> Search[Observation]:
    url = f"{stub.url}/Observation?patient=p1"
    deadline = time.monotonic() + seconds
    return fetcher.search("bloodCounts", OBSERVATIONS, url, to(stub), deadline, first_page)


def read(fetcher: Fetcher, stub: FHIRStub, *, seconds: float = 5.0) -> Reading:
    return fetcher.read("patient", f"{stub.url}/Patient/p1", to(stub), time.monotonic() + seconds)


def result(search: Search[Observation], seconds: float = 5.0) -> BundleContent[Observation] | None:
    return search.result(time.monotonic() + seconds)


def complete(search: Search[Observation]) -> BundleContent[Observation]:
    content = result(search)
    assert content is not None
    return content


def test_pages_are_read_to_the_end(fetcher: Fetcher, stub: FHIRStub) -> None:
    platelets, neutrophils, lymphocytes = draw()
    stub.faults = {"bloodCounts": faults.pages((platelets,), (neutrophils,), (lymphocytes,))}

    content = complete(begin(fetcher, stub))

    assert [observation.id for observation in content.resources] == [r["id"] for r in draw()]
    assert content.next_url is None
    assert [request.authorization for request in stub.received] == [f"Bearer {TOKEN}"] * 3


def test_search_goes_on_behind_a_prefetched_page(fetcher: Fetcher, stub: FHIRStub) -> None:
    stub.content = {"bloodCounts": bundle(observation("777-3", 210, oid="second"))}
    first: BundleContent[Observation] = BundleContent(patients={"urn:uuid:1": "p1"}, next_url="ignored")

    content = complete(begin(fetcher, stub, first_page=first))

    assert [observation.id for observation in content.resources] == ["second"]
    assert content.patients == {"urn:uuid:1": "p1"}
    assert content.next_url is None


@pytest.mark.parametrize(("total", "truncated"), [(3, False), (4, True)])
def test_pages_together_are_compared_with_the_total(
    fetcher: Fetcher, stub: FHIRStub, total: int, truncated: bool
) -> None:
    platelets, neutrophils, lymphocytes = draw()
    stub.faults = {"bloodCounts": faults.pages((platelets,), (neutrophils, lymphocytes), total=total)}

    assert complete(begin(fetcher, stub)).truncated is truncated
    assert len(stub.received) == 2


LIMITS: list[tuple[str, Fault, int, str]] = [
    ("endless pages", faults.endless_pages, MOST_PAGES, "too many pages"),
    ("a page that links to itself", faults.next_page("Observation?patient=p1"), 1, "the next link leads back"),
    ("another host", faults.next_page("https://other.example/fhir"), 1, "the next link leaves the server"),
    ("no address", faults.next_page("http://[::1"), 1, "the next link leaves the server"),
    ("large pages", faults.pages(*[(observation("777-3", 1, note=[{"text": "x" * 400_000}]),)] * 4), 3, "too large"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "fault", "requests", "what"), LIMITS, ids=[case[0] for case in LIMITS])
def test_search_that_goes_too_far_is_cut_and_says_so(
    fetcher: Fetcher, stub: FHIRStub, name: str, fault: Fault, requests: int, what: str
) -> None:
    stub.faults = {"bloodCounts": fault}
    search = begin(fetcher, stub)

    assert complete(search).next_url is not None, "nobody may take it for the whole"
    assert search.failure == what
    assert len(stub.received) == requests


def test_page_that_fails_leaves_what_came_before(fetcher: Fetcher, stub: FHIRStub) -> None:
    first = faults.next_page(f"{stub.url}/Condition?page=2", *draw())
    stub.faults = {"bloodCounts": first, "conditions": faults.status(500)}

    content = complete(begin(fetcher, stub))

    assert (len(content.resources), content.next_url) == (3, f"{stub.url}/Condition?page=2")


@pytest.mark.parametrize(("most", "left"), [(2, 2), (3, 3)])
def test_entries_beyond_the_limit_are_left_out(stub: FHIRStub, most: int, left: int) -> None:
    stub.content = {"bloodCounts": bundle(*draw())}

    content = complete(begin(limited(most), stub))

    assert len(content.resources) == left
    assert (content.next_url is not None) is (left < 3)


FAILED: list[tuple[str, Fault]] = [
    ("HTML", faults.body(faults.HTML)),
    ("garbage", faults.body(b"\x00\xff\xfe")),
    ("nothing", faults.body(b"")),
    ("another resource", faults.resource({"resourceType": "Patient", "id": "p1"})),
    ("an error", faults.resource({"resourceType": "OperationOutcome", "issue": [{"severity": "error"}]})),
    ("deep nesting", faults.body(b"[" * 100_000)),
    ("refused", faults.status(403)),
]


@pytest.mark.parametrize(("name", "fault"), FAILED, ids=[case[0] for case in FAILED])
def test_search_without_a_page_brings_nothing(fetcher: Fetcher, stub: FHIRStub, name: str, fault: Fault) -> None:
    stub.faults = {"bloodCounts": fault}

    assert result(begin(fetcher, stub)) is None


@pytest.mark.parametrize("fault", [faults.status(404), faults.silence, faults.BROKEN_BODY])
def test_read_without_an_answer_brings_nothing(fetcher: Fetcher, stub: FHIRStub, fault: Fault) -> None:
    stub.faults = {"patient": fault}

    assert read(fetcher, stub, seconds=DEADLINE).result(time.monotonic() + DEADLINE) is None


def test_read_brings_the_resource(fetcher: Fetcher, stub: FHIRStub) -> None:
    stub.content = {"patient": {"resourceType": "Patient", "id": "p1"}}

    raw = read(fetcher, stub).result(time.monotonic() + 5)

    assert raw is not None
    assert bytes(raw) == b'{"resourceType": "Patient", "id": "p1"}'


def test_token_is_in_no_text_of_a_job(fetcher: Fetcher, stub: FHIRStub) -> None:
    search, reading = begin(fetcher, stub), read(fetcher, stub)
    complete(search)

    assert TOKEN not in f"{search!r} {reading!r} {search.access}"


# The pool


def alive_threads() -> int:
    return sum(thread.name.startswith("fhir") for thread in threading.enumerate())


@pytest.mark.parametrize(
    "fault", [faults.silence, faults.SLOW_HEADER, faults.SLOW_BODY], ids=["silence", "slow header", "slow body"]
)
def test_pool_is_free_again_at_the_deadline_of_a_server_that_hangs(
    fetcher: Fetcher, stub: FHIRStub, fault: Fault
) -> None:
    stub.faults = {"bloodCounts": fault}
    hanging = [begin(fetcher, stub, seconds=DEADLINE) for _ in range(THREADS)]
    for search in hanging:
        assert result(search, DEADLINE) is None
    with running_stub() as healthy:
        begun = time.monotonic()
        complete(begin(fetcher, healthy))

        assert time.monotonic() - begun < 0.3


def test_search_given_up_frees_its_thread_at_once(fetcher: Fetcher, stub: FHIRStub) -> None:
    stub.faults = {"bloodCounts": faults.silence}
    hanging = [begin(fetcher, stub) for _ in range(THREADS)]
    while len(stub.received) < THREADS:
        time.sleep(0.01)
    for search in hanging:
        search.cancel()
    with running_stub() as healthy:
        complete(begin(fetcher, healthy))

    assert len(stub.received) == THREADS


def test_search_that_waits_behind_others_is_not_sent_after_it_was_given_up(fetcher: Fetcher, stub: FHIRStub) -> None:
    stub.faults = {"bloodCounts": faults.silence}
    hanging = [begin(fetcher, stub, seconds=DEADLINE) for _ in range(THREADS)]
    waiting = begin(fetcher, stub)
    waiting.cancel()
    for search in hanging:
        result(search, DEADLINE)

    assert len(stub.received) == THREADS


def test_threads_are_never_more_than_the_pool(fetcher: Fetcher, stub: FHIRStub) -> None:
    before = alive_threads()
    stub.latency = 0.02
    searches = [begin(fetcher, stub) for _ in range(5 * THREADS)]
    for search in searches:
        complete(search)

    assert alive_threads() - before <= THREADS


# The breaker


def test_server_that_is_down_is_left_alone_and_others_are_not(fetcher: Fetcher, stub: FHIRStub) -> None:
    stub.faults = {"bloodCounts": faults.status(503)}
    for _ in range(FAILURES_TO_OPEN + 3):
        assert result(begin(fetcher, stub)) is None

    assert len(stub.received) == FAILURES_TO_OPEN
    with running_stub() as healthy:
        complete(begin(fetcher, healthy))


@pytest.mark.parametrize("status", [401, 403, 404, 410, 429])
def test_server_that_refuses_is_asked_again(fetcher: Fetcher, stub: FHIRStub, status: int) -> None:
    stub.faults = {"bloodCounts": faults.status(status)}
    for _ in range(FAILURES_TO_OPEN + 3):
        result(begin(fetcher, stub))

    assert len(stub.received) == FAILURES_TO_OPEN + 3


def test_searches_given_up_say_nothing_about_the_server(fetcher: Fetcher, stub: FHIRStub) -> None:
    stub.faults = {"bloodCounts": faults.silence}
    for number in range(FAILURES_TO_OPEN + 3):
        search = begin(fetcher, stub)
        while len(stub.received) <= number:
            time.sleep(0.005)
        search.cancel()
    stub.faults = {}

    assert complete(begin(fetcher, stub)).resources == ()


def test_searches_that_waited_too_long_for_a_thread_say_nothing_about_their_server(
    fetcher: Fetcher, stub: FHIRStub
) -> None:
    stub.faults = {"bloodCounts": faults.silence}
    with running_stub() as healthy:
        hanging = [begin(fetcher, stub, seconds=DEADLINE) for _ in range(THREADS)]
        waiting = [begin(fetcher, healthy, seconds=DEADLINE) for _ in range(FAILURES_TO_OPEN + 1)]
        for search in (*hanging, *waiting):
            result(search, DEADLINE)

        assert complete(begin(fetcher, healthy)).resources == ()
