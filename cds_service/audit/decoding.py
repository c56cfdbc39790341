"""From a line of the log to its record: the one place that says which lines can be read.

A record that somebody edited, or that a disk damaged, may still be JSON with members of the right types: a text where
a number belongs, a time without zone, a year no log can come from. Such a line cannot be read either. Every command
counts lines that cannot be read and says so; which record was changed, `verify` tells.
"""

from __future__ import annotations

from datetime import date, datetime
from math import isfinite
from typing import Annotated, Final, get_args

import msgspec

from cds_service.audit.bookkeeping import AnyRecord
from cds_service.audit.earlier_records import read_earlier_configuration
from cds_service.audit.records import DecisionRecord, FeedbackRecord

_DECODER: Final = msgspec.json.Decoder(AnyRecord)
# No clock says less, not even one that was never set. From here on, times lie within the calendar in any zone, and
# their weeks can be counted.
FIRST_YEAR: Final = 1970
YEARS: Final = range(FIRST_YEAR, 2200)
_MOST_DIGITS: Final = 300
_DAY_LENGTH: Final = len("2026-01-31")

# What kinds of record a log holds.
KINDS: Final = frozenset(str(record.__struct_config__.tag) for record in get_args(AnyRecord))

# What reading damaged content raises; msgspec's own errors are ValueErrors.
UNREADABLE: Final = (ValueError, ArithmeticError, RecursionError)


def decode_record(raw: bytes) -> AnyRecord | None:
    """Return the record of a line; None when it cannot be read."""
    try:
        record = _decode(raw)
        if record.time.tzinfo is None or record.time.year not in YEARS:
            return None
        if isinstance(record, DecisionRecord):
            return record if _holds_numbers(record) else None
        if isinstance(record, FeedbackRecord) and record.outcome_time.tzinfo is None:
            return None
    except UNREADABLE:
        return None
    return record


def _decode(raw: bytes) -> AnyRecord:
    try:
        record: AnyRecord = _DECODER.decode(raw)
    except msgspec.ValidationError:
        return read_earlier_configuration(raw)
    return record


def _holds_numbers(record: DecisionRecord) -> bool:
    """Tell whether numbers are finite and not only texts; raises what a text raises that is no number or no day."""
    if record.sample_time is not None:
        date.fromisoformat(record.sample_time[:_DAY_LENGTH])
    for text in (record.sii, record.cutoff):
        if text is not None and not isfinite(float(text)):
            return False
    for result in record.used:
        value = result.value
        # Several times cheaper than to make a float of it, which has no more than 308 digits.
        if value is not None and not (value.is_finite() and value.adjusted() < _MOST_DIGITS):
            return False
    return isfinite(sum(record.timings_ms.values()))


class Glance(msgspec.Struct, frozen=True, gc=False):
    """Members that hook and feedback records share, at a quarter of the cost of decoding the whole.

    The others of a line are only checked for being JSON.
    """

    time: Annotated[datetime, msgspec.Meta(tz=True)]
    client: str = ""
    outcome: str = ""
    patient: str = ""
    encounter: str = ""
    user: str | None = None
    card: str | None = None


_GLANCE: Final = msgspec.json.Decoder(Glance)


def glance_at(line: bytes) -> Glance:
    """Return what searches compare. Raises one of UNREADABLE for a line that cannot be read."""
    glance: Glance = _GLANCE.decode(line)
    if glance.time.year not in YEARS:
        raise ValueError("no time of a record")
    return glance
