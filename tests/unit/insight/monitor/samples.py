"""Records and tallies to test the monitor with. Days are those of Tokyo."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from cds_service.audit.records import FIRST_SERVICE, FeedbackRecord, HookRecord, ViewRecord
from cds_service.insight.monitor.days import Tallier, Tallies
from cds_service.insight.sources.audit_log import LogRows

ZONE = ZoneInfo("Asia/Tokyo")
NOON = datetime(2026, 3, 10, 12, 0, tzinfo=ZONE)


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


def tallied(*records: HookRecord | ViewRecord | FeedbackRecord) -> Tallies:
    """Add records up."""
    tallier = Tallier(FIRST_SERVICE)
    for row in LogRows(records, ZONE):
        tallier.add(row)
    return tallier.tallies
