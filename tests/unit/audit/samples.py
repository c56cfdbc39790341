"""Assessments, records and logs to test with. The clock stands in Tokyo, where the day is another one than in UTC."""

from __future__ import annotations

import os
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from cds_service.audit.building import DecisionContext, DecisionFacts, build_hook_record
from cds_service.audit.log import AuditLog
from cds_service.audit.reading import verify_log
from cds_service.audit.records import FeedbackRecord, HookRecord
from cds_service.clinical.assessment import assess
from cds_service.clinical.chart_facts import ConditionFact, ProcedureFact
from cds_service.clinical.eligibility import Eligibility
from cds_service.clinical.models import (
    Analyte,
    Basis,
    BloodCounts,
    BloodDraw,
    EffectiveTime,
    ExcludedResult,
    LabResult,
    Origin,
    Quantity,
)
from cds_service.clinical.policy import ClinicalPolicy
from cds_service.clinical.reasons import Reason
from cds_service.clinical.sii import compute_sii
from tests.unit.clinical.values import done

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cds_service.audit.chain import ChainHead
    from cds_service.audit.verification import Verification
    from cds_service.clinical.outcomes import Assessment

ZONE = ZoneInfo("Asia/Tokyo")
NOW = datetime(2026, 3, 10, 0, 30, tzinfo=ZONE)
KEY = bytes(range(32))
OTHER_KEY = b"another key of the site, 32 bytes"
POLICY = ClinicalPolicy(timezone=ZONE)
CARD = "3f0c8c9e-8a43-4f0e-9b3c-1f6f5a1f6a10"


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, days: float) -> None:
        self.now += timedelta(days=days)


def result(analyte: Analyte, value: str, *, day: date, unit: str = "10*9/L", code: str = "777-3") -> LabResult:
    """Build a usable result, reported as it is counted."""
    quantity = Quantity(Decimal(value), unit)
    basis = Basis.MASS if analyte is Analyte.ALBUMIN else Basis.ABSOLUTE
    taken = datetime(day.year, day.month, day.day, 7, 15, tzinfo=ZONE)
    origin = Origin(f"Observation/{analyte}-{day}", "3", "http://loinc.org", code, f"Specimen/{day}")
    return LabResult(analyte, basis, 1, quantity, quantity, EffectiveTime(day, taken), taken, False, origin)


def draw(
    day: date,
    platelets: str = "179.22",
    neutrophils: str = "0.70",
    lymphocytes: str = "0.25",
    problems: tuple[Reason, ...] = (),
) -> BloodDraw:
    """Build a complete draw; the default SII is 501.816 (means of the study's recurrence group, Yu 2023)."""
    return BloodDraw(
        neutrophils=result(Analyte.NEUTROPHILS, neutrophils, day=day, code="751-8"),
        lymphocytes=result(Analyte.LYMPHOCYTES, lymphocytes, day=day, code="731-0"),
        platelets=result(Analyte.PLATELETS, platelets, day=day),
        problems=problems,
    )


PROCEDURE_DAY = date(2026, 1, 5)
PERFORMED = done(EffectiveTime(PROCEDURE_DAY, None))
PROCEDURE = ProcedureFact("ablation", "Procedure/abl", "8", "609232008", PERFORMED)
CANCER = ConditionFact("primary", "Condition/hcc", "7", "C22.0", False, date(2025, 12, 1))
REFUSED = ExcludedResult(
    Analyte.PLATELETS, Reason.UNIT_UNKNOWN, "Observation/odd", "5", EffectiveTime(PROCEDURE_DAY, None)
)
FACTS = DecisionFacts(conditions=(CANCER,), procedures=(PROCEDURE,), excluded=(REFUSED,))
ELIGIBLE = Eligibility(None, (PERFORMED,), 0)


def assessed(*draws: BloodDraw) -> Assessment:
    """Assess draws of an eligible patient under the default policy; an albumin of the first draw's day comes along."""
    albumin = [result(Analyte.ALBUMIN, "38.4", day=draws[0].effective.day, unit="g/L", code="1751-7")] if draws else []
    return assess(compute_sii, ELIGIBLE, BloodCounts(draws=draws, excluded=(REFUSED,)), albumin, POLICY, NOW)


def context(**changes: Any) -> DecisionContext:
    """Describe a hook call of Practitioner/p for patient p1."""
    members: dict[str, Any] = {
        "service": "sii-recurrence-risk",
        "request_id": "req-1",
        "hook_instance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "client": "main-ehr",
        "user": "Practitioner/p",
        "patient": "p1",
        "encounter": "",
        "now": NOW,
        "mode": "active",
        "rule_version": "1.2.3",
        "mapping_version": "2026-01",
        "configuration": "0123456789ab",
        "keep_values": True,
        "pseudonym_key": None,
    }
    return DecisionContext(**{**members, **changes})


def hook_record(assessment: Assessment | None = None, card: str | None = CARD, **changes: Any) -> HookRecord:
    """Build the record of a hook call; by default of a card shown for a decided patient."""
    verdict = assessment if assessment is not None else assessed(draw(date(2026, 2, 20)))
    return build_hook_record(
        context(**changes),
        verdict,
        FACTS,
        card=card,
        presentation="shown" if card is not None else "none",
        timings_ms={"total": 12.34567},
    )


def feedback_record(card: str = CARD, **changes: Any) -> FeedbackRecord:
    """Build the record of an overridden card."""
    members: dict[str, Any] = {
        "time": NOW.astimezone(ZoneInfo("UTC")),
        "request_id": "req-2",
        "client": "main-ehr",
        "card": card,
        "outcome": "overridden",
        "outcome_time": NOW,
        "reason_code": "residual-disease",
    }
    return FeedbackRecord(**{**members, **changes})


def audit_log(directory: Path, **changes: Any) -> AuditLog:
    """Open a keyed log with a standing clock."""
    options: dict[str, Any] = {"key": KEY, "rotate_bytes": 1_000_000, "clock": Clock()}
    log = AuditLog(directory, **{**options, **changes})
    log.start()
    return log


def files_of(directory: Path) -> list[Path]:
    """List the log files in the order of the chain."""
    return sorted(directory.glob("*.jsonl"))


def text_of(directory: Path) -> str:
    """Return all that the directory holds, as text."""
    return "".join(path.read_text(errors="replace") for path in sorted(directory.iterdir()))


def verified(directory: Path, *keys: bytes) -> Verification:
    """Verify, and return what was found in a log that is whole."""
    found = verify_log(directory, keys or (KEY,))
    assert found.broken is None
    return found


def why_broken(directory: Path, head: ChainHead | None = None) -> str:
    """Verify, and return what is wrong first."""
    found = verify_log(directory, (KEY,), head)
    assert found.broken is not None
    return found.broken.why


def torn_write(after: int, error: int) -> Callable[[int, bytes, int], int]:
    """Make a pwrite of a disk that takes a few more bytes and then none."""
    real, left = os.pwrite, [after]

    def write(descriptor: int, data: bytes, offset: int) -> int:
        if left[0] == 0:
            raise OSError(error, os.strerror(error))
        part = data[: left[0]]
        left[0] -= len(part)
        return real(descriptor, part, offset)

    return write
