"""The limits that replay needs outlive what a log goes through: a start without a disk, and retention.

The clock stands in Auckland, where the day is another one than in UTC.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from cds_service.audit.log import AuditLog
from cds_service.audit.reading import verify_log
from cds_service.cards.options import CardOptions
from cds_service.clinical.policy import ClinicalPolicy
from cds_service.decision.flow import decide
from cds_service.decision.recording import Moment, Recorder
from cds_service.decision.site import Site
from cds_service.errors import AuditUnavailableError
from cds_service.hooks.request import parse_cds_request
from cds_service.services.sii_recurrence_risk import SII_RECURRENCE_RISK as SII
from cds_service.web.metrics import Metrics
from fhir_mappings import load_mappings
from tests.support import charts
from tests.support.recorded import CLIENT, VALUES_KEPT, replayed
from tests.support.strategies import json_text

if TYPE_CHECKING:
    from pathlib import Path

ZONE = ZoneInfo("Pacific/Auckland")
BODY = json_text(charts.hook_request()).encode()
SITE = Site(ClinicalPolicy(ZONE), load_mappings(), CardOptions("https://x.example/"), "active", "a", SII)
# SII of the chart is 711.7: above the published cut-off, not above this one.
STRICTER = replace(SITE, policy=ClinicalPolicy(ZONE, cutoff=Decimal(800)), configuration_hash="b")


class Worker:
    """One process of the service, on a log of three days."""

    def __init__(self, directory: Path, site: Site = SITE, rotate_bytes: int = 1 << 30) -> None:
        self.now = charts.NOW.astimezone(ZONE)
        self.site = site
        log = AuditLog(directory, key=None, clock=self.clock, rotate_bytes=rotate_bytes, retention_days=2)
        self.recorder = Recorder(log, site, VALUES_KEPT, Metrics().audit)
        self.recorder.begin(self.now)

    def clock(self) -> datetime:
        return self.now

    def answer(self, name: str, days: int = 0) -> None:
        self.now = charts.NOW.astimezone(ZONE) + timedelta(days=days)
        request = parse_cds_request(BODY)
        decision = decide(request, CLIENT, self.site, self.now)
        self.recorder.record_decision(request, CLIENT, decision, (), "none", Moment(name, self.now, {}))


def outcomes(directory: Path) -> dict[str, str]:
    """What each decision was, all of which come out alike again under the limits of their time."""
    recomputed, not_recomputed = replayed(directory, SITE)
    assert not_recomputed == []
    assert [one for one in recomputed if one.now is not None] == []
    assert verify_log(directory).broken is None
    return {one.request_id: one.then.outcome for one in recomputed}


def test_replay_of_a_log_that_could_not_be_written_at_start_knows_the_limits(tmp_path: Path) -> None:
    (tmp_path / "audit").write_text("The volume is mounted late.")
    worker = Worker(tmp_path / "audit")
    with pytest.raises(AuditUnavailableError):
        worker.answer("refused")
    (tmp_path / "audit").unlink()
    (tmp_path / "audit").mkdir()
    worker.answer("recorded")

    assert outcomes(tmp_path / "audit") == {"recorded": "above-cutoff"}


def test_replay_of_a_service_that_ran_longer_than_its_records_are_kept_knows_the_limits(tmp_path: Path) -> None:
    worker = Worker(tmp_path)
    for day in range(6):
        worker.answer(f"day-{day}", day)

    # A day over its time condemns a file, the next one removes it.
    assert list(outcomes(tmp_path)) == ["day-1", "day-2", "day-3", "day-4", "day-5"]


def test_replay_knows_the_limits_of_each_worker_when_one_of_them_begins_the_file(tmp_path: Path) -> None:
    """A reload goes round the workers while files are begun and removed."""
    old, new = Worker(tmp_path), Worker(tmp_path, STRICTER)
    for day in range(6):
        for worker in (old, new) if day % 2 else (new, old):
            worker.answer(f"{worker.site.configuration_hash}-{day}", day)

    assert outcomes(tmp_path) == {
        f"{name}-{day}": outcome
        for day in range(1, 6)
        for name, outcome in (("a", "above-cutoff"), ("b", "not-above-cutoff"))
    }


def test_replay_knows_the_limits_in_every_file_of_a_full_log(tmp_path: Path) -> None:
    worker = Worker(tmp_path, rotate_bytes=1)
    for number in range(4):
        worker.answer(str(number))
    files = sorted(tmp_path.glob("*.jsonl"))
    for path in files[:-1]:
        path.unlink()

    recomputed, not_recomputed = replayed(tmp_path, SITE)
    assert len(files) > 4
    assert ([one.request_id for one in recomputed], not_recomputed) == (["3"], [])
