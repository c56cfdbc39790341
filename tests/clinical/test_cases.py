"""Charts that retell what hospitals, recordings and reviews showed, each with the right answer and why it is right.

The answers come from outside the code (tests/fixtures/cases/README.md). A row is added by copying its chart and its
line; nothing here is changed for it.
"""

from __future__ import annotations

import csv
from datetime import datetime
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytest

from cds_service.authorization.clients import TrustedClient
from cds_service.cards.builder import CardBuilder
from cds_service.cards.extension import assessment_extension
from cds_service.cards.options import CardOptions
from cds_service.clinical.evidence import RULE_VERSION
from cds_service.clinical.policy import ClinicalPolicy
from cds_service.decision.flow import decide
from cds_service.decision.site import Site
from cds_service.hooks.request import parse_cds_request
from cds_service.services.sii_recurrence_risk import SII_RECURRENCE_RISK as SII
from fhir_mappings import load_mappings

CASES = Path(__file__).parents[1] / "fixtures" / "cases"
MOMENTS = {"clinical": "2026-11-30T12:00:00Z", "laboratory": "2026-01-11T12:00:00Z"}
COLUMNS = ("file", "outcome", "a reason of", "card says", "why")


class Answer(NamedTuple):
    """What the service says of one chart."""

    outcome: str
    reasons: frozenset[str]
    card: str


def table(folder: str) -> list[dict[str, str]]:
    return list(csv.DictReader((CASES / folder / "expected.csv").read_text(encoding="utf-8").splitlines()))


ROWS = [(folder, row) for folder in MOMENTS for row in table(folder)]


def answer(folder: str, file: str) -> Answer:
    """Ask a site with settings as shipped, in UTC, at the moment of the folder."""
    policy = ClinicalPolicy(ZoneInfo("UTC"))
    site = Site(policy, load_mappings(), CardOptions("https://cds.example/model-card"), "active", "test", SII)
    request = parse_cds_request((CASES / folder / file).read_bytes())
    client = TrustedClient(name="ehr", issuer=None, mode="active")
    decision = decide(request, client, site, datetime.fromisoformat(MOMENTS[folder]))
    told = assessment_extension(RULE_VERSION, decision.assessment, decision.facts.excluded_reasons, decision.gaps)
    cards = CardBuilder(SII.voice, site.cards, policy, "test").build(decision.assessment, lambda: "uuid", decision.gaps)
    return Answer(
        outcome=told["outcome"],
        reasons=frozenset((*told.get("reasons", ()), *told.get("exclusions", ()), *told.get("chartExclusions", ()))),
        card=" ".join(f"{card.summary} {card.detail}" for card in cards).casefold(),
    )


@pytest.mark.parametrize(("folder", "row"), ROWS, ids=[f"{folder}-{row['file']}" for folder, row in ROWS])
def test_case_chart_is_answered_as_reviewed(folder: str, row: dict[str, str]) -> None:
    found = answer(folder, row["file"])

    assert found.outcome in row["outcome"].split("|"), row["why"]
    if row["a reason of"]:
        assert found.reasons & set(row["a reason of"].split("|")), (found, row["why"])
    if row["card says"]:
        assert any(words.casefold() in found.card for words in row["card says"].split("|")), (found, row["why"])


@pytest.mark.parametrize("folder", MOMENTS)
def test_case_table_and_charts_name_each_other(folder: str) -> None:
    rows = table(folder)

    assert all(tuple(row) == COLUMNS and row["why"] for row in rows)
    assert sorted(row["file"] for row in rows) == sorted(path.name for path in (CASES / folder).glob("*.json"))
