"""A log of an earlier version is read, verified and recomputed; what a correction of the rule changes is told."""

from __future__ import annotations

import shutil
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cds_service.audit.reading import read_entries, verify_log
from cds_service.audit.records import HookRecord
from cds_service.cards.options import CardOptions
from cds_service.clinical.policy import ClinicalPolicy
from cds_service.decision.site import Site
from cds_service.services.sii_recurrence_risk import SII_RECURRENCE_RISK as SII
from fhir_mappings import load_mappings
from tests.support.recorded import replayed

if TYPE_CHECKING:
    from cds_service.insight.sources.replay import Recomputed

LOG = Path(__file__).resolve().parents[1] / "fixtures" / "audit"
SITE = Site(ClinicalPolicy(UTC), load_mappings(), CardOptions("https://x.example/"), "active", "test", SII)


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy: reading locks the folder."""
    return Path(shutil.copytree(LOG, tmp_path_factory.mktemp("earlier") / "audit"))


@pytest.fixture(scope="module")
def found(log: Path) -> dict[str, Recomputed]:
    recomputed, not_recomputed = replayed(log, SITE)
    assert not_recomputed == []
    return {one.request_id: one for one in recomputed}


def test_log_of_an_earlier_version_is_whole(log: Path) -> None:
    assert verify_log(log).broken is None


def test_dates_of_an_earlier_version_are_read(log: Path) -> None:
    records = [entry.record for entry in read_entries(log) if isinstance(entry.record, HookRecord)]

    assert {record.request_id: record.latest_procedure for record in records} == {
        "month": "2026-10-31",
        "year": "2026-11-23",
        "hours": "2026-10-20T12:00:00+00:00",
        "weeks": "2026-10-15",
        "end ahead": "2026-01-15",
        "placeholder": "0001-01-01",
        "day": "2026-08-25",
        "period over": "2026-10-15",
    }
    assert {record.not_delivered for record in records} == {()}


CHANGED = [
    ("month", "post-procedure-window", "a month was its last day"),
    ("year", "post-procedure-window", "a year was today"),
    ("hours", "post-procedure-window", "a draw within the hours was before them"),
    ("weeks", "post-procedure-window", "a draw within the weeks was before them"),
    ("end ahead", "post-procedure-window", "a completed procedure was taken for a future one"),
    ("placeholder", "procedure-date-missing", "a placeholder was a day"),
]


@pytest.mark.parametrize(("name", "now", "then"), CHANGED)
def test_decision_that_a_correction_changes_is_told(
    found: dict[str, Recomputed], name: str, now: str, then: str
) -> None:
    one = found[name]

    assert one.then.outcome == "above-cutoff", then
    assert one.now is not None, then
    assert (one.now.outcome, one.now.reasons) == ("indeterminate", (now,)), then


@pytest.mark.parametrize("name", ["day", "period over"])
def test_decision_that_no_correction_touches_is_the_same(found: dict[str, Recomputed], name: str) -> None:
    assert (found[name].then.outcome, found[name].now) == ("above-cutoff", None)
