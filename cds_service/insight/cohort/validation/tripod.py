"""TRIPOD+AI: what a report of a prediction must say, and where it is said, or that the site has to say it.

Items of Collins GS et al., TRIPOD+AI statement, BMJ 2024;385:e078378 (doi 10.1136/bmj-2023-078378), named in our words.
"""

from __future__ import annotations

import csv
from functools import cache
from importlib.resources import files
from typing import Final, NamedTuple

SOURCE: Final = "Collins GS et al., TRIPOD+AI statement, BMJ 2024;385:e078378, doi 10.1136/bmj-2023-078378"
_FILE: Final = "tripod_ai.csv"


class TripodItem(NamedTuple):
    """An item of the checklist. `where` names the part that answers it; "site" where the hospital does."""

    item: str
    section: str
    topic: str
    where: str


@cache
def tripod_items() -> tuple[TripodItem, ...]:
    """Return the items in the order of the checklist."""
    lines = files(__package__).joinpath(_FILE).read_text(encoding="utf-8").splitlines()
    return tuple(TripodItem(**row) for row in csv.DictReader(lines))
