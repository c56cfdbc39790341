"""A server that keeps failing is left alone, and asked again later."""

from __future__ import annotations

import pytest

from cds_service.acquisition.fhir.breaker import FAILURES_TO_OPEN, SECONDS_OPEN, TRIES, Breaker

BASE = "https://ehr.example/fhir"
OTHER = "https://other.example/fhir"


class Clock:
    seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


def failing(clock: Clock, failures: int = FAILURES_TO_OPEN) -> Breaker:
    breaker = Breaker(clock)
    for _ in range(failures):
        breaker.note_failure(BASE)
    return breaker


@pytest.mark.parametrize(
    ("failures", "allowed"), [(0, True), (FAILURES_TO_OPEN - 1, True), (FAILURES_TO_OPEN, False), (100, False)]
)
def test_server_is_left_alone_after_failures_in_a_row(clock: Clock, failures: int, allowed: bool) -> None:
    assert failing(clock, failures).allows(BASE) is allowed


def test_other_server_is_asked_all_the_same(clock: Clock) -> None:
    assert failing(clock).allows(OTHER)


def test_answer_between_failures_starts_the_count_anew(clock: Clock) -> None:
    breaker = failing(clock, FAILURES_TO_OPEN - 1)
    breaker.note_answer(BASE)
    breaker.note_failure(BASE)

    assert breaker.allows(BASE)


def test_after_the_rest_the_requests_of_one_hook_try(clock: Clock) -> None:
    breaker = failing(clock)
    clock.seconds += SECONDS_OPEN - 0.1
    assert not breaker.allows(BASE)
    clock.seconds += 0.1

    assert [breaker.allows(BASE) for _ in range(TRIES + 2)] == [*[True] * TRIES, False, False]


def test_breaker_trial_request_answered_closes_the_breaker(clock: Clock) -> None:
    breaker = failing(clock)
    clock.seconds += SECONDS_OPEN
    breaker.allows(BASE)
    breaker.note_answer(BASE)

    assert all(breaker.allows(BASE) for _ in range(3 * TRIES))


def test_breaker_after_a_failed_trial_refuses_again(clock: Clock) -> None:
    breaker = failing(clock)
    clock.seconds += SECONDS_OPEN
    breaker.allows(BASE)
    clock.seconds += 2
    breaker.note_failure(BASE)
    assert not breaker.allows(BASE), "the other tries are not needed any more"
    clock.seconds += SECONDS_OPEN - 0.1
    assert not breaker.allows(BASE)
    clock.seconds += 0.1
    assert breaker.allows(BASE)


def test_breaker_trial_without_result_allows_another(clock: Clock) -> None:
    breaker = failing(clock)
    clock.seconds += SECONDS_OPEN
    breaker.allows(BASE)
    clock.seconds += SECONDS_OPEN

    assert breaker.allows(BASE)
