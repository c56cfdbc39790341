"""Keys at an address: rotation, outages, unknown key ids (requirements 164, 168)."""

from __future__ import annotations

import threading
import time
from unittest.mock import patch

import pytest

from cds_service.authorization import key_url
from cds_service.authorization.key_url import KeySetAddress, KeyUrl
from cds_service.authorization.keys import KeySetError
from tests.security.forge import EC_KID
from tests.security.key_server import NEW_KEYS, Clock, KeyServer, until


def ids(keys: KeyUrl, *candidates: str) -> list[str]:
    return [kid for kid in candidates if keys.find(kid)]


def holds(keys: KeyUrl, kid: str) -> bool:
    """Whether a key is found now, where there may be none at all."""
    try:
        return bool(keys.find(kid))
    except KeySetError:
        return False


def test_find_within_five_minutes_fetches_once(keys: KeyUrl, server: KeyServer, clock: Clock) -> None:
    for _ in range(5):
        assert keys.find(EC_KID)
        clock.seconds += 59

    assert len(server.requests) == 1


def test_find_new_key_after_rotation_is_fetched(keys: KeyUrl, server: KeyServer, clock: Clock) -> None:
    keys.find(EC_KID)
    server.body = NEW_KEYS
    clock.seconds += 31

    assert ids(keys, "ec-2027", EC_KID) == ["ec-2027"]


def test_find_after_five_minutes_answers_at_once_and_refreshes(keys: KeyUrl, server: KeyServer, clock: Clock) -> None:
    keys.find(EC_KID)
    server.body = NEW_KEYS
    server.may_answer.clear()
    clock.seconds += 301

    assert keys.find(EC_KID), "the keys held serve while the server keeps us waiting"
    server.may_answer.set()
    assert until(lambda: not keys.find(EC_KID)), "a withdrawn key is gone after the refresh"


def test_find_known_key_never_waits_however_old_the_keys(keys: KeyUrl, server: KeyServer, clock: Clock) -> None:
    keys.find(EC_KID)
    server.may_answer.clear()
    clock.seconds += 80_000
    begun = time.perf_counter()

    assert keys.find(EC_KID)
    assert time.perf_counter() - begun < 0.5


def test_find_unknown_ids_wait_for_a_slow_server_no_longer_than_its_first_moments(
    keys: KeyUrl, server: KeyServer, clock: Clock
) -> None:
    """Otherwise whoever knows the issuer could hold every thread with made-up key ids while the server hangs."""
    keys.find(EC_KID)
    server.may_answer.clear()
    clock.seconds += 31
    stranger = threading.Thread(target=keys.find, args=("guess",))
    stranger.start()
    assert until(lambda: len(server.requests) == 2)
    clock.seconds += 3
    begun = time.perf_counter()
    for _ in range(20):
        assert not keys.find("guess")
    taken = time.perf_counter() - begun
    server.may_answer.set()
    stranger.join()

    assert taken < 0.5


@pytest.mark.parametrize(
    ("seconds", "known", "reason"),
    [
        (301, True, "due"),
        (3600, True, "an hour"),
        (86_399, True, "just within a day"),
        (86_401, False, "nobody vouches for keys of yesterday"),
    ],
)
def test_find_during_outage_keeps_keys_for_a_day(
    seconds: float, known: bool, reason: str, keys: KeyUrl, server: KeyServer, clock: Clock
) -> None:
    keys.find(EC_KID)
    server.status = 503
    clock.seconds += seconds

    if known:
        assert keys.find(EC_KID), reason
    else:
        with pytest.raises(KeySetError):
            keys.find(EC_KID)


def test_find_after_outage_recovers(keys: KeyUrl, server: KeyServer, clock: Clock) -> None:
    server.status = 503
    with pytest.raises(KeySetError):
        keys.find(EC_KID)
    server.status = 200
    with pytest.raises(KeySetError):
        keys.find(EC_KID)
    clock.seconds += 31

    assert keys.find(EC_KID)
    assert len(server.requests) == 2, "one request for thirty seconds, however often it fails"


def test_find_unknown_ids_ask_the_server_once_in_thirty_seconds(keys: KeyUrl, server: KeyServer, clock: Clock) -> None:
    keys.find(EC_KID)
    clock.seconds += 31
    for number in range(50):
        assert not keys.find(f"guess-{number}")

    assert len(server.requests) == 2


def test_find_goes_on_fetching_however_often_it_did(keys: KeyUrl, server: KeyServer, clock: Clock) -> None:
    for _ in range(10):
        keys.find("guess")
        clock.seconds += 31

    assert len(server.requests) == 10


def test_find_good_key_is_not_held_up_by_a_fetch_for_an_unknown_one(
    keys: KeyUrl, server: KeyServer, clock: Clock
) -> None:
    keys.find(EC_KID)
    clock.seconds += 31
    server.may_answer.clear()
    stranger = threading.Thread(target=keys.find, args=("guess",))
    stranger.start()
    assert until(lambda: len(server.requests) == 2)
    begun = time.perf_counter()
    for _ in range(100):
        assert keys.find(EC_KID)
    taken = time.perf_counter() - begun
    server.may_answer.set()
    stranger.join()

    assert taken < 0.5, "waiting for the stranger's fetch would take as long as the server wants"


def test_find_first_requests_together_share_one_fetch(keys: KeyUrl, server: KeyServer) -> None:
    server.may_answer.clear()
    found: list[bool] = []
    threads = [threading.Thread(target=lambda: found.append(bool(keys.find(EC_KID)))) for _ in range(8)]
    for thread in threads:
        thread.start()
    assert until(lambda: len(server.requests) == 1)
    server.may_answer.set()
    for thread in threads:
        thread.join()

    assert (found, len(server.requests)) == ([True] * 8, 1)


def test_find_server_that_never_answers_is_given_up(keys: KeyUrl, server: KeyServer) -> None:
    server.may_answer.clear()
    begun = time.perf_counter()

    with pytest.raises(KeySetError):
        keys.find(EC_KID)
    assert time.perf_counter() - begun < 4


def test_find_server_that_never_finishes_gets_few_threads(server: KeyServer, clock: Clock) -> None:
    """Each answer begins and then stands still; a new fetch may begin every thirty seconds."""
    keys = KeyUrl("main-ehr", KeySetAddress(server.url), clock)
    server.may_answer.clear()
    with patch.object(key_url, "TIMEOUT_SECONDS", 30.0), patch.object(key_url, "_LONGEST_WAIT_SECONDS", 0.05):
        for _ in range(10):
            with pytest.raises(KeySetError):
                keys.find(EC_KID)
            clock.seconds += 31
        assert until(lambda: len(server.requests) == 4)
        server.may_answer.set()
        assert until(lambda: holds(keys, EC_KID))


def test_find_unknown_ids_of_a_crowd_hold_few_threads(keys: KeyUrl, server: KeyServer, clock: Clock) -> None:
    """Whoever waits has not proved who he is: a client needs the thread."""
    keys.find(EC_KID)
    server.may_answer.clear()
    clock.seconds += 31
    answered: list[object] = []
    crowd = [threading.Thread(target=lambda: answered.append(keys.find("unknown"))) for _ in range(20)]
    for one in crowd:
        one.start()

    assert until(lambda: len(answered) == 20 - 8), "the others are told at once"
    assert keys.find(EC_KID), "a client's key is found meanwhile"
    server.may_answer.set()
    for one in crowd:
        one.join()
    assert answered == [None] * 20
