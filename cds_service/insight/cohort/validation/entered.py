"""One row that entered, as numbers: what a cell must hold, and what is wrong with one that does not."""

from __future__ import annotations

from datetime import date
from decimal import Decimal, InvalidOperation
from math import nan
from typing import TYPE_CHECKING, Final, NamedTuple

from cds_service.insight.cohort.rows import DEATH, NO_EVENT, RECURRENCE

if TYPE_CHECKING:
    from collections.abc import Mapping

MEASURES: Final = ("neutrophils", "lymphocytes", "platelets", "albumin", "age")
LABELS: Final = ("sex", "therapy")
# Of neutrophils and lymphocytes as shares SII cannot be told from counts, but their means can.
COUNTS: Final = frozenset({"neutrophils", "lymphocytes"})
_ABSOLUTE: Final = "absolute"
_NOT_A_DAY: Final = "decision is not a day"
DECIDED: Final = {"above-cutoff": True, "not-above-cutoff": False}
_ENDS: Final = (NO_EVENT, RECURRENCE, DEATH)


class EnteredRow(NamedTuple):
    """A decision with SII and follow-up. `decision` is a day as a number; `measures` are nan where not known."""

    patient: str
    decision: int
    sii: float
    flagged: bool
    cutoff: Decimal
    time: int
    event: int
    measures: tuple[float, ...]
    labels: tuple[str, ...]


def read_entered(row: Mapping[str, str]) -> EnteredRow:
    """Read the cells of a row that entered. Raises ValueError that names the cell, and none of its content."""
    sii, cutoff = _decimal(row, "sii"), _decimal(row, "cutoff")
    time, event = _whole(row, "time"), _whole(row, "event")
    if not row["patient"]:
        raise ValueError("patient is missing")
    if event not in _ENDS:
        raise ValueError("event is none of 0, 1 and 2")
    if DECIDED.get(row["outcome"]) is not (flagged := sii > cutoff):
        raise ValueError("outcome does not fit SII and cut-off")
    return EnteredRow(
        row["patient"],
        _day(row["decision"]),
        float(sii),
        flagged,
        cutoff,
        time,
        event,
        tuple(_measure(row, name) for name in MEASURES),
        tuple(row[name] for name in LABELS),
    )


def _decimal(row: Mapping[str, str], name: str) -> Decimal:
    try:
        number = Decimal(row[name])
    except InvalidOperation:
        raise ValueError(f"{name} is not a number") from None
    if not number.is_finite() or number < 0:
        raise ValueError(f"{name} is not a number of 0 or more")
    return number


def _whole(row: Mapping[str, str], name: str) -> int:
    text = row[name]
    if not (text.isascii() and text.isdigit()):
        raise ValueError(f"{name} is not a whole number")
    return int(text)


def _measure(row: Mapping[str, str], name: str) -> float:
    if not row[name] or (name in COUNTS and row["basis"] != _ABSOLUTE):
        return nan
    return float(_decimal(row, name))


def _day(text: str) -> int:
    try:
        return date.fromisoformat(text).toordinal()
    except ValueError:
        raise ValueError(_NOT_A_DAY) from None
