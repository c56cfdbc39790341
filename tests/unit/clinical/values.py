"""Clinical values to test with: results, draws and procedures, at a site in Shanghai whose clock stands.

The site is eight hours ahead of UTC: at its 2026-03-10 06:00 the day in UTC is still 2026-03-09.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from cds_service.clinical.chart_facts import ProcedureTime
from cds_service.clinical.eligibility import Eligibility
from cds_service.clinical.models import (
    Analyte,
    Basis,
    BloodDraw,
    EffectiveTime,
    ExcludedResult,
    LabResult,
    Origin,
    Quantity,
)
from cds_service.clinical.policy import ClinicalPolicy

if TYPE_CHECKING:
    from cds_service.clinical.reasons import Reason

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 3, 10, 6, 0, tzinfo=ZONE)
TODAY = date(2026, 3, 10)
POLICY = ClinicalPolicy(ZONE)

_UNITS = {Basis.ABSOLUTE: "10*9/L", Basis.PERCENT: "1", Basis.MASS: "g/L"}


def day(ago: int) -> date:
    """Return the calendar day so many days before the site's today."""
    return TODAY - timedelta(days=ago)


def at(when: date | str, clock: str | None = None) -> EffectiveTime:
    """Return a time of the site: the day alone, or the moment by the site's clock."""
    taken = date.fromisoformat(when) if isinstance(when, str) else when
    instant = datetime.combine(taken, time.fromisoformat(clock), ZONE) if clock else None
    return EffectiveTime(taken, instant)


def result(
    analyte: Analyte,
    value: str,
    taken: EffectiveTime,
    *,
    basis: Basis | None = None,
    name: str = "",
    preference: int = 1,
    corrected: bool = False,
    issued: datetime | None = None,
) -> LabResult:
    """Build a usable result, reported in the canonical unit."""
    basis = basis or (Basis.MASS if analyte is Analyte.ALBUMIN else Basis.ABSOLUTE)
    quantity = Quantity(Decimal(value), _UNITS[basis])
    origin = Origin(f"Observation/{name or analyte.value}", "1", "loinc", "777-3", "")
    return LabResult(analyte, basis, preference, quantity, quantity, taken, issued, corrected, origin)


def draw(
    taken: EffectiveTime, values: tuple[str, str, str] = ("210", "6", "1.8"), *problems: Reason, name: str = ""
) -> BloodDraw:
    """Build a complete draw from platelets, neutrophils and lymphocytes; the default SII is 700."""
    platelets, neutrophils, lymphocytes = values
    return BloodDraw(
        neutrophils=result(Analyte.NEUTROPHILS, neutrophils, taken, name=name),
        lymphocytes=result(Analyte.LYMPHOCYTES, lymphocytes, taken, name=name),
        platelets=result(Analyte.PLATELETS, platelets, taken, name=name),
        problems=problems,
    )


def excluded(analyte: Analyte | None, reason: Reason, taken: EffectiveTime | None = None) -> ExcludedResult:
    return ExcludedResult(analyte, reason, "Observation/excluded", "1", taken)


def done(first: EffectiveTime, last: EffectiveTime | None = None) -> ProcedureTime:
    """Build the time of a procedure: one moment or day, or a Period from the first to the last."""
    last = last or first
    return ProcedureTime(first, last, first.isoformat(), last.isoformat())


def dated(*procedures: EffectiveTime | ProcedureTime) -> tuple[ProcedureTime, ...]:
    """Let a moment or a day alone stand for the procedure done then."""
    return tuple(done(time) if isinstance(time, EffectiveTime) else time for time in procedures)


def eligible(*procedures: EffectiveTime | ProcedureTime, undated: int = 0) -> Eligibility:
    """Build the answer for an eligible patient with these procedures, latest end first."""
    return Eligibility(None, dated(*procedures), undated)
