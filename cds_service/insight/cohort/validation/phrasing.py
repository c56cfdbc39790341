"""Figures as they are read: rounded, with their interval, and what stands where there is none."""

from __future__ import annotations

from math import isfinite, isnan
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from cds_service.insight.cohort.statistics.values import Interval

# Where the data determine no number, or it would tell of a small group.
NONE: Final = "–"
NO_ROWS: Final = "The folders hold no assessed row: there is nothing to validate."


def cell(number: int | None) -> str:
    """Return a count for a table; a dash where it is suppressed."""
    return NONE if number is None else f"{number:,}"


def number(value: float, digits: int = 2) -> str:
    """Return a number with so many decimals."""
    return f"{value:.{digits}f}" if isfinite(value) else NONE


def share(value: float, digits: int = 1) -> str:
    """Return a share of 1 as percent."""
    return f"{value * 100:.{digits}f} %" if isfinite(value) else NONE


def share_with_interval(interval: Interval) -> str:
    """Return a share with its 95 % interval, as percent."""
    if isnan(interval.estimate):
        return NONE
    return f"{interval.estimate * 100:.1f} % ({interval.lower * 100:.1f}–{interval.upper * 100:.1f})"


def with_interval(interval: Interval, digits: int = 3) -> str:
    """Return an estimate with its 95 % interval."""
    if isnan(interval.estimate):
        return NONE
    limits = (NONE if isnan(limit) else f"{limit:.{digits}f}" for limit in interval[1:])
    return f"{interval.estimate:.{digits}f} ({'–'.join(limits)})"


def p_value(p: float) -> str:
    """Return a P value; very small ones are said to be below 0.001."""
    if isnan(p):
        return NONE
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def design_name(name: str) -> str:
    """Say what a design is in words."""
    kind, _, days = name.partition(":")
    words = {
        "baseline": "baseline: the end of the day of the procedure",
        "landmark": f"landmark: {days} days after the procedure",
        "draw": "draw: the first usable blood draw from day 28",
        "recorded": "recorded: the decisions of the service as they were made",
    }
    return words.get(kind, name)


def rows_name(design: str) -> str:
    """Say what the rows of a design are."""
    return "recorded decisions" if design == "recorded" else "index procedures"
