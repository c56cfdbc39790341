"""What lies on the disk is for its owner alone: the database, the files beside it, the key."""

from __future__ import annotations

import multiprocessing
import os
import sqlite3
import stat
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from cds_service.state import sqlite_file
from cds_service.state.installation_key import InstallationKey, key_file
from cds_service.state.used_tokens import UsedTokens
from tests.security.test_replay import use

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def modes(folder: Path) -> dict[str, int]:
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}


@pytest.fixture
def no_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.usefixtures("no_umask")
@pytest.mark.parametrize(
    ("mode_before", "reason"),
    [(None, "a new installation"), (0o644, "made by an earlier version"), (0o660, "a volume with a group of its own")],
)
def test_state_store_is_readable_by_its_owner_alone(tmp_path: Path, mode_before: int | None, reason: str) -> None:
    if mode_before is not None:
        (tmp_path / "state.db").touch(mode=mode_before)
    with closing(UsedTokens(f"sqlite:///{tmp_path / 'state.db'}")) as tokens:
        tokens.is_first_use(use(), 0)

        assert modes(tmp_path) == dict.fromkeys(("state.db", "state.db-wal", "state.db-shm"), 0o600), reason


@pytest.mark.usefixtures("no_umask")
def test_state_store_files_beside_the_database_are_closed_to_others_too(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A service of an earlier version ended without closing: the write-ahead log holds what was written last."""
    for name in ("state.db", "state.db-wal"):
        (tmp_path / name).touch(mode=0o644)
    sqlite_file.keep_for_owner(tmp_path / "state.db")

    assert set(modes(tmp_path).values()) == {0o600}
    assert "state.db-wal could be read by others (mode 0644)" in caplog.text


def test_state_store_created_beside_an_open_connection_keeps_its_locks(tmp_path: Path) -> None:
    """A handle opened and closed by the same process would take the lock of the open transaction off the file."""
    path = tmp_path / "state.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as writer:
        writer.execute("CREATE TABLE t (x)")
        writer.execute("BEGIN IMMEDIATE")
        sqlite_file.keep_for_owner(path)
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as other:
            assert not other.submit(can_write, path).result()


def can_write(path: Path) -> bool:
    with closing(sqlite3.connect(path, isolation_level=None, timeout=0)) as connection:
        try:
            connection.execute("INSERT INTO t VALUES (1)")
        except sqlite3.OperationalError:
            return False
    return True


@pytest.mark.usefixtures("no_umask")
def test_installation_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'state.db'}"
    first, second = InstallationKey(url)(), InstallationKey(url)()

    assert first == second == key_file(tmp_path / "state.db").read_bytes()
    assert len(first) == 32
    assert modes(tmp_path) == {"state.db.key": 0o600}


def test_installation_key_of_workers_that_start_together_is_one(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'state.db'}"
    with ThreadPoolExecutor(8) as workers:
        keys = set(workers.map(lambda _: InstallationKey(url)(), range(32)))

    assert len(keys) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["state.db.key"]


def test_installation_key_on_postgresql_is_one_for_all_hosts(postgresql_url: str) -> None:
    with closing(InstallationKey(postgresql_url)) as one, closing(InstallationKey(postgresql_url)) as other:
        assert one() == other()
        assert len(one()) == 32
