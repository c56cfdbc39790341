"""Failed attempts are limited by address; a good client behind the same address is not locked out by a bad one."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from cds_service.authorization.authenticator import Authenticator
from cds_service.authorization.clients import ClientTrust, TokenPolicy
from cds_service.authorization.failures import BURST, MOST_PLACES, PER_SECOND, PROOF_SECONDS, FailureLimit, Standing
from cds_service.authorization.keys import KeySetError
from cds_service.authorization.refusals import Refusal
from cds_service.errors import UnauthenticatedError
from tests.security import forge
from tests.security.forge import ENDPOINT, NOW, NOW_SECONDS, claims, ec_key, header, signed, token
from tests.security.test_key_refresh import Counts

if TYPE_CHECKING:
    from datetime import datetime

    from cds_service.state.used_tokens import UsedTokens

PROXY, ELSEWHERE = "192.0.2.7", "192.0.2.8"
NOW_S = float(NOW_SECONDS)


def exhausted(address: str = PROXY, client: str | None = "main-ehr") -> FailureLimit:
    limit = FailureLimit()
    for _ in range(int(BURST)):
        assert limit.note_failure(address, client, NOW_S) is Standing.WITHIN
    return limit


@pytest.mark.parametrize(
    ("address", "client", "seconds", "expected", "reason"),
    [
        (PROXY, "main-ehr", 0.0, False, "the budget is used up"),
        (PROXY, "main-ehr", 1.0, False, "half a token"),
        (PROXY, "main-ehr", 2.0, True, "one every two seconds"),
        (PROXY, "main-ehr", -100.0, False, "a clock that was set back gives nothing"),
        (PROXY, "other-ehr", 0.0, True, "another client behind the same proxy"),
        (PROXY, None, 0.0, True, "nobody in particular"),
        (ELSEWHERE, "main-ehr", 0.0, True, "the same client from another address"),
    ],
)
def test_allows_depends_on_address_client_and_time(
    address: str, client: str | None, seconds: float, expected: bool, reason: str
) -> None:
    assert exhausted().allows(address, client, NOW_S + seconds) is expected, reason


@pytest.mark.parametrize(
    ("address", "expected", "reason"),
    [
        ("2001:db8:1:2::9", False, "the same /64: one subscriber has all of it"),
        ("2001:db8:1:3::1", True, "another /64"),
        ("not an address", True, "what a test or a Unix socket gives"),
    ],
)
def test_allows_ipv6_by_subscriber(address: str, expected: bool, reason: str) -> None:
    assert exhausted("2001:db8:1:2::1").allows(address, "main-ehr", NOW_S) is expected, reason


@pytest.mark.parametrize(("seconds", "expected"), [(0, True), (PROOF_SECONDS, True), (PROOF_SECONDS + 1, False)])
def test_allows_client_that_proved_itself_there_lately(seconds: float, expected: bool) -> None:
    limit = FailureLimit()
    limit.note_success(PROXY, "main-ehr", NOW_S)
    for _ in range(100):
        limit.note_failure(PROXY, "main-ehr", NOW_S + seconds)

    assert limit.allows(PROXY, "main-ehr", NOW_S + seconds) is expected


def test_note_failure_tells_the_first_of_a_flood_once_and_again_after_a_rest() -> None:
    limit = exhausted()
    standings = [limit.note_failure(PROXY, "main-ehr", NOW_S + second) for second in (0, 0.1, 2, 2.1, 3)]
    after_rest = NOW_S + 10 + BURST / PER_SECOND
    first = limit.note_failure(PROXY, "main-ehr", after_rest)
    rest = [limit.note_failure(PROXY, "main-ehr", after_rest) for _ in range(int(BURST))]

    assert standings == [
        Standing.FIRST_BEYOND,
        Standing.BEYOND,
        Standing.WITHIN,
        Standing.BEYOND,
        Standing.BEYOND,
    ]
    assert first is Standing.WITHIN
    assert rest == [Standing.WITHIN] * (int(BURST) - 1) + [Standing.FIRST_BEYOND]


def test_limit_keeps_a_bounded_number_of_addresses() -> None:
    limit = FailureLimit()
    limit.note_success(PROXY, "main-ehr", NOW_S)
    for number in range(MOST_PLACES + 50):
        limit.note_failure(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}", None, NOW_S)
        if number % 1000 == 0:
            limit.note_success(PROXY, "main-ehr", NOW_S)

    assert len(limit._places) == MOST_PLACES
    assert (PROXY, "main-ehr") in limit._places, "who is seen again and again is not pushed out"


def test_note_failure_by_many_threads_covers_the_budget_exactly() -> None:
    limit, barrier = FailureLimit(), threading.Barrier(8)

    def fail(_: int) -> int:
        barrier.wait()
        return sum(limit.note_failure(PROXY, None, NOW_S) is Standing.WITHIN for _ in range(50))

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(fail, range(8))) == BURST


def bad(**changes: object) -> list[str]:
    return [f"Bearer {signed(header(), claims(**changes), ec_key('attacker'), 'ES384')}"]


def refusal(
    authenticator: Authenticator, headers: list[str], address: str = PROXY, now: datetime = NOW
) -> UnauthenticatedError:
    with pytest.raises(UnauthenticatedError) as caught:
        authenticator.authenticate(headers, ENDPOINT, now, address)
    return caught.value


def test_authenticate_beyond_the_budget_is_refused_unread_alike_and_not_logged_singly(
    main_ehr: ClientTrust, replay: UsedTokens, caplog: pytest.LogCaptureFixture
) -> None:
    counts = LimitCounts()
    authenticator = Authenticator([main_ehr], TokenPolicy(), replay, observer=counts)
    refusals = [refusal(authenticator, bad()) for _ in range(int(BURST) + 20)]

    assert [error.reason for error in refusals] == [Refusal.SIGNATURE] * int(BURST) + [Refusal.TOO_MANY_FAILURES] * 20
    assert {(error.status, error.client_text) for error in refusals} == {(401, "Authentication is required.")}
    assert [error.logged for error in refusals] == [True] * int(BURST) + [False] * 20
    assert counts.limited == ["main-ehr"]
    (line,) = caplog.records
    assert line.getMessage() == "too many failed attempts from one address"
    assert getattr(line, "fields", {})["address"] == PROXY


class LimitCounts(Counts):
    """What the metrics would be told."""

    def __init__(self) -> None:
        super().__init__()
        self.limited: list[str | None] = []

    def count_limited_address(self, client_name: str | None) -> None:
        self.limited.append(client_name)


def test_authenticate_good_client_is_not_locked_out_by_a_bad_one_behind_the_same_proxy(
    authenticator: Authenticator,
) -> None:
    authenticator.authenticate([f"Bearer {token()}"], ENDPOINT, NOW, PROXY)
    for _ in range(100):
        refusal(authenticator, bad())
        refusal(authenticator, ["Bearer x"])
        refusal(authenticator, bad(iss="https://nobody.example"))

    assert authenticator.authenticate([f"Bearer {token()}"], ENDPOINT, NOW, PROXY).name == "main-ehr"
    assert refusal(authenticator, bad()).reason == Refusal.SIGNATURE, "and whoever forges its tokens gains nothing"


def test_authenticate_good_client_that_was_never_seen_gets_in_with_the_next_of_the_budget(
    authenticator: Authenticator,
) -> None:
    for _ in range(100):
        refusal(authenticator, bad())
    refusal(authenticator, [f"Bearer {token()}"])

    later = NOW + timedelta(seconds=2)
    assert authenticator.authenticate([f"Bearer {token()}"], ENDPOINT, later, PROXY).name == "main-ehr"
    assert authenticator.authenticate([f"Bearer {token()}"], ENDPOINT, later, PROXY).name == "main-ehr"


def test_authenticate_good_client_elsewhere_is_not_touched(authenticator: Authenticator) -> None:
    for _ in range(100):
        refusal(authenticator, bad())

    assert authenticator.authenticate([f"Bearer {token()}"], ENDPOINT, NOW, ELSEWHERE).name == "main-ehr"


def test_note_success_renews_the_proof() -> None:
    """An EHR that works all day must not depend on what it proved in the morning."""
    limit = FailureLimit()
    for seconds in (0, 61, PROOF_SECONDS - 100):
        limit.note_success(PROXY, "main-ehr", NOW_S + seconds)
    for _ in range(2 * int(BURST)):
        limit.note_failure(PROXY, "main-ehr", NOW_S + PROOF_SECONDS)

    assert limit.allows(PROXY, "main-ehr", NOW_S + PROOF_SECONDS + 100)


def test_note_success_keeps_a_busy_client_among_those_remembered() -> None:
    limit = FailureLimit()
    limit.note_success(PROXY, "main-ehr", NOW_S)
    for number in range(MOST_PLACES):
        limit.note_failure(f"made-up-{number}", None, NOW_S)
        if number % 1000 == 0:
            limit.note_success(PROXY, "main-ehr", NOW_S)
    for _ in range(2 * int(BURST)):
        limit.note_failure(PROXY, "main-ehr", NOW_S)

    assert limit.allows(PROXY, "main-ehr", NOW_S)


def test_authenticate_missing_keys_are_not_the_callers_failure(main_ehr: ClientTrust, replay: UsedTokens) -> None:
    class NoKeys:
        def find(self, key_id: str) -> None:
            raise KeySetError(f"away, {len(key_id)}")

    failures = FailureLimit()
    away = Authenticator([replace(main_ehr, keys=NoKeys())], TokenPolicy(), replay, failures=failures)
    for _ in range(100):
        assert refusal(away, [f"Bearer {token()}"]).reason == Refusal.KEYS_UNAVAILABLE
    back = Authenticator([main_ehr], TokenPolicy(), replay, failures=failures)

    assert back.authenticate([f"Bearer {token()}"], ENDPOINT, NOW, PROXY).issuer == forge.ISSUER
