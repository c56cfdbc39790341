"""Recomputing recorded decisions with today's code and tables: the regression test of an upgrade.

Each decision is recomputed as of its own moment and under the limits that were in force then, from what its record
keeps of the chart. So what differs is what the code or the mapping tables changed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from cds_service.audit.building import DATA_UNAVAILABLE
from cds_service.audit.chart_keeping import OLDEST_AGE
from cds_service.audit.chart_restoring import PATIENT_ID, LaboratoryNotKeptError, restore_chart
from cds_service.audit.decoding import UNREADABLE
from cds_service.audit.entries import verdict_members
from cds_service.audit.policies import UnknownLimitError, decode_policy
from cds_service.audit.records import REFUSED, ConfigurationRecord, DecisionRecord
from cds_service.clinical.policy import ClinicalPolicy
from cds_service.decision.flow import decide_chart

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from cds_service.audit.reading import Entry
    from cds_service.decision.flow import Decision
    from cds_service.decision.site import Site

# What makes one decision another one. Reasons are compared without their order.
_COMPARED: Final = ("outcome", "sii", "basis", "sample_time", "relation", "days_from_procedure")
# The patient would be eligible now, and blood counts were not looked at then: they are not in the record.
ELIGIBLE_NOW: Final = "eligible-now"


@dataclass(frozen=True, slots=True)
class Compared:
    """What of a decision is compared. `sii` in 10*9/L; None, like `sample_time`, where there is none."""

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
    then: Compared
    now: Compared | None
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


NO_VALUES: Final = "values are not kept"
TOO_LARGE: Final = "the chart was too large to be kept"
NO_LIMITS: Final = "the limits in force then are not in the log"
AGE_NOT_KEPT: Final = f"ages are kept up to {OLDEST_AGE}, and the limit is above"
NO_DECISION: Final = "required data could not be had, so nothing was decided"
OTHER_SERVICE: Final = "decided by a service that this version does not have"
UNKNOWN_LIMIT: Final = "the limits in force then hold one that this version does not know"


def replay(
    entries: Iterable[Entry], sites: Mapping[str, Site], *, current_limits: bool = False
) -> Iterator[Recomputed | NotRecomputed | Unread]:
    """Yield what became of every decision of a hook call or a view, in the order of the log.

    `sites` hold the rule and today's mapping tables of each service by its id; their limits are replaced by the
    recorded ones, unless `current_limits` asks what they would change. `entries` must begin where the log does, for
    the limits stand before the decisions made under them.
    """
    under = Limits(sites)
    for entry in entries:
        record = entry.record
        if record is None:
            yield Unread(entry.file, entry.line)
        elif isinstance(record, ConfigurationRecord):
            try:
                under.learn(record)
            except (*UNREADABLE, KeyError, OSError):
                yield Unread(entry.file, entry.line)
        elif isinstance(record, DecisionRecord):
            limits = sites[record.service] if current_limits and record.service in sites else under.of(record)
            why = why_not(record) or (limits if isinstance(limits, str) else "")
            if why or isinstance(limits, str):
                yield NotRecomputed(entry.sequence, why)
            else:
                yield _recompute(entry, record, limits)


class Limits:
    """The limits of every service and configuration that the log has told so far."""

    def __init__(self, sites: Mapping[str, Site]) -> None:
        self._sites = sites
        self._known: dict[tuple[str, str], Site | str] = {}

    def learn(self, record: ConfigurationRecord) -> None:
        """Keep the limits of a configuration record. Raises what `decode_policy` does for one that holds none."""
        site = self._sites.get(record.service)
        if site is None:
            return
        try:
            limits: Site | str = replace(site, policy=decode_policy(bytes(record.policy), ClinicalPolicy))
        except UnknownLimitError as error:
            limits = f"{UNKNOWN_LIMIT}: {error}"
        self._known[record.service, record.configuration] = limits

    def of(self, record: DecisionRecord) -> Site | str:
        """Return the site as it was when a decision was made; else why nobody can tell."""
        if record.service not in self._sites:
            return f"{OTHER_SERVICE}: {record.service}"
        return self._known.get((record.service, record.configuration), NO_LIMITS)


def why_not(record: DecisionRecord) -> str:
    """Say why a record cannot be recomputed whatever the limits were; empty when it can."""
    if record.outcome in (DATA_UNAVAILABLE, REFUSED):
        return NO_DECISION
    if not bytes(record.chart):
        return TOO_LARGE if record.chart_too_large else NO_VALUES
    return ""


def _recompute(entry: Entry, record: DecisionRecord, site: Site) -> Recomputed | NotRecomputed | Unread:
    try:
        decision = redecide(record, site)
    except UNREADABLE:
        return Unread(entry.file, entry.line)
    except LaboratoryNotKeptError:
        members: dict[str, Any] = {"outcome": ELIGIBLE_NOW}
    else:
        if decision is None:
            return NotRecomputed(entry.sequence, AGE_NOT_KEPT)
        members = verdict_members(decision.assessment, keep_values=False)
    changed, now = _changes(record, members)
    then = _verdict_then(record)
    return Recomputed(entry.sequence, record.time, record.request_id, then, now if changed else None, changed)


def redecide(record: DecisionRecord, site: Site) -> Decision | None:
    """Decide anew from what a record keeps of the chart, as of its own moment; None where the age it needs is not kept.

    Raises one of UNREADABLE for a chart that cannot be read, LaboratoryNotKeptError where blood counts were not looked
    at then and would be now.
    """
    today = record.time.astimezone(site.policy.timezone).date()
    chart = restore_chart(bytes(record.chart), today)
    if chart.age_is_capped and site.policy.minimum_age > OLDEST_AGE:
        return None
    return decide_chart(chart, PATIENT_ID, site, record.time)


def differs(record: DecisionRecord, decision: Decision) -> bool:
    """Tell whether a decision made anew is another one than the recorded one."""
    return bool(_changes(record, verdict_members(decision.assessment, keep_values=False))[0])


def _changes(record: DecisionRecord, members: dict[str, Any]) -> tuple[tuple[str, ...], Compared]:
    """Name what differs, and say how it came out now."""
    now = _verdict_now(members)
    changed = tuple(name for name in _COMPARED if getattr(record, name) != members.get(name))
    return (changed if sorted(record.reasons) == sorted(now.reasons) else (*changed, "reasons")), now


def _verdict_then(record: DecisionRecord) -> Compared:
    return Compared(record.outcome, record.sii, record.sample_time, record.reasons)


def _verdict_now(members: dict[str, Any]) -> Compared:
    reasons = tuple(map(str, members.get("reasons", ())))
    return Compared(members["outcome"], members.get("sii"), members.get("sample_time"), reasons)
