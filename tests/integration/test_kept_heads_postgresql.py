"""The chain head kept on a real PostgreSQL server: for each host its own, and never waited for without end."""

from __future__ import annotations

import platform
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cds_service.audit.chain import ChainHead
from cds_service.errors import StateUnavailableError
from cds_service.state.chain_heads import HeadKeeper, kept_head
from tests.security.key_server import until

if TYPE_CHECKING:
    from tests.support.postgresql import PostgreSQL

HEAD = ChainHead("audit-000000000001-2026-03-09.jsonl", 17, "ab" * 32)
DIRECTORY = Path("/var/lib/sii-cds/audit")


def test_head_on_postgresql_is_kept_for_each_host_and_never_goes_back(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert kept_head(postgresql_url, DIRECTORY) is None
    for host, sequences in (("alpha", (17, 20, 18)), ("beta", (5,))):
        monkeypatch.setattr(platform, "node", lambda host=host: host)
        with closing(HeadKeeper(postgresql_url, DIRECTORY)) as keeper:
            for sequence in sequences:
                keeper.keep(HEAD._replace(sequence=sequence))
        assert kept_head(postgresql_url, DIRECTORY) == HEAD._replace(sequence=max(sequences))


def test_head_on_a_frozen_server_is_given_up(postgresql: PostgreSQL) -> None:
    url = postgresql.new_database()
    with closing(HeadKeeper(url, DIRECTORY)) as keeper:
        keeper.keep(HEAD)
        postgresql.freeze()
        try:
            begun = time.monotonic()
            with pytest.raises(StateUnavailableError):
                kept_head(url, DIRECTORY)
            keeper.keep(HEAD._replace(sequence=18))
            taken = time.monotonic() - begun
        finally:
            postgresql.thaw()
        newest = HEAD._replace(sequence=19)

        def is_kept() -> bool:
            keeper.keep(newest)
            return kept_head(url, DIRECTORY) == newest

        assert until(is_kept), "found again, and what the frozen server does late changes nothing"
    assert taken < 10
