"""The end of an exchange: at its deadline, or as soon as it is given up."""

from __future__ import annotations

import socket
import threading
import time

import pytest

from cds_service.acquisition.fhir.connections import TimeLimit


def test_seconds_left_before_the_deadline_is_what_remains() -> None:
    limit = TimeLimit(time.monotonic() + 10)

    assert 9 < limit.seconds_left() <= 10
    assert not limit.is_over


@pytest.mark.parametrize(("seconds", "give_up"), [(0.0, False), (-5.0, False), (10.0, True)])
def test_seconds_left_when_over_raises(seconds: float, give_up: bool) -> None:
    limit = TimeLimit(time.monotonic() + seconds)
    if give_up:
        limit.give_up()

    assert limit.is_over
    with pytest.raises(TimeoutError):
        limit.seconds_left()


def test_give_up_wakes_the_thread_that_waits_on_a_socket() -> None:
    ours, theirs = socket.socketpair()
    limit = TimeLimit(time.monotonic() + 10)
    limit.wait_on(ours)
    read: list[bytes] = []
    waiting = threading.Thread(target=lambda: read.append(ours.recv(1)))
    waiting.start()
    limit.give_up()
    waiting.join(timeout=5)

    assert read == [b""]
    ours.close()
    theirs.close()


def test_give_up_after_the_answer_leaves_the_connection_to_others() -> None:
    ours, theirs = socket.socketpair()
    limit = TimeLimit(time.monotonic() + 10)
    limit.wait_on(ours)
    limit.wait_on(None)
    limit.give_up()
    theirs.send(b"x")

    assert ours.recv(1) == b"x"
    ours.close()
    theirs.close()


def test_give_up_of_a_closed_socket_does_no_harm() -> None:
    ours, theirs = socket.socketpair()
    limit = TimeLimit(time.monotonic() + 10)
    limit.wait_on(ours)
    ours.close()
    theirs.close()

    limit.give_up()

    assert limit.is_given_up
