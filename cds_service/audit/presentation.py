"""What `audit search` prints: JSON Lines for programs, columns for people, CSV for spreadsheets."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

import msgspec

from cds_service.audit.records import FeedbackRecord, HookRecord
from cds_service.audit.search import reasons_of
from cds_service.reports.as_csv import csv_line
from cds_service.reports.counts import counted, thousands
from cds_service.reports.printable import printable, printable_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import tzinfo

    from cds_service.audit.records import DecisionRecord
    from cds_service.audit.search import Found

COLUMNS: Final = (
    ("TIME", 25),
    ("WHAT", 8),
    ("CLIENT", 16),
    ("USER", 24),
    ("PATIENT", 24),
    ("OUTCOME", 16),
    ("SII", 9),
    ("CARD", 7),
    ("REASONS", 0),
)
CSV_COLUMNS: Final = (
    *("record", "time", "what", "service", "client", "user", "patient", "encounter", "outcome"),
    *("sii", "cutoff", "card", "reasons", "request", "card_id"),
)
_KINDS: Final = ("hook call", "view", "feedback item")


def as_json(found: Found) -> str:
    """Return the record as it stands in the log, with its sequence number.

    Feedback gains `card_known`, and the `patient` of its card where the card is known.
    """
    members: dict[str, Any] = {"sequence": found.sequence, **msgspec.json.decode(msgspec.json.encode(found.record))}
    if isinstance(found.record, FeedbackRecord):
        members["card_known"] = found.card_of is not None
        if found.card_of is not None:
            members["patient"] = found.card_of.patient
    return printable_json(msgspec.json.encode(members).decode())


def heading() -> str:
    """Return the first line of the table."""
    return _aligned([title for title, _ in COLUMNS])


def as_row(found: Found, zone: tzinfo) -> str:
    """Return one line of the table, its time in a zone.

    CARD is shown, silent, snoozed or none; of a view whether the page was shown; of feedback whether it is known.
    """
    cells = _cells(found, zone)
    return _aligned([cells[title.lower()] for title, _ in COLUMNS])


def csv_rows(found: Iterable[Found], zone: tzinfo) -> Iterator[str]:
    """Yield lines of CSV, the first of them the heading. A text that begins like a formula gets a quote."""
    yield csv_line(CSV_COLUMNS)
    for one in found:
        cells = _cells(one, zone)
        yield csv_line([cells[name] for name in CSV_COLUMNS])


def _cells(found: Found, zone: tzinfo) -> dict[str, str]:
    record = found.record
    cells = {
        "record": str(found.sequence),
        "time": record.time.astimezone(zone).isoformat(timespec="seconds"),
        "service": record.service,
        "client": record.client,
        "outcome": record.outcome,
        "reasons": ",".join(reasons_of(record)),
        "request": record.request_id,
        "card_id": record.card or "",
    }
    if isinstance(record, FeedbackRecord):
        patient = found.card_of.patient if found.card_of is not None else ""
        known = "known" if found.card_of is not None else "unknown"
        of_feedback = {"what": "feedback", "user": record.user or "", "patient": patient, "card": known}
        return cells | of_feedback | dict.fromkeys(("encounter", "sii", "cutoff"), "")
    return cells | {
        "what": "hook" if isinstance(record, HookRecord) else "view",
        "user": record.user,
        "patient": record.patient,
        "encounter": record.encounter,
        "sii": record.sii or "",
        "cutoff": record.cutoff or "",
        "card": record.how_presented,
    }


class Totals:
    """Counts what was found, by kind and by outcome."""

    def __init__(self) -> None:
        self._kinds: Counter[str] = Counter()
        self._outcomes: Counter[str] = Counter()

    def __bool__(self) -> bool:
        """Tell whether anything was found."""
        return bool(self._kinds)

    def count(self, found: Found) -> None:
        """Count one record."""
        self._kinds[_kind(found.record)] += 1
        self._outcomes[found.record.outcome] += 1

    def told(self) -> str:
        """Return a sentence such as: 3 records match: 2 hook calls, 1 feedback item (2 above-cutoff, 1 overridden)."""
        number = self._kinds.total()
        kinds = ", ".join(counted(self._kinds[name], name) for name in _KINDS if self._kinds[name])
        outcomes = ", ".join(f"{thousands(count)} {printable(name)}" for name, count in self._outcomes.most_common())
        return f"{counted(number, 'record')} {'matches' if number == 1 else 'match'}: {kinds} ({outcomes})."


def _kind(record: DecisionRecord | FeedbackRecord) -> str:
    if isinstance(record, FeedbackRecord):
        return "feedback item"
    return "hook call" if isinstance(record, HookRecord) else "view"


def _aligned(row: list[str]) -> str:
    """Pad to the columns. Texts came from requests: control characters must not reach a terminal."""
    cells = zip(map(printable, row), COLUMNS, strict=True)
    return "  ".join(f"{cell:<{width}}" for cell, (_, width) in cells).rstrip()
