"""From a line of the log to its record: the one place that says which lines can be read.

A record that somebody edited, or that a disk damaged, may still be JSON with members of the right types: a text where
a number belongs, a time without zone, a year no log can come from. Such a line cannot be read either. Every command
counts lines that cannot be read and says so; which record was changed, `verify` tells.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from math import isfinite
from typing import TYPE_CHECKING, Final, get_args

import msgspec

from cds_service.audit.bookkeeping import AnyRecord
from cds_service.audit.records import FeedbackRecord, HookRecord

if TYPE_CHECKING:
    from datetime import datetime

_DECODER: Final = msgspec.json.Decoder(AnyRecord)
# No log is older. From here on, times lie within the calendar in any zone, and their weeks can be counted.
FIRST_YEAR: Final = 2000
_YEARS: Final = range(FIRST_YEAR, FIRST_YEAR + 200)
_DAY_LENGTH: Final = len("2026-01-31")

# What kinds of record a log holds.
KINDS: Final = frozenset(str(record.__struct_config__.tag) for record in get_args(AnyRecord))

# What reading damaged content raises; msgspec's own errors are ValueErrors.
UNREADABLE: Final = (ValueError, ArithmeticError, RecursionError)


def decode_record(raw: bytes) -> AnyRecord | None:
    """Return the record of a line; None when it cannot be read."""
    try:
        record: AnyRecord = _DECODER.decode(raw)
        _check_time(record.time)
        if isinstance(record, HookRecord):
            _check_hook(record)
        elif isinstance(record, FeedbackRecord):
            _check_zone(record.outcome_time)
    except UNREADABLE:
        return None
    return record


def _check_time(time: datetime) -> None:
    _check_zone(time)
    if time.year not in _YEARS:
        raise ValueError("no log is of this year")


def _check_zone(time: datetime) -> None:
    if time.tzinfo is None:
        raise ValueError("a time without zone")


def _check_hook(record: HookRecord) -> None:
    """Raise what the texts raise that are no numbers or days."""
    for text in (record.sii, record.cutoff):
        if text is not None:
            _check_number(Decimal(text))
    if record.sample_time is not None:
        date.fromisoformat(record.sample_time[:_DAY_LENGTH])
    for result in record.used:
        if result.value is not None:
            _check_number(result.value)
    _check_number(sum(record.timings_ms.values()))


def _check_number(number: Decimal | float) -> None:
    if not isfinite(float(number)):
        raise ValueError("no number of a laboratory")
