"""A state store that is away, replaced or locked: refused in bounded time, found again without a restart."""

from __future__ import annotations

import sqlite3
import time
from typing import TYPE_CHECKING

import pytest

from cds_service.errors import ConfigurationError, StateUnavailableError
from cds_service.state.used_tokens import UsedTokens
from tests.security.forge import ENDPOINT, NOW, NOW_SECONDS, token
from tests.security.key_server import until
from tests.security.test_replay import rows, use

if TYPE_CHECKING:
    from pathlib import Path

    from cds_service.authorization.authenticator import Authenticator


def test_authenticate_without_state_store_is_not_answered_as_trusted(
    authenticator: Authenticator, state_file: Path
) -> None:
    state_file.mkdir()

    with pytest.raises(StateUnavailableError) as caught:
        authenticator.authenticate([f"Bearer {token()}"], ENDPOINT, NOW)

    assert (caught.value.status, caught.value.issue_code) == (503, "transient")
    assert str(state_file) not in caught.value.client_text


def test_check_ready_database_replaced_by_what_is_none_is_reported(
    authenticator: Authenticator, state_file: Path
) -> None:
    authenticator.check_ready()
    state_file.unlink()
    state_file.mkdir()

    with pytest.raises(StateUnavailableError):
        authenticator.check_ready()


def test_first_use_database_file_deleted_is_made_anew(replay: UsedTokens, state_file: Path) -> None:
    """A connection that is open goes on writing to the deleted file, which no other worker sees."""
    replay.is_first_use(use(), NOW_SECONDS)
    for file in state_file.parent.glob("state.db*"):
        file.unlink()
    replay.is_first_use(use(), NOW_SECONDS)

    assert rows(state_file) == 1


def test_first_use_database_that_comes_back_is_used_without_restart(replay: UsedTokens, state_file: Path) -> None:
    state_file.mkdir()
    with pytest.raises(StateUnavailableError):
        replay.is_first_use(use(), NOW_SECONDS)
    state_file.rmdir()

    assert replay.is_first_use(use(), NOW_SECONDS)


def test_first_use_table_that_was_dropped_is_made_anew(replay: UsedTokens, state_file: Path) -> None:
    replay.is_first_use(use(), NOW_SECONDS)
    other = sqlite3.connect(state_file)
    other.execute("DROP TABLE used_token")
    other.close()

    assert replay.is_first_use(use("t-2"), NOW_SECONDS)


def test_first_use_locked_database_is_given_up_within_the_hook_deadline(replay: UsedTokens, state_file: Path) -> None:
    replay.is_first_use(use(), NOW_SECONDS)
    blocker = sqlite3.connect(state_file, isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    try:
        with pytest.raises(StateUnavailableError) as caught:
            replay.is_first_use(use("t-2"), NOW_SECONDS)
    finally:
        blocker.close()

    assert "OperationalError" in caught.value.log_detail


def test_first_use_after_a_timeout_is_refused_at_once_then_recovers(replay: UsedTokens, state_file: Path) -> None:
    """Sixteen threads that wait for a locked database one after the other would answer no probe either."""
    replay.is_first_use(use(), NOW_SECONDS)
    blocker = sqlite3.connect(state_file, isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    with pytest.raises(StateUnavailableError):
        replay.is_first_use(use("t-2"), NOW_SECONDS)
    begun = time.perf_counter()
    for _ in range(5):
        with pytest.raises(StateUnavailableError, match="a moment ago"):
            replay.is_first_use(use("t-2"), NOW_SECONDS)
    taken = time.perf_counter() - begun
    blocker.close()

    assert taken < 0.3
    assert until(lambda: answers(replay, "t-2"))


def answers(replay: UsedTokens, name: str) -> bool:
    """Whether the store accepts a token, where it may also be out of order."""
    try:
        return replay.is_first_use(use(name), NOW_SECONDS)
    except StateUnavailableError:
        return False


@pytest.mark.parametrize("url", ["nosuchdatabase://host/x", "not an address"])
def test_replay_store_without_driver_is_a_configuration_error(url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"state\.url"):
        UsedTokens(url)
