"""A log of rule 1, recomputed: replay names exactly the decisions that rule 2 changes."""

from __future__ import annotations

import shutil
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cds_service.audit.reading import verify_log
from cds_service.cards.options import CardOptions
from cds_service.clinical.policy import ClinicalPolicy
from cds_service.decision.site import Site
from cds_service.services.sii_recurrence_risk import SII_RECURRENCE_RISK as SII
from fhir_mappings import load_mappings
from tests.support.recorded import replayed

if TYPE_CHECKING:
    from cds_service.insight.sources.replay import Recomputed

LOG = Path(__file__).resolve().parents[1] / "fixtures" / "audit_rule_1"
SITE = Site(ClinicalPolicy(UTC), load_mappings(), CardOptions("https://x.example/"), "active", "test", SII)

# What it was, what it is now, with which reasons.
CHANGED = {
    "lung metastasis before": ("above-cutoff", "not-eligible", ("metastasis-known",)),
    "liver metastasis on its day": ("not-eligible", "eligible-now", ()),
    "in progress": ("above-cutoff", "indeterminate", ("post-procedure-window",)),
    "eight years ago": ("above-cutoff", "not-eligible", ("beyond-follow-up",)),
    "hepatoblastoma": ("above-cutoff", "not-eligible", ("histology-not-studied",)),
    "list cut off": ("not-eligible", "indeterminate", ("truncated",)),
    "code of many uses": ("above-cutoff", "not-eligible", ("no-interventional-procedure",)),
}
# Of the last one the record of that time kept nothing: its tables did not know the code.
UNCHANGED = {"nothing new", "liver metastasis before", "not done", "lung metastasis in SNOMED CT"}


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy: reading locks the folder."""
    return Path(shutil.copytree(LOG, tmp_path_factory.mktemp("rule-1") / "audit"))


def test_log_of_rule_1_is_whole(log: Path) -> None:
    assert verify_log(log).broken is None


def test_replay_names_exactly_the_decisions_that_rule_2_changes(log: Path) -> None:
    recomputed, not_recomputed = replayed(log, SITE)
    changed = {one.request_id: _change(one) for one in recomputed if one.now is not None}

    assert (changed, not_recomputed) == (CHANGED, [])
    assert {one.request_id for one in recomputed if one.now is None} == UNCHANGED


def _change(one: Recomputed) -> tuple[str, str, tuple[str, ...]]:
    assert one.now is not None
    return one.then.outcome, one.now.outcome, one.now.reasons
