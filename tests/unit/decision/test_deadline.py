"""The deadline of a hook holds while it computes: 503, and nothing half recorded."""

from pathlib import Path
from typing import Any

import pytest

from cds_service.acquisition import delivery
from cds_service.decision.checked import Checked
from cds_service.errors import DeadlineError
from tests.conformance.conftest import built
from tests.conformance.outcomes import refused
from tests.support.charts import days_ago, draw, hook_request

CHART = hook_request(*(result for day in range(30, 90) for result in draw(when=days_ago(day))))


class Impatient:
    """Lets so many questions pass, then says that the time is over."""

    def __init__(self, patience: int) -> None:
        self.asked = 0
        self._patience = patience

    def check(self, *_: Any) -> None:
        """Count the question."""
        self.asked += 1
        if self.asked > self._patience:
            raise DeadlineError


def test_sequence_asks_before_every_32_of_its_items() -> None:
    watch = Impatient(2)
    seen: list[int] = []

    with pytest.raises(DeadlineError):
        seen.extend(Checked(range(1_000), watch.check))
    assert (watch.asked, len(Checked([1, 2], watch.check)), Checked([1, 2], watch.check)[1]) == (3, 2, 2)
    assert seen == list(range(64))


@pytest.fixture
def questions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """How often a hook of 180 results asks whether to go on."""
    watch = Impatient(1_000)
    monkeypatch.setattr(delivery.FetchPlan, "check", watch.check)
    assert built(tmp_path / "patient", {}).outcome(CHART) == "above-cutoff"
    return watch.asked


def test_hook_that_is_late_at_any_step_is_503_and_leaves_no_record(
    questions: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = built(tmp_path, {})
    assert questions > 180 // 32 + 4, "between results, and between the steps"
    for patience in range(questions):
        monkeypatch.setattr(delivery.FetchPlan, "check", Impatient(patience).check)

        outcome = refused(service.ask(CHART), 503)
        assert outcome["issue"][0]["code"] == "timeout"
    monkeypatch.setattr(delivery.FetchPlan, "check", Impatient(questions).check)
    assert service.outcome(CHART) == "above-cutoff"

    written = b"".join(file.read_bytes() for file in (tmp_path / "audit").glob("*.jsonl"))
    assert written.count(b'"hook_instance"') == 1


def test_time_of_a_plan_is_over_a_quarter_after_its_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr(delivery, "monotonic", lambda: clock[0])
    plan = delivery.Fetching(None, {}, 2.0, parallel=False).plan()  # type: ignore[arg-type]

    clock[0] = 102.5
    plan.check()
    clock[0] = 102.51
    with pytest.raises(DeadlineError):
        plan.check()


def test_deadline_that_is_too_short_for_any_hook_is_503(tmp_path: Path) -> None:
    refused(built(tmp_path, {"server": {"hook_deadline_seconds": 0.00001}}).ask(CHART), 503)
