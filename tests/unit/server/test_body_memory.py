"""Large bodies take turns for memory; small ones are never counted."""

from __future__ import annotations

import io
import threading
from typing import Any

import pytest
from werkzeug.test import Client

from cds_service.errors import OverloadedError
from cds_service.server import body_memory
from cds_service.server.body_memory import SMALL_BODY_BYTES, BodyMemory, BodyShare, Budget, weight
from cds_service.server.gate import BodyInput, RequestLimits, gate
from tests.unit.web.fakes import GOOD_TOKEN, HOOK_PATH, Edge, encoded, hook_request
from tests.unit.web.outcomes import refused_with

LARGE = SMALL_BODY_BYTES + 1
MOST = 4 * SMALL_BODY_BYTES
# What `{}, {}, ...` of that size takes when it is decoded.
WORKED = 45 * MOST
CHUNKED = {"HTTP_TRANSFER_ENCODING": "chunked"}


@pytest.fixture
def memory(monkeypatch: pytest.MonkeyPatch) -> BodyMemory:
    """Room for two of the largest bodies that arrive and for one in work; nobody waits."""
    monkeypatch.setattr(body_memory, "HELD_BYTES", 2 * MOST)
    monkeypatch.setattr(body_memory, "WORKED_BYTES", 0)
    return BodyMemory(MOST, seconds=0)


def left(memory: BodyMemory) -> tuple[int, int]:
    """What may still be taken."""
    return memory.held._left, memory.worked._left


def body_input(size: int, memory: BodyMemory, *, chunked: bool = False) -> BodyInput:
    environ: dict[str, Any] = {"wsgi.input": io.BytesIO(b"x" * size)}
    environ |= CHUNKED if chunked else {"CONTENT_LENGTH": str(size)}
    places = threading.BoundedSemaphore(1)
    places.acquire()
    return BodyInput(environ, places, memory)


def test_budget_more_than_all_is_all() -> None:
    budget = Budget(10)

    assert budget.take(25, 0) == 10
    with pytest.raises(OverloadedError):
        budget.take(1, 0)


def test_budget_waits_until_something_is_given_back() -> None:
    budget = Budget(10)
    budget.take(10, 0)
    giving = threading.Timer(0.05, budget.give, (4,))
    giving.start()

    assert budget.take(4, 5) == 4
    giving.join()


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize(("size", "taken"), [(0, 0), (1, 0), (32_768, 0), (32_769, 45 * 32_769)])
def test_body_that_is_small_is_not_held_and_weighed_above_a_size(
    memory: BodyMemory, size: int, taken: int, chunked: bool
) -> None:
    body = body_input(size, memory, chunked=chunked)

    assert len(body.read(MOST + 1)) == size
    assert left(memory) == (2 * MOST, WORKED - taken)


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("size", [LARGE, MOST])
def test_body_that_is_large_takes_its_size_until_it_is_answered(memory: BodyMemory, size: int, chunked: bool) -> None:
    body = body_input(size, memory, chunked=chunked)

    assert body.read(MOST + 1) == b"x" * size
    assert left(memory) == (2 * MOST - size, WORKED - 45 * size)
    body.share.release()
    assert left(memory) == (2 * MOST, WORKED)


@pytest.mark.parametrize("chunked", [False, True])
def test_body_without_memory_is_refused_before_it_is_received(memory: BodyMemory, chunked: bool) -> None:
    memory.held.take(2 * MOST, 0)
    body = body_input(MOST, memory, chunked=chunked)

    with pytest.raises(OverloadedError):
        body.read(MOST + 1)
    assert body._source.tell() == (SMALL_BODY_BYTES if chunked else 0)
    body.share.release()
    assert memory.held._left == 0


def test_body_in_work_lets_others_arrive_but_not_be_worked_on(memory: BodyMemory) -> None:
    first, second = BodyShare(memory), BodyShare(memory)
    first.expect(MOST)
    first.received(MOST)
    second.expect(MOST)

    with pytest.raises(OverloadedError):
        second.received(MOST)
    first.release()
    second.received(MOST)


def test_body_that_ends_early_gives_back_what_did_not_come(memory: BodyMemory) -> None:
    share = BodyShare(memory)
    share.expect(MOST)
    share.received(10)

    assert left(memory) == (2 * MOST - 10, WORKED)


@pytest.mark.parametrize(
    ("size", "megabytes", "reason"),
    [
        (463_665, 20, "500 Observations: nine at a time, while threads are sixteen"),
        (2_621_440, 112, "five keys, each as long as what is decoded uncounted"),
        (10_485_760, 160, "the largest: counted before it is decoded, so one at a time"),
    ],
)
def test_body_is_weighed_by_the_most_crowded_of_its_size(size: int, megabytes: int, reason: str) -> None:
    assert round(weight(size) / 2**20) == megabytes, reason


def test_body_larger_than_any_budget_is_read_alone() -> None:
    memory = BodyMemory(268_435_456, seconds=0)
    share = BodyShare(memory)
    share.expect(268_435_456)
    share.received(268_435_456)

    assert left(memory) == (0, 0)


def test_gate_gives_memory_back_after_answers_and_errors(memory: BodyMemory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cds_service.server.gate.BodyMemory", lambda _most: memory)

    def application(environ: dict[str, Any], _start: object) -> list[bytes]:
        environ["wsgi.input"].read(MOST)
        assert left(memory) == (MOST, 0)
        raise ZeroDivisionError

    gated = gate(application, RequestLimits(1, MOST))
    environ = {"wsgi.input": io.BytesIO(b"x" * MOST), "CONTENT_LENGTH": str(MOST)}
    with pytest.raises(ZeroDivisionError):
        gated(environ, lambda *_: None)
    assert left(memory) == (2 * MOST, WORKED)


def test_request_without_memory_is_answered_503_and_the_next_one_as_usual(
    memory: BodyMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cds_service.server.gate.BodyMemory", lambda _most: memory)
    edge = Edge()
    client = Client(gate(edge.application(), RequestLimits(1, MOST)))
    body = encoded(hook_request()).ljust(LARGE)
    headers = GOOD_TOKEN | {"Content-Type": "application/json"}
    memory.held.take(2 * MOST, 0)

    outcome = refused_with(client.post(HOOK_PATH, data=body, headers=headers), 503)
    assert outcome["issue"][0]["code"] == "throttled"
    assert client.post(HOOK_PATH, data=body.strip(), headers=headers).status_code == 200, "a small one"
    memory.held.give(2 * MOST)
    assert client.post(HOOK_PATH, data=body, headers=headers).status_code == 200
    assert left(memory) == (2 * MOST, WORKED)
