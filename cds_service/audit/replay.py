"""Recomputing recorded decisions with today's code and tables: the regression test of an upgrade.

Each decision is recomputed as of its own moment and under the limits that were in force then, from what its record
keeps of the chart. So what differs is what the code or the mapping tables changed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from cds_service.audit.building import DATA_UNAVAILABLE
from cds_service.audit.chart_keeping import OLDEST_AGE
from cds_service.audit.chart_restoring import PATIENT_ID, LaboratoryNotKeptError, restore_chart
from cds_service.audit.decoding import UNREADABLE
from cds_service.audit.entries import verdict_members
from cds_service.audit.records import ConfigurationRecord, HookRecord
from cds_service.clinical.policy import ClinicalPolicy
from cds_service.services.decision import decide_chart

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from cds_service.audit.reading import Entry
    from cds_service.services.site import Site

# What makes one decision another one. Reasons are compared without their order.
_COMPARED: Final = ("outcome", "sii", "basis", "sample_time", "relation", "days_from_procedure")
# The patient would be eligible now, and blood counts were not looked at then: they are not in the record.
ELIGIBLE_NOW: Final = "eligible-now"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a decision says. `sii` in 10*9/L; None, like `sample_time`, where there is none."""

    outcome: str
    sii: str | None
    sample_time: str | None
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Recomputed:
    """A decision that was recomputed. `now` is None when it came out as recorded; else `changed` names what differs."""

    sequence: int
    time: datetime
    request_id: str
    then: Verdict
    now: Verdict | None
    changed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NotRecomputed:
    """A record that cannot be recomputed, and why."""

    sequence: int
    why: str


@dataclass(frozen=True, slots=True)
class Unread:
    """A line of the log that cannot be read."""

    file: str
    line: int


# Of a configuration; more is refused there, too.
_MOST_DAYS: Final = 3650

NO_VALUES: Final = "values are not kept"
TOO_LARGE: Final = "the chart was too large to be kept"
NO_LIMITS: Final = "the limits in force then are not in the log"
AGE_NOT_KEPT: Final = f"ages are kept up to {OLDEST_AGE}, and the limit is above"
NO_DECISION: Final = "required data could not be had, so nothing was decided"


def replay(
    entries: Iterable[Entry], site: Site, *, current_limits: bool = False
) -> Iterator[Recomputed | NotRecomputed | Unread]:
    """Yield what became of every hook record, in the order of the log.

    `site` gives today's mapping tables; its limits are replaced by the recorded ones, unless `current_limits` asks
    what they would change. `entries` must begin where the log does, for the limits stand before the decisions made
    under them.
    """
    sites: dict[str, Site] = {}
    for entry in entries:
        record = entry.record
        if record is None:
            yield Unread(entry.file, entry.line)
        elif isinstance(record, ConfigurationRecord):
            try:
                sites[record.configuration] = replace(site, policy=policy_of(record))
            except (*UNREADABLE, KeyError, OSError):
                yield Unread(entry.file, entry.line)
        elif isinstance(record, HookRecord):
            under = site if current_limits else sites.get(record.configuration)
            why_not = _why_not(record, under)
            if why_not or under is None:
                yield NotRecomputed(entry.sequence, why_not)
            else:
                yield _recompute(entry, record, under)


def policy_of(record: ConfigurationRecord) -> ClinicalPolicy:
    """Return the limits of a configuration record as the rule reads them.

    Raises one of UNREADABLE, or KeyError or OSError for the zone, where the record holds what no configuration can.
    """
    cutoff = Decimal(record.cutoff)
    days = (
        record.post_procedure_exclusion_days,
        record.baseline_window_days,
        record.max_age_days,
        record.albumin_window_days,
    )
    if not cutoff.is_finite() or not all(0 <= number <= _MOST_DAYS for number in days):
        raise ValueError("limits of no configuration")
    return ClinicalPolicy(
        timezone=ZoneInfo(record.timezone),
        cutoff=cutoff,
        cutoff_source=record.cutoff_source,
        eligibility_required=record.eligibility_required,
        minimum_age=record.minimum_age,
        post_procedure_exclusion_days=record.post_procedure_exclusion_days,
        baseline_window_days=record.baseline_window_days,
        max_age_days=record.max_age_days,
        same_draw=timedelta(minutes=record.same_draw_minutes),
        albumin_window_days=record.albumin_window_days,
        accepted_statuses=frozenset(record.accepted_statuses),
    )


def _why_not(record: HookRecord, site: Site | None) -> str:
    """Say why a record cannot be recomputed whatever its chart says; empty when it can."""
    if record.outcome == DATA_UNAVAILABLE:
        return NO_DECISION
    if not bytes(record.chart):
        return TOO_LARGE if record.chart_too_large else NO_VALUES
    return NO_LIMITS if site is None else ""


def _recompute(entry: Entry, record: HookRecord, site: Site) -> Recomputed | NotRecomputed | Unread:
    today = record.time.astimezone(site.policy.timezone).date()
    try:
        chart = restore_chart(bytes(record.chart), today)
    except UNREADABLE:
        return Unread(entry.file, entry.line)
    if chart.age_is_capped and site.policy.minimum_age > OLDEST_AGE:
        return NotRecomputed(entry.sequence, AGE_NOT_KEPT)
    try:
        decision = decide_chart(chart, PATIENT_ID, site, record.time)
    except LaboratoryNotKeptError:
        members: dict[str, Any] = {"outcome": ELIGIBLE_NOW}
    else:
        members = verdict_members(decision.assessment, keep_values=False)
    then, now = _verdict_then(record), _verdict_now(members)
    changed = [name for name in _COMPARED if getattr(record, name) != members.get(name)]
    if sorted(then.reasons) != sorted(now.reasons):
        changed.append("reasons")
    return Recomputed(entry.sequence, record.time, record.request_id, then, now if changed else None, tuple(changed))


def _verdict_then(record: HookRecord) -> Verdict:
    return Verdict(record.outcome, record.sii, record.sample_time, record.reasons)


def _verdict_now(members: dict[str, Any]) -> Verdict:
    reasons = tuple(map(str, members.get("reasons", ())))
    return Verdict(members["outcome"], members.get("sii"), members.get("sample_time"), reasons)
