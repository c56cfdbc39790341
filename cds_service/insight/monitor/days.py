"""What each client did each day: one pass over the rows, in memory that grows with the days, not with the rows.

Hooks are counted as they come. Everything about eligible patients counts a patient once a day, by the first hook that
was answered: a chart that is opened ten times is one observation, not ten.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from cds_service.insight.row import NOT_ELIGIBLE, UNAVAILABLE, DecisionRow
from cds_service.insight.sources.audit_log import read_rows
from cds_service.insight.switches import switches
from cds_service.insight.tally import Groups

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Sequence
    from datetime import date, tzinfo
    from pathlib import Path

    from cds_service.insight.row import AnswerRow
    from cds_service.insight.tally import InForce, Tally

# Who was counted is remembered for today and yesterday: processes and hosts write in nearly the same order.
_REMEMBERED: Final = timedelta(days=1)
_NO_REASON: Final = "none given"


class ClientDay(NamedTuple):
    """A client on a day."""

    client: str
    day: date


@dataclass(slots=True)
class Tallies:
    """All days of all clients. `first_day` is the day of the oldest row; lines that cannot be read are counted."""

    days: Groups[ClientDay] = field(default_factory=Groups)
    first_day: date | None = None
    records: int = 0
    unreadable: int = 0

    def of(self, client: str, day: date) -> Tally:
        """Return the tally of a client on a day, empty where there is no row."""
        return self.days.of(ClientDay(client, day))

    def forget(self, clients: Container[str]) -> None:
        """Leave some clients out."""
        self.days = Groups({place: tally for place, tally in self.days.items() if place.client not in clients})

    @property
    def clients(self) -> list[str]:
        """Name the clients, in alphabetical order."""
        return sorted({client for client, _ in self.days})


class Tallier:
    """Adds rows of one service up that come roughly in the order of time.

    Hooks and feedback alone are counted: a page of the trend app is opened by hand, and says what its card said.
    """

    def __init__(self, service: str) -> None:
        self.tallies = Tallies()
        self._service = service
        self._patients: dict[ClientDay, set[int]] = {}

    def add(self, row: DecisionRow | AnswerRow, times: int = 1) -> None:
        """Count a row; `times` counts the same hook call repeatedly."""
        if row.service != self._service or (isinstance(row, DecisionRow) and row.kind != "hook"):
            return
        place = ClientDay(row.client, row.day)
        first = self.tallies.first_day
        self.tallies.first_day = place.day if first is None else min(first, place.day)
        tally = self.tallies.days.at(place)
        if isinstance(row, DecisionRow):
            tally.add(row, new_patient=self._is_first(row, place), times=times)
        else:
            tally.add_answer(row.outcome, row.reason or _NO_REASON)

    def _is_first(self, row: DecisionRow, place: ClientDay) -> bool:
        if row.outcome in (NOT_ELIGIBLE, UNAVAILABLE):
            return True
        seen = self._patients.get(place)
        if seen is None:
            self._forget_before(place.day - _REMEMBERED)
            seen = self._patients[place] = set()
        patient = hash(row.patient)
        if patient in seen:
            return False
        seen.add(patient)
        return True

    def _forget_before(self, day: date) -> None:
        for place in [place for place in self._patients if place.day < day]:
            del self._patients[place]


def tally_logs(directories: Sequence[Path], zone: tzinfo, since: date | None, service: str) -> Tallies:
    """Add up what the logs of some directories, such as those of several hosts, hold of a service from a day on.

    Days are calendar days in `zone`. Raises OSError when a directory is missing or cannot be read.
    """
    tallier = Tallier(service)
    rows = read_rows(directories, zone, since)
    for row in rows:
        tallier.add(row)
    tallier.tallies.records, tallier.tallies.unreadable = rows.records, rows.unreadable
    return tallier.tallies


class Change(NamedTuple):
    """A change of configuration, rule or mapping by a person, which came into effect on a day at a client."""

    day: date
    client: str
    what: str


def changes_of(tallies: Tallies, client: str, days: Sequence[date]) -> Iterator[Change]:
    """Yield the changes between the days, which come in order; days without hooks tell nothing."""
    for day, before, after in switches((day, tallies.of(client, day).in_force) for day in days):
        yield Change(day, client, _difference(before, after))


def _difference(before: InForce, after: InForce) -> str:
    pairs = zip(_named(before), _named(after), strict=True)
    return ", ".join(f"{name} {old} → {new}" for (name, old), (_, new) in pairs if old != new)


def _named(in_force: InForce) -> tuple[tuple[str, str], ...]:
    version, mode = in_force
    parts = (("configuration", version.configuration), ("rule", version.rule), ("mapping", version.mappings))
    return (*parts, ("mode", mode))
