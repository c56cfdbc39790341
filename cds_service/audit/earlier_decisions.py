"""What was decided about a patient before: the log read backwards, for a short time, from its newest line."""

from __future__ import annotations

from dataclasses import dataclass
from os import SEEK_END
from time import monotonic
from typing import TYPE_CHECKING, Final

import msgspec

from cds_service.audit.decoding import UNREADABLE, decode_record, glance_at
from cds_service.audit.files import file_names
from cds_service.audit.records import DecisionRecord, HookRecord

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

_LOT_BYTES: Final = 262_144
# A page shows no more of them.
MOST_DECISIONS: Final = 50


@dataclass(frozen=True, slots=True)
class EarlierDecisions:
    """Decisions about one patient, newest first.

    `read_back_to` is the time of the oldest line that was read, None where there was none. `is_complete` tells that
    all lines of the time asked for were read; `is_cut` that there are more decisions than were kept.
    """

    decisions: tuple[DecisionRecord, ...] = ()
    read_back_to: datetime | None = None
    is_complete: bool = True
    is_cut: bool = False

    def shows_card(self, card: str) -> bool:
        """Tell whether a card is one of these decisions'."""
        return card != "" and any(isinstance(d, HookRecord) and d.card == card for d in self.decisions)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Whose decisions are sought: the forms of the patient in the log, clients, service, and since when (aware)."""

    patients: frozenset[str]
    clients: frozenset[str]
    service: str
    since: datetime


def read_earlier_decisions(directory: Path, asked: Asked, seconds: float) -> EarlierDecisions:
    """Read the log backwards, until `asked.since` or for so many seconds.

    Lines that cannot be read are passed over: `audit verify` is who names them. Raises nothing: what cannot be read of
    a log is not complete.
    """
    end, found = monotonic() + seconds, list[DecisionRecord]()
    oldest: datetime | None = None
    needles = [b'"patient":' + msgspec.json.encode(patient) for patient in asked.patients]
    try:
        for lot in _backwards(directory):
            oldest = _first_time(lot) or oldest
            if any(needle in lot for needle in needles):
                found += _wanted(lot, asked)
            if oldest is not None and oldest < asked.since:
                break
            if monotonic() > end or len(found) > MOST_DECISIONS:
                return _told(found, oldest, is_complete=False)
    except OSError:
        return _told(found, oldest, is_complete=False)
    return _told(found, oldest, is_complete=True)


def _told(found: list[DecisionRecord], oldest: datetime | None, *, is_complete: bool) -> EarlierDecisions:
    is_cut = len(found) > MOST_DECISIONS
    return EarlierDecisions(tuple(found[:MOST_DECISIONS]), oldest, is_complete and not is_cut, is_cut)


def _backwards(directory: Path) -> Iterator[bytes]:
    """Yield whole lines, many at a time, the last lot of the log first. Raises OSError."""
    for name in reversed(file_names(directory)):
        with (directory / name).open("rb") as stream:
            place = stream.seek(0, SEEK_END)
            begun = b""
            while place:
                length = min(_LOT_BYTES, place)
                place -= length
                stream.seek(place)
                lot = stream.read(length) + begun
                # The first line of a lot may begin before it.
                first_end = lot.find(b"\n") + 1 if place else 0
                if place and not first_end:
                    begun = lot
                    continue
                begun = lot[:first_end]
                yield lot[first_end:]


def _first_time(lot: bytes) -> datetime | None:
    """Return the time of the first line of a lot, None where it cannot be read."""
    try:
        return glance_at(lot[: lot.find(b"\n") + 1]).time
    except UNREADABLE:
        return None


def _wanted(lot: bytes, asked: Asked) -> Iterator[DecisionRecord]:
    """Yield the decisions asked for, the last first."""
    for line in reversed(lot.splitlines(keepends=True)):
        record = decode_record(line) if any(form.encode() in line for form in asked.patients) else None
        if (
            isinstance(record, DecisionRecord)
            and record.patient in asked.patients
            and record.client in asked.clients
            and record.service == asked.service
            and record.time >= asked.since
        ):
            yield record
