"""What stands before the application in a worker: places and bodies."""

import io
import threading
import time
from typing import Any

import pytest

from cds_service.server.gate import RequestLimits, gate

LIMITS = RequestLimits(threads=2, max_request_bytes=100)


class SlowSource(io.BytesIO):
    """A body that arrives when the test says so, and counts what was taken."""

    def __init__(self, body: bytes, arrived: threading.Event | None = None) -> None:
        super().__init__(body)
        self.arrived = arrived

    def read(self, size: int | None = -1, /) -> bytes:
        if self.arrived is not None:
            self.arrived.wait(5)
        return super().read(size)


def start_nothing(_status: str, _headers: list[tuple[str, str]]) -> None:
    """start_response of a server that does not exist."""


def environ_with(body: bytes | SlowSource, **more: str) -> dict[str, Any]:
    return {"wsgi.input": SlowSource(body) if isinstance(body, bytes) else body, **more}


def read_all(environ: dict[str, Any], _start_response: object) -> list[bytes]:
    return [environ["wsgi.input"].read()]


@pytest.mark.parametrize(
    ("body", "headers", "reason"),
    [
        (b"", {}, "a GET request"),
        (b"", {"CONTENT_LENGTH": "0"}, "announced as empty"),
        (b"x" * 100, {"CONTENT_LENGTH": "100"}, "announced"),
        (b"x" * 100, {"HTTP_TRANSFER_ENCODING": "chunked"}, "in chunks"),
    ],
)
def test_gate_body_reaches_application(body: bytes, headers: dict[str, str], reason: str) -> None:
    assert gate(read_all, LIMITS)(environ_with(body, **headers), start_nothing) == [body], reason


def test_gate_body_read_in_pieces_and_lines_is_whole() -> None:
    def application(environ: dict[str, Any], _start_response: object) -> list[bytes]:
        body = environ["wsgi.input"]
        return [body.read(2), body.readline(), *body, body.read()]

    assert gate(application, LIMITS)(environ_with(b"ab12\nc\nd"), start_nothing) == [b"ab", b"12\n", b"c\n", b"d", b""]


def test_gate_more_requests_than_places_run_in_turn() -> None:
    inside: list[int] = []
    most = []

    def application(_environ: dict[str, Any], _start_response: object) -> list[bytes]:
        inside.append(1)
        most.append(len(inside))
        time.sleep(0.02)
        inside.pop()
        return []

    gated = gate(application, LIMITS)
    run_together([lambda: gated(environ_with(b""), start_nothing)] * 8)

    assert len(most) == 8
    assert max(most) == LIMITS.threads


def test_gate_requests_that_wait_for_their_body_leave_the_places_to_others() -> None:
    arrived = threading.Event()
    gated = gate(read_all, LIMITS)
    slow = [
        threading.Thread(target=gated, args=(environ_with(SlowSource(b"x", arrived)), start_nothing)) for _ in range(5)
    ]
    for thread in slow:
        thread.start()
    try:
        assert gated(environ_with(b"y"), start_nothing) == [b"y"]
    finally:
        arrived.set()
        for thread in slow:
            thread.join()


def test_gate_place_is_given_back_after_errors() -> None:
    def fails(_environ: dict[str, Any], _start_response: object) -> list[bytes]:
        raise ZeroDivisionError

    gated = gate(fails, LIMITS)
    for _ in range(LIMITS.threads + 1):
        with pytest.raises(ZeroDivisionError):
            gated(environ_with(b""), start_nothing)


def test_gate_answer_with_close_is_closed_before_the_place_is_given_back() -> None:
    class Answer(list[bytes]):
        closed = False

        def close(self) -> None:
            self.closed = True

    answer = Answer([b"a", b"b"])

    assert gate(lambda *_: answer, LIMITS)(environ_with(b""), start_nothing) == [b"a", b"b"]
    assert answer.closed


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({"CONTENT_LENGTH": "90"}, "announced"),
        ({"HTTP_TRANSFER_ENCODING": "chunked"}, "in chunks"),
    ],
)
def test_gate_refusal_leaves_before_the_body_has_come(headers: dict[str, str], reason: str) -> None:
    source = SlowSource(b"x" * 90, threading.Event())

    assert gate(lambda *_: [b"refused"], LIMITS)(environ_with(source, **headers), start_nothing) == [b"refused"], reason
    assert source.tell() == 0, reason


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
def test_gate_health_is_answered_although_every_place_is_taken(path: str) -> None:
    done, inside = threading.Event(), threading.Semaphore(0)

    def application(environ: dict[str, Any], _start_response: object) -> list[bytes]:
        if environ["PATH_INFO"] != path:
            inside.release()
            done.wait(5)
        return []

    gated = gate(application, LIMITS)
    hooks = [
        threading.Thread(target=gated, args=(environ_with(b"", PATH_INFO="/cds-services/x"), start_nothing))
        for _ in range(2 * LIMITS.threads)
    ]
    for hook in hooks:
        hook.start()
    try:
        for _ in range(LIMITS.threads):
            assert inside.acquire(timeout=5)
        assert gated(environ_with(b"", PATH_INFO=path), start_nothing) == []
        assert not inside.acquire(blocking=False), "the places were all taken"
    finally:
        done.set()
        for hook in hooks:
            hook.join()


def test_gate_time_spent_waiting_for_a_place_is_told_and_that_for_the_body_is_not() -> None:
    arrived, done = threading.Event(), threading.Event()
    told: list[float] = []

    def application(environ: dict[str, Any], _start_response: object) -> list[bytes]:
        if environ.get("PATH_INFO") == "/first":
            done.wait(5)
            return []
        environ["wsgi.input"].read()
        told.append(environ["wsgi.input"].waited_seconds)
        return []

    gated = gate(application, RequestLimits(threads=1, max_request_bytes=100))
    first = threading.Thread(target=gated, args=(environ_with(b"", PATH_INFO="/first"), start_nothing))
    slow = environ_with(SlowSource(b"x", arrived), CONTENT_LENGTH="1")
    slow_sender = threading.Thread(target=gated, args=(slow, start_nothing))
    slow_sender.start()
    time.sleep(0.3)
    first.start()
    time.sleep(0.1)
    arrived.set()
    time.sleep(0.2)
    done.set()
    for thread in (first, slow_sender):
        thread.join()

    assert 0.1 < told[0] < 0.29


def run_together(tasks: list[Any]) -> None:
    threads = [threading.Thread(target=task) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
