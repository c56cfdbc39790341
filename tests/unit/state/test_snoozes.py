"""What the state store remembers of shown and snoozed cards, and that an acceptance ends a snooze for good."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING
from unittest.mock import patch

import pytest

from cds_service.errors import StateUnavailableError
from cds_service.state.database import StateStore
from cds_service.state.snoozes import SnoozeStore

if TYPE_CHECKING:
    from pathlib import Path


def test_snooze_store_forgets_what_is_over(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'state.db'}"
    with closing(SnoozeStore(url)) as store:
        store.note_shown(b"old", b"patient", "500", now=0, expires=10)
        store.snooze(b"old", now=5, until=10)
    with closing(SnoozeStore(url)) as store:
        store.note_shown(b"new", b"patient", "500", now=10, expires=20)

    with closing(sqlite3.connect(tmp_path / "state.db")) as database:
        assert database.execute("SELECT card_hash FROM shown_card").fetchall() == [(b"new",)]
        assert database.execute("SELECT * FROM snoozed_card").fetchall() == []


def test_snooze_store_accepted_card_snoozes_nothing_whatever_the_clocks_say(tmp_path: Path) -> None:
    """An override may be written later by a host whose clock is behind."""
    with closing(SnoozeStore(f"sqlite:///{tmp_path / 'state.db'}")) as store:
        store.note_shown(b"card", b"patient", "500", now=100, expires=1000)
        store.wake(b"card", now=200)
        store.snooze(b"card", now=150, until=900)

        assert store.find(b"patient", 201) is None


def test_snooze_store_acceptance_carried_out_by_half_is_carried_out_when_it_comes_again(
    tmp_path: Path,
) -> None:
    with closing(SnoozeStore(f"sqlite:///{tmp_path / 'state.db'}")) as store:
        store.note_shown(b"card", b"patient", "500", now=100, expires=1000)
        store.snooze(b"card", now=150, until=900)
        execute, done = StateStore.execute, list[str]()

        def breaks_between(self: StateStore, statement: str, parameters: dict[str, object]) -> int:
            done.append(statement)
            if len(done) > 1:
                raise StateUnavailableError
            return execute(self, statement, parameters)

        with patch.object(StateStore, "execute", breaks_between), pytest.raises(StateUnavailableError):
            store.wake(b"card", now=200)
        assert store.find(b"patient", 201) is not None
        store.wake(b"card", now=210)

        assert store.find(b"patient", 211) is None
