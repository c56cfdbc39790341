"""A token counts once over several hosts: the same promises as in test_replay.py, on a real PostgreSQL server."""

from __future__ import annotations

import time
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from cds_service.errors import StateUnavailableError
from cds_service.state.used_tokens import UsedTokens
from tests.security.forge import NOW_SECONDS
from tests.security.key_server import until
from tests.security.test_replay import TOKENS_IN_RACE, granted_in_race, use
from tests.security.test_replay_store_failures import answers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.postgresql import PostgreSQL


def test_first_use_on_postgresql_is_granted_once_and_remembered_by_others(postgresql_url: str) -> None:
    one_host, another = UsedTokens(postgresql_url), UsedTokens(postgresql_url)
    with closing(one_host), closing(another):
        assert one_host.is_first_use(use(), NOW_SECONDS)
        assert not another.is_first_use(use(), NOW_SECONDS)


def test_first_use_on_postgresql_raced_by_processes_is_granted_once(postgresql: PostgreSQL) -> None:
    urls = [postgresql.new_database() for _ in range(2)]

    assert granted_in_race(urls) == len(urls) * TOKENS_IN_RACE


@pytest.fixture
def replay(postgresql_url: str) -> Iterator[UsedTokens]:
    with closing(UsedTokens(postgresql_url)) as store:
        store.check_writable()
        yield store


def test_first_use_server_that_was_restarted_is_asked_again_without_a_refusal(
    replay: UsedTokens, postgresql: PostgreSQL
) -> None:
    """The connections in the pool are dead then, which each of them tells at once."""
    replay.is_first_use(use(), NOW_SECONDS)
    postgresql.stop()
    postgresql.start()

    assert replay.is_first_use(use("t-2"), NOW_SECONDS)
    assert not replay.is_first_use(use(), NOW_SECONDS)


def test_first_use_server_that_is_down_is_refused_at_once_and_found_again(
    replay: UsedTokens, postgresql: PostgreSQL
) -> None:
    postgresql.stop()
    begun = time.perf_counter()
    with pytest.raises(StateUnavailableError, match="OperationalError") as caught:
        replay.is_first_use(use(), NOW_SECONDS)
    taken = time.perf_counter() - begun
    postgresql.start()

    assert taken < 1
    assert "127.0.0.1" not in str(caught.value)
    assert until(lambda: answers(replay, "t-1"))


def test_first_use_server_that_is_frozen_is_given_up_and_found_again(
    replay: UsedTokens, postgresql: PostgreSQL
) -> None:
    """Its connections stay open and nothing comes: neither the network nor the server ends the wait."""
    postgresql.freeze()
    try:
        begun = time.perf_counter()
        with pytest.raises(StateUnavailableError):
            replay.is_first_use(use(), NOW_SECONDS)
        taken = time.perf_counter() - begun
        begun = time.perf_counter()
        # The pause is over, and now no connection can be made either.
        assert until(lambda: "timeout" in why_not(replay).casefold())
        taken_without_connection = time.perf_counter() - begun
    finally:
        postgresql.thaw()

    assert taken < 2
    assert taken_without_connection < 4
    assert until(lambda: answers(replay, "t-2"))


def test_first_use_table_locked_by_another_is_given_up_by_the_server_too(
    replay: UsedTokens, postgresql: PostgreSQL
) -> None:
    """Otherwise every refused hook leaves a connection behind that waits on."""
    with postgresql.connect(_database(replay)) as other, other.transaction():
        other.execute(b"LOCK TABLE used_token")
        begun = time.perf_counter()
        with pytest.raises(StateUnavailableError, match="QueryCanceled"):
            replay.is_first_use(use(), NOW_SECONDS)
        taken = time.perf_counter() - begun

    assert taken < 2
    assert until(lambda: answers(replay, "t-1"))


def why_not(replay: UsedTokens) -> str:
    """What the log says of an attempt, nothing when it worked."""
    try:
        replay.check_writable()
    except StateUnavailableError as error:
        return error.log_detail
    return ""


def _database(replay: UsedTokens) -> str:
    return replay.url.partition("?")[0].rpartition("/")[2]
