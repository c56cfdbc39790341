"""A short form of `python -m tests.endurance.audit_crashes`: workers and servers are killed while hooks arrive."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.endurance.audit_crashes import Endurance, Orders

if TYPE_CHECKING:
    from pathlib import Path


def test_hooks_while_workers_and_servers_are_killed_have_one_record_each(tmp_path: Path) -> None:
    result = Endurance(Orders(hooks=400, connections=8, seed=20260313), tmp_path).run()

    assert result.answered >= 400
    assert (result.lost, result.doubled, result.unlimited) == ([], [], [])
    assert result.recorded_unanswered <= result.unanswered
    assert result.killed_servers > 0
    assert result.killed_workers > 0
    assert result.verifications == result.starts > 1
