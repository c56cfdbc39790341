"""What `audit search` prints: JSON Lines for programs, columns for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from cds_service.audit.records import FeedbackRecord, HookRecord, ViewRecord
from cds_service.reports.printable import printable, printable_json

if TYPE_CHECKING:
    from cds_service.audit.search import Found

COLUMNS: Final = (
    ("TIME", 20),
    ("WHAT", 8),
    ("CLIENT", 16),
    ("USER", 24),
    ("PATIENT", 24),
    ("OUTCOME", 16),
    ("SII", 9),
    ("CARD", 7),
    ("REASONS", 0),
)


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


def as_row(found: Found) -> str:
    """Return one line of the table.

    CARD is shown, silent, snoozed or none; of a view whether the page was shown; of feedback whether it is known.
    """
    record = found.record
    time = record.time.strftime("%Y-%m-%dT%H:%M:%SZ")
    if not isinstance(record, FeedbackRecord):
        refused = (record.refused,) if isinstance(record, ViewRecord) and record.refused else ()
        reasons = ",".join((*record.reasons, *record.missing, *refused))
        said = [record.outcome, record.sii or "", record.how_presented, reasons]
        what = "hook" if isinstance(record, HookRecord) else "view"
        row = [what, record.client, record.user, record.patient, *said]
    else:
        call = found.card_of
        user, patient = record.user or "", call.patient if call is not None else ""
        known = "known" if call is not None else "unknown"
        row = ["feedback", record.client, user, patient, record.outcome, "", known, record.reason_code or ""]
    return _aligned([time, *row])


def _aligned(row: list[str]) -> str:
    """Pad to the columns. Texts came from requests: control characters must not reach a terminal."""
    cells = zip(map(printable, row), COLUMNS, strict=True)
    return "  ".join(f"{cell:<{width}}" for cell, (_, width) in cells).rstrip()
