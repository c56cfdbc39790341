"""A made-up hospital, monitored."""

from __future__ import annotations

from datetime import UTC, date, timedelta
from typing import TYPE_CHECKING, Final

from cds_service.audit.records import FIRST_SERVICE, HookRecord
from cds_service.insight.monitor.days import Tallier, Tallies
from cds_service.insight.monitor.monitoring import Monitoring, monitor
from cds_service.insight.monitor.periods import Periods
from cds_service.insight.row import row_of_answer, row_of_record
from tests.support.hospital_log.malfunctions import NONE
from tests.support.hospital_log.simulation import FIRST_DAY, Hospital

if TYPE_CHECKING:
    from tests.support.hospital_log.malfunctions import Malfunction

# The first day never counts as a whole one: 56 are learned from.
BASELINE_DAYS: Final = 57


def simulated_day(number: int) -> date:
    """Return a day of the made-up hospital."""
    return FIRST_DAY + timedelta(days=number)


def simulate(*hospitals: Hospital, days: int) -> Tallies:
    """Add up the first days of some hospitals."""
    tallier = Tallier(FIRST_SERVICE)
    for hospital in hospitals:
        for day in range(days):
            for record, times in hospital.day(day):
                if isinstance(record, HookRecord):
                    tallier.add(row_of_record(record, UTC), times)
                else:
                    tallier.add(row_of_answer(record, UTC), times)
    return tallier.tallies


def periods(days: int, baseline_days: int = BASELINE_DAYS) -> Periods:
    """Judge the days after the baseline."""
    first, last = simulated_day(baseline_days), simulated_day(days - 1)
    return Periods(simulated_day(1), first - timedelta(days=1), first, last, frozenset())


def judge(
    hooks: float,
    seed: int,
    malfunction: Malfunction = NONE,
    *,
    since: int = 10_000,
    judged: int,
    accepted: float = 1.0,
    baseline_days: int = BASELINE_DAYS,
) -> Monitoring:
    """Monitor one hospital; `since` is the day, counted from the first, on which the malfunction begins."""
    days = baseline_days + judged
    tallies = simulate(Hospital(hooks, seed, malfunction, since), days=days)
    return monitor(tallies, periods(days, baseline_days), accepted)
