"""From audit logs to daily tallies: one pass, in memory that grows with the days, not with the records."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from cds_service.audit.reading import read_records
from cds_service.audit.records import FIRST_SERVICE, FeedbackRecord, HookRecord
from cds_service.insight.monitor.tallies import DayTally

if TYPE_CHECKING:
    from collections.abc import Container, Sequence
    from datetime import date, tzinfo
    from pathlib import Path

    from cds_service.audit.bookkeeping import AnyRecord

# Who was counted is remembered for today and yesterday: processes and hosts write in nearly the same order.
_REMEMBERED: Final = timedelta(days=1)
_NO_TIME: Final = datetime.min.replace(tzinfo=UTC)


class ClientDay(NamedTuple):
    """A client on a day."""

    client: str
    day: date


@dataclass(slots=True)
class Tallies:
    """All days of all clients. `first_day` is the day of the oldest record; lines that cannot be read are counted."""

    days: dict[ClientDay, DayTally] = field(default_factory=dict)
    first_day: date | None = None
    records: int = 0
    unreadable: int = 0

    def of(self, client: str, day: date) -> DayTally:
        """Return the tally of a client on a day, empty where there is no record."""
        return self.days.get(ClientDay(client, day)) or DayTally()

    def forget(self, clients: Container[str]) -> None:
        """Leave some clients out."""
        self.days = {place: tally for place, tally in self.days.items() if place.client not in clients}

    @property
    def clients(self) -> list[str]:
        """Name the clients, in alphabetical order."""
        return sorted({client for client, _ in self.days})


class Tallier:
    """Adds records of one service up that come roughly in the order of time. Days are calendar days in `zone`.

    Hooks and feedback alone are counted: a page of the trend app is opened by hand, and says what its card said.
    """

    def __init__(self, zone: tzinfo, service: str = FIRST_SERVICE) -> None:
        """Begin with nothing."""
        self._service = service
        self.tallies = Tallies()
        self._zone = zone
        self._patients: dict[ClientDay, set[int]] = {}

    def add(self, record: AnyRecord | None, times: int = 1) -> None:
        """Count a record; `times` counts the same hook call repeatedly."""
        self.tallies.records += times
        if record is None:
            self.tallies.unreadable += times
        elif isinstance(record, HookRecord | FeedbackRecord) and record.service == self._service:
            place = ClientDay(record.client, record.time.astimezone(self._zone).date())
            first = self.tallies.first_day
            self.tallies.first_day = place.day if first is None else min(first, place.day)
            tally = self.tallies.days.get(place)
            if tally is None:
                tally = self.tallies.days[place] = DayTally()
            if isinstance(record, HookRecord):
                tally.add_hook(record, place.day, first_today=self._is_first(record, place), times=times)
            else:
                tally.add_feedback(record)

    def _is_first(self, record: HookRecord, place: ClientDay) -> bool:
        if record.outcome == "not-eligible" or record.missing:
            return True
        seen = self._patients.get(place)
        if seen is None:
            self._forget_before(place.day - _REMEMBERED)
            seen = self._patients[place] = set()
        patient = hash(record.patient)
        if patient in seen:
            return False
        seen.add(patient)
        return True

    def _forget_before(self, day: date) -> None:
        for place in [place for place in self._patients if place.day < day]:
            del self._patients[place]


def tally_logs(
    directories: Sequence[Path], zone: tzinfo, since: date | None = None, service: str = FIRST_SERVICE
) -> Tallies:
    """Add up what the logs of some directories, such as those of several hosts, hold of a service from a day on.

    Raises OSError when a directory is missing or cannot be read.
    """
    tallier = Tallier(zone, service)
    # Files are named by the UTC day of their first record, which is at most a day away from the site's.
    opened_since = since - timedelta(days=1) if since is not None else None
    logs = [read_records(directory, opened_since) for directory in directories]
    for record in heapq.merge(*logs, key=_time_of):
        tallier.add(record)
    return tallier.tallies


def _time_of(record: AnyRecord | None) -> datetime:
    return record.time if record is not None else _NO_TIME
