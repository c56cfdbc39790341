"""A token counts once (requirement 173): over endpoints, threads, processes and restarts, until its time is over."""

from __future__ import annotations

import multiprocessing
import os
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import pytest

from cds_service.authorization.authenticator import Authenticator
from cds_service.authorization.clients import TokenPolicy
from cds_service.authorization.token import TokenUse
from cds_service.errors import UnauthenticatedError
from cds_service.state import database
from cds_service.state.sqlite_file import SQLiteFile
from cds_service.state.used_tokens import UsedTokens
from tests.security import forge
from tests.security.forge import ENDPOINT, NOW, NOW_SECONDS, token

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from cds_service.authorization.clients import ClientTrust

ISSUER, OTHER_ISSUER = "https://a.example", "https://b.example"


def use(name: str = "t-1", issuer: str = ISSUER, until: float = NOW_SECONDS + 360) -> TokenUse:
    return TokenUse(issuer, name, until)


def test_authenticate_same_token_twice_second_is_refused(authenticator: Authenticator) -> None:
    text = f"Bearer {token()}"
    authenticator.authenticate([text], ENDPOINT, NOW)

    with pytest.raises(UnauthenticatedError) as caught:
        authenticator.authenticate([text], ENDPOINT, NOW)

    assert caught.value.log_detail == "replayed client=main-ehr"
    assert caught.value.client_text == "Authentication is required."


def test_authenticate_same_jti_on_another_endpoint_is_refused(authenticator: Authenticator) -> None:
    feedback = f"{ENDPOINT}/feedback"
    authenticator.authenticate([f"Bearer {token(jti='once')}"], ENDPOINT, NOW)

    with pytest.raises(UnauthenticatedError, match="replayed"):
        authenticator.authenticate([f"Bearer {token(jti='once', aud=feedback)}"], feedback, NOW)


def test_authenticate_refused_token_does_not_use_up_its_jti(authenticator: Authenticator) -> None:
    """Otherwise whoever guesses a jti could lock the real token out with a forged one."""
    for forged in (token(jti="mine", key=forge.ec_key("attacker")), token(jti="mine", aud="https://a.example")):
        with pytest.raises(UnauthenticatedError):
            authenticator.authenticate([f"Bearer {forged}"], ENDPOINT, NOW)

    assert authenticator.authenticate([f"Bearer {token(jti='mine')}"], ENDPOINT, NOW).name == "main-ehr"


def test_authenticate_replay_within_the_leeway_after_expiry_is_refused(authenticator: Authenticator) -> None:
    text = f"Bearer {token()}"
    authenticator.authenticate([text], ENDPOINT, NOW)

    with pytest.raises(UnauthenticatedError, match="replayed"):
        authenticator.authenticate([text], ENDPOINT, NOW + timedelta(seconds=300 + 59))


def test_authenticate_replay_after_the_leeway_was_raised_is_refused(
    main_ehr: ClientTrust, authenticator: Authenticator, replay: UsedTokens
) -> None:
    """Forgotten after a short leeway, the token would be good again under a longer one."""
    text, later = f"Bearer {token()}", NOW + timedelta(seconds=300 + 100)
    authenticator.authenticate([text], ENDPOINT, NOW)
    raised = Authenticator([main_ehr], TokenPolicy(leeway_seconds=300), replay)

    assert raised.authenticate([f"Bearer {token()}"], ENDPOINT, later).name == "main-ehr"
    with pytest.raises(UnauthenticatedError, match="replayed"):
        raised.authenticate([text], ENDPOINT, later)


@pytest.mark.parametrize(
    ("first", "second", "expected", "reason"),
    [
        (use(), use(), False, "the same"),
        (use(), use("t-2"), True, "another token"),
        (use(), use("T-1"), True, "ids are compared with their case"),
        (use(), use(issuer=OTHER_ISSUER), True, "issuers choose their ids without each other"),
        (use("c", "ab"), use("bc", "a"), True, "issuer and id are not simply joined"),
        (use("c", "a:b"), use("b:c", "a"), True, "nor by a character that both may hold"),
        (use(until=NOW_SECONDS + 1), use(), False, "still valid for a second"),
        (use(until=NOW_SECONDS), use(), True, "its time is over, so the token itself is refused"),
    ],
)
def test_first_use_depends_on_issuer_id_and_time(
    first: TokenUse, second: TokenUse, expected: bool, reason: str, replay: UsedTokens
) -> None:
    assert replay.is_first_use(first, NOW_SECONDS - 1)
    assert replay.is_first_use(second, NOW_SECONDS) is expected, reason


def test_first_use_after_restart_is_remembered(state_file: Path) -> None:
    UsedTokens(f"sqlite:///{state_file}").is_first_use(use(), NOW_SECONDS)

    assert not UsedTokens(f"sqlite:///{state_file}").is_first_use(use(), NOW_SECONDS)


def test_first_use_of_one_token_by_many_threads_is_granted_once(replay: UsedTokens) -> None:
    barrier = threading.Barrier(16)

    def ask(_: int) -> bool:
        barrier.wait()
        return replay.is_first_use(use(), NOW_SECONDS)

    with ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(ask, range(16))) == 1


DATABASES_IN_RACE, TOKENS_IN_RACE, WORKERS_IN_RACE = 8, 40, 4


def race(urls: list[str], barrier: threading.Barrier, granted: multiprocessing.Queue[int]) -> None:
    count = 0
    for url in urls:
        store = UsedTokens(url)
        barrier.wait(timeout=30)
        count += sum(store.is_first_use(use(f"t-{number}"), NOW_SECONDS) for number in range(TOKENS_IN_RACE))
        store.close()
    granted.put(count)


def granted_in_race(urls: list[str]) -> int:
    """Let some processes ask each database for the same tokens at once; give how often one was granted."""
    context = multiprocessing.get_context("spawn")
    barrier, granted = context.Barrier(WORKERS_IN_RACE), context.Queue()
    workers = [context.Process(target=race, args=(urls, barrier, granted)) for _ in range(WORKERS_IN_RACE)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(timeout=60)

    assert [worker.exitcode for worker in workers] == [0] * WORKERS_IN_RACE
    return sum(granted.get(timeout=1) for _ in workers)


def test_first_use_raced_by_processes_is_granted_once(tmp_path: Path) -> None:
    """No database exists yet: the workers also race to create each of them."""
    urls = [f"sqlite:///{tmp_path / str(number)}.db" for number in range(DATABASES_IN_RACE)]

    assert granted_in_race(urls) == DATABASES_IN_RACE * TOKENS_IN_RACE


def test_first_use_after_fork_is_shared_with_parent(replay: UsedTokens) -> None:
    replay.is_first_use(use(), NOW_SECONDS)
    child = os.fork()
    if child == 0:
        with patch.object(SQLiteFile, "connect", autospec=True, side_effect=SQLiteFile.connect) as opened:
            known = not replay.is_first_use(use(), NOW_SECONDS) and replay.is_first_use(use("t-2"), NOW_SECONDS)
        # A connection that parent and child both use would mix up their answers.
        os._exit(0 if known and opened.called else 1)

    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert not replay.is_first_use(use("t-2"), NOW_SECONDS)


def test_first_use_database_that_another_worker_creates_meanwhile_is_waited_for(
    replay: UsedTokens, state_file: Path
) -> None:
    """SQLite refuses at once to switch to its write-ahead log while another connection writes."""
    other = sqlite3.connect(state_file, isolation_level=None, check_same_thread=False)
    other.execute("CREATE TABLE a (b)")
    other.execute("BEGIN IMMEDIATE")
    release = threading.Timer(0.2, other.close)
    release.start()

    assert replay.is_first_use(use(), NOW_SECONDS)
    release.join()


def test_first_use_table_created_by_another_worker_meanwhile_is_used(replay: UsedTokens) -> None:
    """PostgreSQL 15 answers so when two workers create one table in the same moment."""
    refusals = iter([sqlite3.IntegrityError("duplicate key value in pg_type")])
    asked = database._asked

    def refuse_once(connection: Any, statement: str, parameters: Mapping[str, object]) -> Any:
        if "CREATE TABLE" in statement and (refusal := next(refusals, None)):
            raise refusal
        return asked(connection, statement, parameters)

    with patch.object(database, "_asked", refuse_once):
        assert replay.is_first_use(use(), NOW_SECONDS)
    assert next(refusals, None) is None


def rows(state_file: Path) -> int:
    connection = sqlite3.connect(state_file)
    try:
        count: int = connection.execute("SELECT count(*) FROM used_token").fetchone()[0]
        return count
    finally:
        connection.close()


def test_first_use_expired_rows_are_deleted(replay: UsedTokens, state_file: Path) -> None:
    for number in range(1, 1600):
        replay.is_first_use(use(f"t-{number}", until=NOW_SECONDS + number), NOW_SECONDS + number)

    assert rows(state_file) < 600


def test_first_use_live_rows_stay(replay: UsedTokens, state_file: Path) -> None:
    for number in range(600):
        replay.is_first_use(use(f"t-{number}"), NOW_SECONDS)

    assert rows(state_file) == 600
