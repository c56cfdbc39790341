"""Records and tallies to test the monitor with. Days are those of Tokyo."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from cds_service.audit.records import FeedbackRecord, HookRecord
from cds_service.monitor.monitoring import Monitoring, monitor
from cds_service.monitor.periods import Periods
from cds_service.monitor.reading import Tallier, Tallies
from tests.support.hospital_log.malfunctions import NONE, Malfunction
from tests.support.hospital_log.simulation import FIRST_DAY, Hospital

ZONE = ZoneInfo("Asia/Tokyo")
NOON = datetime(2026, 3, 10, 12, 0, tzinfo=ZONE)
BASELINE = 57


def hook(outcome: str = "not-above-cutoff", **changes: Any) -> HookRecord:
    """Build a hook record of patient p1 at noon in Tokyo."""
    members: dict[str, Any] = {
        "time": NOON.astimezone(UTC),
        "request_id": "r",
        "hook_instance": "h",
        "client": "main-ehr",
        "user": "Practitioner/p",
        "patient": "p1",
        "mode": "active",
        "rule_version": "1.0.0",
        "mapping_version": "2026-01",
        "configuration": "0123456789ab",
        "timezone": "Asia/Tokyo",
        "timings_ms": {"decide": 3.0},
    }
    return HookRecord(outcome=outcome, **{**members, **changes})


def feedback(outcome: str = "overridden", **changes: Any) -> FeedbackRecord:
    """Build a feedback record at noon in Tokyo."""
    members: dict[str, Any] = {
        "time": NOON.astimezone(UTC),
        "request_id": "f",
        "client": "main-ehr",
        "card": "c",
        "outcome_time": NOON,
    }
    return FeedbackRecord(outcome=outcome, **{**members, **changes})


def tallied(*records: HookRecord | FeedbackRecord) -> Tallies:
    """Add records up."""
    tallier = Tallier(ZONE)
    for record in records:
        tallier.add(record)
    return tallier.tallies


def simulate(*hospitals: Hospital, days: int) -> Tallies:
    """Add up the first days of some hospitals."""
    tallier = Tallier(UTC)
    for hospital in hospitals:
        for day in range(days):
            for record, times in hospital.day(day):
                tallier.add(record, times)
    return tallier.tallies


def simulated_day(number: int) -> date:
    """Return the day of the made-up hospital."""
    return FIRST_DAY + timedelta(days=number)


def periods(days: int) -> Periods:
    """Judge the days after the first eight weeks, which are the baseline; the very first day is never whole."""
    return Periods(
        simulated_day(1), simulated_day(BASELINE - 1), simulated_day(BASELINE), simulated_day(days - 1), frozenset()
    )


def judged(
    malfunction: Malfunction = NONE, *, hooks: float = 400, seed: int = 1, since: int = 66, days: int = 85
) -> Monitoring:
    """Monitor a hospital whose malfunction begins on a day."""
    return monitor(simulate(Hospital(hooks, seed, malfunction, since), days=days), periods(days), 1.0)
