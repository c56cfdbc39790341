"""A token counts once over several hosts: the same promises as in test_replay.py, on a real PostgreSQL server."""

from __future__ import annotations

import multiprocessing
from contextlib import closing
from typing import TYPE_CHECKING

from cds_service.authorization.replay import ReplayStore
from tests.security.forge import NOW_SECONDS
from tests.security.test_replay import TOKENS_IN_RACE, WORKERS_IN_RACE, race, use

if TYPE_CHECKING:
    from tests.support.postgresql import PostgreSQL


def test_first_use_on_postgresql_is_granted_once_and_remembered_by_others(postgresql_url: str) -> None:
    one_host, another = ReplayStore(postgresql_url), ReplayStore(postgresql_url)
    with closing(one_host), closing(another):
        assert one_host.is_first_use(use(), NOW_SECONDS)
        assert not another.is_first_use(use(), NOW_SECONDS)


def test_first_use_on_postgresql_raced_by_processes_is_granted_once(postgresql: PostgreSQL) -> None:
    urls = [postgresql.new_database() for _ in range(2)]
    context = multiprocessing.get_context("spawn")
    barrier, granted = context.Barrier(WORKERS_IN_RACE), context.Queue()
    workers = [context.Process(target=race, args=(urls, barrier, granted)) for _ in range(WORKERS_IN_RACE)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(timeout=60)

    assert [worker.exitcode for worker in workers] == [0] * WORKERS_IN_RACE
    assert sum(granted.get(timeout=1) for _ in workers) == len(urls) * TOKENS_IN_RACE
