"""One HTTP exchange: what comes back, how long it may take, and what it must never do."""

from __future__ import annotations

import gzip
import logging
import time
from typing import TYPE_CHECKING

import pytest

from cds_service.acquisition.fhir.connections import TimeLimit
from cds_service.acquisition.fhir.exchange import ExchangeError, Exchanger, HTTPOptions
from tests.support import fhir_stub_faults as faults
from tests.support.fhir_stub import TOKEN, FHIRStub, running_stub

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.fhir_stub import Fault, Wire

MOST_BYTES = 1_000_000
PLENTY = 10.0
BOMB_IN_BOMB = gzip.compress(gzip.compress(b" " * (9 * MOST_BYTES)))
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.fixture
def stub() -> Iterator[FHIRStub]:
    with running_stub() as running:
        yield running


def exchanger() -> Exchanger:
    return Exchanger(HTTPOptions(0.5, MOST_BYTES), connections=4)


def get(stub: FHIRStub, *, seconds: float = PLENTY, by: Exchanger | None = None) -> bytes:
    limit = TimeLimit(time.monotonic() + seconds)
    return (by or exchanger()).get(f"{stub.url}/Patient/p1", f"Bearer {TOKEN}", limit, MOST_BYTES)


def failure(stub: FHIRStub, fault: Fault, *, seconds: float = PLENTY) -> ExchangeError:
    stub.faults = {"patient": fault}
    with pytest.raises(ExchangeError) as raised:
        get(stub, seconds=seconds)
    return raised.value


def test_body_of_an_answer_is_returned(stub: FHIRStub) -> None:
    stub.content = {"patient": {"id": "p1"}}

    assert get(stub) == b'{"id": "p1"}'


def test_request_says_what_it_wants_and_no_more(stub: FHIRStub) -> None:
    get(stub)

    (received,) = stub.received
    assert received.headers == {
        "host": stub.url.split("/")[2],
        "accept": "application/fhir+json",
        "accept-encoding": "gzip",
        "user-agent": "sii-cds",
        "cache-control": "no-cache",
        "authorization": f"Bearer {TOKEN}",
    }


def test_metadata_may_come_from_a_cache(stub: FHIRStub) -> None:
    """HAPI makes its CapabilityStatement anew, for half a minute, when no cache may answer."""
    exchanger().get(f"{stub.url}/metadata", None, TimeLimit(time.monotonic() + PLENTY), MOST_BYTES)

    assert "cache-control" not in stub.received[0].headers


def test_without_token_no_header_is_sent(stub: FHIRStub) -> None:
    exchanger().get(f"{stub.url}/Patient/p1", None, TimeLimit(time.monotonic() + PLENTY), MOST_BYTES)

    assert stub.received[0].authorization is None


FAILURES: list[tuple[str, Fault, str, bool]] = [
    ("unauthorized", faults.status(401), "status 401", False),
    ("forbidden", faults.status(403), "status 403", False),
    ("not found", faults.status(404), "status 404", False),
    ("gone", faults.status(410), "status 410", False),
    ("too many requests", faults.status(429), "status 429", False),
    ("server error", faults.status(500), "status 500", True),
    ("unavailable", faults.status(503), "status 503", True),
    ("no content", faults.raw(b"HTTP/1.1 204 No Content\r\n\r\n"), "status 204", False),
    ("redirect", faults.redirect("http://127.0.0.1:9/"), "redirect", False),
    ("permanent redirect", faults.redirect("http://127.0.0.1:9/", 308), "redirect", False),
    ("not modified", faults.raw(b"HTTP/1.1 304 Not Modified\r\n\r\n"), "redirect", False),
    ("too large", faults.body(b" " * (MOST_BYTES + 1)), "too large", False),
    ("endless", faults.ENDLESS_BODY, "too large", False),
    ("bomb", faults.zipped(b" " * (50 * MOST_BYTES)), "too large", False),
    ("bomb in a bomb", faults.body(BOMB_IN_BOMB, Content_Encoding="gzip, gzip"), "too large", False),
    ("not gzip", faults.body(b"plain", Content_Encoding="gzip"), "DecodeError", True),
    ("broken off", faults.BROKEN_BODY, "IncompleteRead", True),
    ("broken chunks", faults.raw(CHUNKED + b"zz\r\n"), "IncompleteRead", True),
    ("no HTTP", faults.raw(b"220 smtp.example ESMTP\r\n"), "BadStatusLine", True),
    ("nothing", faults.raw(b""), "RemoteDisconnected", True),
    ("endless header line", faults.raw(b"HTTP/1.1 200 OK\r\nX: " + b"a" * 70_000), "LineTooLong", True),
    ("many headers", faults.raw(b"HTTP/1.1 200 OK\r\n" + b"X: a\r\n" * 200), "HTTPException", True),
    ("two lengths", faults.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 5, 7\r\n\r\n12345"), "InvalidHeader", True),
]  # fmt: skip


@pytest.mark.parametrize(("name", "fault", "what", "is_outage"), FAILURES, ids=[case[0] for case in FAILURES])
def test_exchange_without_usable_answer_names_the_failure(
    stub: FHIRStub, name: str, fault: Fault, what: str, is_outage: bool
) -> None:
    failed = failure(stub, fault)

    assert (str(failed), failed.is_outage) == (what, is_outage)
    assert len(stub.received) == 1, "asked once"


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(faults.silence, id="silence"),
        pytest.param(faults.SLOW_HEADER, id="a header, byte by byte"),
        pytest.param(faults.SLOW_HEADERS, id="header after header"),
        pytest.param(faults.SLOW_BODY, id="a body, byte by byte"),
        pytest.param(faults.SLOW_CHUNKS, id="a body, chunk by chunk"),
    ],
)
def test_slow_answer_ends_at_the_deadline(stub: FHIRStub, fault: Fault) -> None:
    begun = time.monotonic()

    failed = failure(stub, fault, seconds=0.3)

    assert 0.3 <= time.monotonic() - begun < 0.8
    assert failed.is_outage


def test_slow_answer_to_a_request_that_was_sent_late_says_nothing_of_its_server(stub: FHIRStub) -> None:
    """It waited for a thread of ours: a burst of hooks must not turn away from a server that answers."""
    stub.faults = {"patient": faults.silence}
    limit = TimeLimit(time.monotonic() + 0.6)
    time.sleep(0.4)

    with pytest.raises(ExchangeError) as raised:
        exchanger().get(f"{stub.url}/Patient/p1", None, limit, MOST_BYTES)

    assert not raised.value.is_outage


def test_exchange_without_time_sends_nothing(stub: FHIRStub) -> None:
    with pytest.raises(ExchangeError):
        get(stub, seconds=0.0)

    assert stub.received == []


def test_exchange_given_up_ends_at_once_and_is_no_outage(stub: FHIRStub) -> None:
    limit = TimeLimit(time.monotonic() + PLENTY)

    def give_up(wire: Wire) -> None:
        limit.give_up()
        faults.silence(wire)

    stub.faults = {"patient": give_up}
    begun = time.monotonic()
    with pytest.raises(ExchangeError) as raised:
        exchanger().get(f"{stub.url}/Patient/p1", None, limit, MOST_BYTES)

    assert not raised.value.is_outage
    assert time.monotonic() - begun < 1


def test_refused_connection_fails_at_once() -> None:
    with running_stub() as stub:
        gone = stub
    begun = time.monotonic()
    with pytest.raises(ExchangeError, match="NewConnectionError"):
        get(gone)

    assert time.monotonic() - begun < 1


def test_compressed_answer_is_read(stub: FHIRStub) -> None:
    stub.faults = {"patient": faults.zipped(b'{"id": "p1"}')}

    assert get(stub) == b'{"id": "p1"}'


def test_token_is_in_no_exception_and_no_log(stub: FHIRStub, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for _, fault, _, _ in FAILURES:
        failed = failure(stub, fault)
        assert (failed.__cause__, failed.__context__) == (None, None), "the library's exceptions carry the request"
        assert TOKEN not in repr(failed)

    assert TOKEN not in caplog.text


# Connections that are kept


def test_connection_is_used_again(stub: FHIRStub) -> None:
    by = exchanger()
    for _ in range(3):
        get(stub, by=by)

    assert len({request.connection for request in stub.received}) == 1


def test_closed_connection_is_replaced_without_a_failure(stub: FHIRStub) -> None:
    by = exchanger()
    get(stub, by=by)
    seen = stub.received[0].connection

    def hang_up_on_old_connection(wire: Wire) -> None:
        if wire.received.connection == seen:
            wire.close()
        else:
            wire.answer(b"{}")

    stub.faults = {"patient": hang_up_on_old_connection}

    assert get(stub, by=by) == b"{}"
    assert len(stub.received) == 3


def test_new_connection_that_is_closed_gets_no_second_chance(stub: FHIRStub) -> None:
    by = exchanger()
    get(stub, by=by)
    stub.faults = {"patient": faults.raw(b"")}
    with pytest.raises(ExchangeError):
        get(stub, by=by)

    assert len(stub.received) == 3, "the kept connection, and one new one"


def test_connection_that_rested_too_long_is_not_used_again(stub: FHIRStub, monkeypatch: pytest.MonkeyPatch) -> None:
    by = exchanger()
    get(stub, by=by)
    monkeypatch.setattr("cds_service.acquisition.fhir.connections.REST_SECONDS", 0.0)
    get(stub, by=by)

    assert len({request.connection for request in stub.received}) == 2


def test_cookie_of_one_hook_does_not_go_out_with_another(stub: FHIRStub) -> None:
    by = exchanger()
    stub.faults = {"patient": faults.body(b"{}", Set_Cookie="session=of-hook-a; Path=/")}
    get(stub, by=by)
    get(stub, by=by)

    assert "cookie" not in stub.received[1].headers


def test_redirect_is_not_followed_with_the_token(stub: FHIRStub) -> None:
    with running_stub() as other:
        failure(stub, faults.redirect(f"{other.url}/Patient/p1"))

        assert other.received == []
