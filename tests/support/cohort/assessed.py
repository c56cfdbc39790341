"""`cohort assess` in this process, and its rows as the truths of histories have them."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from cds_service.insight.cohort.assess_run import assess_export
from cds_service.insight.cohort.designs import parse_design
from cds_service.insight.cohort.request import AssessRequest
from cds_service.settings import load_settings
from tests.support.cohort.histories import Truth

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from cds_service.insight.cohort.request import AssessSummary
    from tests.support.cohort.histories import History

# Days are those of a zone that is not UTC.
ENVIRONMENT = {"SII_CDS__AUTHENTICATION__REQUIRED": "false", "SII_CDS__SERVICE__TIMEZONE": "Asia/Shanghai"}
DESIGNS = ("baseline", "draw", "landmark:90")


class Unseen:
    """Progress that nobody looks at."""

    def begin(self, what: str, size: int) -> None:
        """Show nothing."""

    def show(self, size: int, patients: int) -> None:
        """Show nothing."""

    def end(self) -> None:
        """Show nothing."""


def assess(export: Path, out: Path, *, environment: dict[str, str] | None = None, **options: Any) -> AssessSummary:
    """Assess an export under plain identifiers; `options` replace members of the request."""
    members: dict[str, Any] = {
        "exports": (export,),
        "designs": tuple(map(parse_design, DESIGNS)),
        "only_first": True,
        "course": timedelta(0),
        "follow_up": timedelta(days=1826),
        "data_cutoff": None,
        "outcomes": None,
        "audit": (),
        "plain": True,
        "workers": 1,
        **options,
    }
    settings = load_settings(None, {**ENVIRONMENT, **(environment or {})})
    return assess_export(AssessRequest(out=out, settings=settings, **members), Unseen())


def read_rows(folder: Path) -> list[dict[str, str]]:
    """Return the rows as they stand in the CSV file."""
    with (folder / "assessments.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def as_truth(row: dict[str, str]) -> Truth:
    """Return what of a row a history tells."""
    days, time, event = (int(row[name]) if row[name] else None for name in ("days", "time", "event"))
    sii = Decimal(row["sii"]) if row["sii"] else None
    decision = date.fromisoformat(row["decision"])
    place = (row["relation"], days, time, event, int(row["entered"]))
    return Truth(row["design"], decision, row["outcome"], row["reason"], sii, *place)


def wrong_stories(folder: Path, histories: Iterable[History]) -> Counter[str]:
    """Count the histories whose rows are not the right ones, by story."""
    found: dict[str, list[Truth]] = {}
    for row in read_rows(folder):
        found.setdefault(row["patient"], []).append(as_truth(row))
    wrong: Counter[str] = Counter()
    for history in histories:
        wrong[history.story] += found.pop(history.patient, []) != history.truths()
    assert not found, "rows of nobody"
    return +wrong
