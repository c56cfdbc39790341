"""A token that was remembered counts, whatever becomes of the rows of older ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cds_service.authorization.token import TokenUse
from cds_service.errors import StateUnavailableError
from cds_service.state.database import StateStore
from cds_service.state.used_tokens import UsedTokens

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pytest

NOW = 1_796_083_200.0


def test_cleaning_that_fails_refuses_no_token_that_was_just_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute = StateStore.execute
    failed = []

    def failing_to_delete(store: StateStore, statement: str, parameters: Mapping[str, object]) -> int:
        if statement.startswith("DELETE"):
            failed.append(statement)
            raise StateUnavailableError
        return execute(store, statement, parameters)

    monkeypatch.setattr(StateStore, "execute", failing_to_delete)
    used = UsedTokens(f"sqlite:///{tmp_path}/state.db")
    uses = [TokenUse("https://ehr.hospital.example", f"id-{number}", NOW + 300) for number in range(501)]

    assert all(used.is_first_use(use, NOW) for use in uses)
    assert failed, "rows of older tokens were to be deleted meanwhile"
    assert not any(used.is_first_use(use, NOW) for use in uses[:10])
    used.close()
