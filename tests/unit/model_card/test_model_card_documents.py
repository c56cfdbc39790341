"""The clinical documents: made from the model card, or equal to the rule where they name its limits."""

from __future__ import annotations

import re
from datetime import UTC, timedelta
from pathlib import Path

import pytest

from cds_service.clinical.policy import ClinicalPolicy
from cds_service.clinical.reasons import Reason
from cds_service.model_card.markdown import model_card_markdown
from fhir_mappings import load_mappings

DOCS = Path(__file__).resolve().parents[3] / "docs"
DEFAULT = ClinicalPolicy(timezone=UTC)


def test_document_is_up_to_date() -> None:
    assert (DOCS / "model-card.md").read_text(encoding="utf-8") == model_card_markdown(), (
        "run: python -m cds_service.model_card.markdown > docs/model-card.md"
    )


def test_clinical_document_names_every_reason_once_in_its_table() -> None:
    document = (DOCS / "clinical.md").read_text(encoding="utf-8")
    table = document.partition("## Reasons")[2].partition("\n## ")[0]

    assert sorted(re.findall(r"`([a-z]+(?:-[a-z]+)*)`", table.partition("|---")[2])) == sorted(Reason)


@pytest.mark.parametrize(
    "row",
    [
        f"at least {DEFAULT.minimum_age} years old",
        f"| days 0 to {DEFAULT.post_procedure_exclusion_days} | `timing.post_procedure_exclusion_days`",
        f"| {DEFAULT.baseline_window_days} days | `timing.baseline_window_days`",
        f"| {DEFAULT.max_age_days} days | `timing.max_age_days`",
        f"| {DEFAULT.same_draw // timedelta(minutes=1)} minutes | `timing.same_draw_minutes`",
        f"| {DEFAULT.albumin_window_days} days | `timing.albumin_window_days`",
        f"greater than {DEFAULT.cutoff} (Yu 2023)",
    ],
)
def test_clinical_document_states_the_default_limits(row: str) -> None:
    assert row in (DOCS / "clinical.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("analyte", "basis", "row"),
    [
        ("platelets", "count", "| platelets | {low} to {high} ×10⁹/L |"),
        ("neutrophils", "count", "| neutrophils | {low} to {high} ×10⁹/L |"),
        ("lymphocytes", "count", "| lymphocytes | {low} to {high} ×10⁹/L;"),
        ("albumin", "mass", "| albumin | {low} to {high} g/L |"),
    ],
)
def test_clinical_document_states_the_plausible_ranges(analyte: str, basis: str, row: str) -> None:
    plausible = load_mappings().plausible[analyte, basis]

    assert row.format(low=plausible.low, high=plausible.high) in (DOCS / "clinical.md").read_text(encoding="utf-8")
