"""Keys are fetched again without being asked for, and an outage of their server is an alarm."""

from __future__ import annotations

import threading
from unittest.mock import patch

import pytest

from cds_service.authorization import key_url
from cds_service.authorization.key_url import KeySetAddress, KeyUrl
from cds_service.authorization.keys import KeySetError
from tests.security import forge
from tests.security.forge import EC_KID, ec_key
from tests.security.key_server import NEW_KEYS, OLD_KEYS, Clock, KeyServer, until


def test_keep_fresh_fetches_before_anybody_asks(keys: KeyUrl, server: KeyServer) -> None:
    keys.keep_fresh()
    keys.keep_fresh()

    assert until(lambda: len(server.requests) == 1)


def test_keep_fresh_ends_with_its_keys(server: KeyServer) -> None:
    """A reload that drops a client must not leave somebody behind who asks for its keys for ever."""
    keys, before = KeyUrl("main-ehr", KeySetAddress(server.url)), set(threading.enumerate())
    with patch.object(key_url, "REFRESH_SECONDS", 0.01):
        keys.keep_fresh()
        (keeper,) = (thread for thread in set(threading.enumerate()) - before if thread.name == "keep-keys")
        assert until(lambda: bool(server.requests))
        del keys

        assert until(lambda: not keeper.is_alive())


def test_refresh_withdrawn_key_is_gone_although_nobody_asked(keys: KeyUrl, server: KeyServer, clock: Clock) -> None:
    keys.refresh()
    server.body = NEW_KEYS
    clock.seconds += 300
    keys.refresh()

    assert len(server.requests) == 2
    assert not keys.find(EC_KID)


def test_refresh_during_an_outage_comes_less_and_less_often_and_recovers(
    keys: KeyUrl, server: KeyServer, clock: Clock
) -> None:
    keys.refresh()
    server.status = 503
    pauses = []
    for _ in range(6):
        clock.seconds += 300
        pauses.append(keys.refresh())
    server.status = 200
    clock.seconds += 300

    assert pauses == [60, 120, 240, 300, 300, 300]
    assert keys.refresh() == 300


def test_refresh_after_days_of_outage_goes_on(keys: KeyUrl, clock: Clock) -> None:
    """2 to the power of a thousand is no floating-point number: the thread that keeps keys fresh died of it."""
    with patch.object(key_url, "download", side_effect=KeySetError("away")) as download:
        for _ in range(1100):
            clock.seconds += 300
            pause = keys.refresh()

    assert (download.call_count, pause) == (1100, 300)


def test_refresh_set_without_a_usable_key_withdraws_what_was_held(
    keys: KeyUrl, server: KeyServer, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    keys.refresh()
    for body in (b'{"keys": []}', forge.key_set(forge.jwk(ec_key(), EC_KID, use="enc"))):
        server.body = body
        clock.seconds += 300
        keys.refresh()
        assert "its tokens are refused" in caplog.messages[-1]
        with pytest.raises(KeySetError):
            keys.find(EC_KID)
        server.body = OLD_KEYS
        clock.seconds += 300
        keys.refresh()
        assert keys.find(EC_KID)


def test_refresh_what_is_no_key_set_withdraws_nothing(keys: KeyUrl, server: KeyServer, clock: Clock) -> None:
    keys.refresh()
    for body in (b"{", b"<html>", b"[]", b'{"keys": {}}', b""):
        server.body = body
        clock.seconds += 300
        keys.refresh()

    assert keys.find(EC_KID)


def test_refresh_answer_that_never_ends_is_an_alarm(
    keys: KeyUrl, server: KeyServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.may_answer.clear()
    with patch.object(key_url, "FETCH_PAUSE_SECONDS", 0.05):
        keys.refresh()

    assert "does not finish its answer" in caplog.text


class Counts:
    """What the metrics would be told."""

    def __init__(self) -> None:
        self.key_sets: list[tuple[str, bool]] = []

    def count_key_set(self, client_name: str, *, usable: bool) -> None:
        self.key_sets.append((client_name, usable))

    def count_limited_address(self, client_name: str | None) -> None:
        raise AssertionError(client_name)


def test_refresh_failure_is_an_alarm_that_tells_how_long_the_keys_serve(
    server: KeyServer, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    counts = Counts()
    keys = KeyUrl("main-ehr", KeySetAddress(server.url), clock, counts)
    keys.refresh()
    server.status = 503
    clock.seconds += 3600
    keys.refresh()
    clock.seconds += 86_400
    keys.refresh()

    assert counts.key_sets == [("main-ehr", True), ("main-ehr", False), ("main-ehr", False)]
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        (
            "ERROR",
            "keys of client main-ehr not fetched: status 503; those of 60 min ago serve on for 23.0 h at most",
        ),
        ("ERROR", "keys of client main-ehr not fetched: status 503; its tokens are refused"),
    ]


def test_find_new_key_right_after_a_refresh_is_fetched_once(keys: KeyUrl, server: KeyServer, clock: Clock) -> None:
    """An EHR may begin to sign with its new key a second after we looked; whoever guesses gains nothing by it."""
    keys.refresh()
    server.body = NEW_KEYS
    clock.seconds += 1

    assert keys.find("ec-2027")
    for number in range(20):
        assert not keys.find(f"guess-{number}")
    assert len(server.requests) == 2
