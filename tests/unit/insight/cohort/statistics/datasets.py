"""The public data sets of tests/fixtures/survival as arrays."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from tests.architecture.checkout import ROOT

if TYPE_CHECKING:
    from cds_service.insight.cohort.statistics.values import Events, Flags, Numbers

FOLDER = ROOT / "tests/fixtures/survival"


def column(name: str, title: str) -> Numbers:
    """Return a column of numbers; nan where the table has none."""
    return np.array([float(text) if text else np.nan for text in texts(name, title)])


def texts(name: str, title: str) -> list[str]:
    """Return a column as written."""
    with (FOLDER / f"{name}.csv").open(encoding="ascii", newline="") as stream:
        return [row[title] for row in csv.DictReader(stream)]


class Competing(NamedTuple):
    """Months, and how they ended: 0 censored, 1 progression, 2 death before it."""

    time: Numbers
    events: Events
    female: Flags


def mgus2() -> Competing:
    """Return the gammopathy data, death competing with progression."""
    progressed = column("mgus2", "pstat") == 1
    time = np.where(progressed, column("mgus2", "ptime"), column("mgus2", "futime"))
    events = np.where(progressed, 1, 2 * column("mgus2", "death")).astype(np.int64)
    return Competing(time, events, np.array(texts("mgus2", "sex")) == "F")
