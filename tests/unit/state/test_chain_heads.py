"""The chain head outside the log: stored, never going back, and asked for without creating anything."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from cds_service.audit.chain import ChainHead
from cds_service.errors import StateUnavailableError
from cds_service.state.chain_heads import HeadKeeper, kept_head

if TYPE_CHECKING:
    from pathlib import Path

HEAD = ChainHead("audit-000000000001-2026-03-09.jsonl", 17, "ab" * 32)


def state_url(directory: Path) -> str:
    return f"sqlite:///{directory / 'state.db'}"


def test_kept_head_is_the_one_with_the_greatest_number(tmp_path: Path) -> None:
    keeper = HeadKeeper(state_url(tmp_path), tmp_path / "audit")
    for sequence in (17, 20, 18):
        keeper.keep(HEAD._replace(sequence=sequence))

    assert kept_head(state_url(tmp_path), tmp_path / "audit") == HEAD._replace(sequence=20)


def test_kept_head_same_number_later_link_counts(tmp_path: Path) -> None:
    # A record that was cut short on the disk and sealed in its place.
    keeper = HeadKeeper(state_url(tmp_path), tmp_path / "audit")
    keeper.keep(HEAD)
    keeper.keep(HEAD._replace(link="cd" * 32))

    assert kept_head(state_url(tmp_path), tmp_path / "audit") == HEAD._replace(link="cd" * 32)


def test_kept_head_belongs_to_one_directory(tmp_path: Path) -> None:
    HeadKeeper(state_url(tmp_path), tmp_path / "audit").keep(HEAD)

    assert kept_head(state_url(tmp_path), tmp_path / "other") is None


def test_kept_head_without_state_store_creates_none(tmp_path: Path) -> None:
    assert kept_head(state_url(tmp_path), tmp_path / "audit") is None
    assert not list(tmp_path.iterdir())


def test_kept_head_state_store_without_its_table_has_none(tmp_path: Path) -> None:
    (tmp_path / "state.db").touch()

    assert kept_head(state_url(tmp_path), tmp_path / "audit") is None


def test_kept_head_unreadable_state_store_is_no_missing_head(tmp_path: Path) -> None:
    (tmp_path / "state.db").write_bytes(b"this is no database" * 100)

    with pytest.raises(StateUnavailableError):
        kept_head(state_url(tmp_path), tmp_path / "audit")


def test_keep_logs_the_head_and_survives_a_broken_state_store(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    (tmp_path / "state.db").touch(mode=0o600)
    (tmp_path / "state.db").write_bytes(b"this is no database" * 100)
    HeadKeeper(state_url(tmp_path), tmp_path / "audit").keep(HEAD)

    assert [(record.levelname, record.getMessage().partition(":")[0]) for record in caplog.records] == [
        ("INFO", "audit chain head"),
        ("WARNING", "audit chain head is not stored"),
    ]
    assert vars(caplog.records[0])["fields"] == HEAD._asdict()
