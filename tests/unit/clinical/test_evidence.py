"""The figures of the study, and what was derived from them, against the sources."""

from __future__ import annotations

from decimal import Decimal
from math import sqrt

import pytest

from cds_service.clinical import evidence
from cds_service.clinical.policy import ClinicalPolicy
from tests.unit.clinical.values import ZONE

TWO_SIDED_95_PERCENT = 1.96


# Yu et al. 2023, abstract (PMID 37201071).
@pytest.mark.parametrize(
    ("name", "published"),
    [
        ("PUBLISHED_CUTOFF", Decimal("405.08")),
        ("STUDY_PATIENTS", 272),
        ("STUDY_RECURRENCES", 112),
        ("STUDY_FOLLOW_UP_YEARS", 5),
        ("STUDY_AUC", "0.795"),
        ("STUDY_AUC_INTERVAL", "0.742–0.848"),
        ("STUDY_ALBUMIN_RECURRENCE", "39.69 ± 6.17 g/L"),
        ("STUDY_ALBUMIN_CONTROL", "41.69 ± 6.82 g/L"),
        ("STUDY_CITATION", "Yu L et al., J Gastrointest Oncol 2023"),
        ("STUDY_DOI", "10.21037/jgo-23-104"),
    ],
)
def test_study_figure_is_the_published_one(name: str, published: object) -> None:
    assert getattr(evidence, name) == published


def test_study_address_is_the_one_of_its_doi() -> None:
    assert f"https://doi.org/{evidence.STUDY_DOI}" == evidence.STUDY_URL


@pytest.mark.parametrize(
    ("variations", "edge", "reason"),
    [
        ((0.03, 0.03, 0.05), 0, "CV 3/3/5 % of platelets, neutrophils and lymphocytes: 52, said as 50"),
        ((0.05, 0.05, 0.08), 1, "CV 5/5/8 %: 85"),
    ],
)
def test_imprecision_band_follows_from_the_variation_of_the_counts(
    variations: tuple[float, ...], edge: int, reason: str
) -> None:
    # The variations of a product and a quotient add as squares; two units, since the band is said in round numbers.
    relative = sqrt(sum(variation**2 for variation in variations))
    expected = TWO_SIDED_95_PERCENT * relative * float(evidence.PUBLISHED_CUTOFF)

    assert float(evidence.IMPRECISION_BAND[edge]) == pytest.approx(expected, abs=2.1), reason


def test_imprecision_band_is_the_one_the_card_tells() -> None:
    assert (Decimal(50), Decimal(85)) == evidence.IMPRECISION_BAND


def test_policy_without_settings_is_the_designed_one() -> None:
    policy = ClinicalPolicy(ZONE)

    assert (policy.cutoff, policy.cutoff_source) == (Decimal("405.08"), "published")
    assert (policy.eligibility_required, policy.minimum_age) == (True, 18)
    assert (policy.post_procedure_exclusion_days, policy.baseline_window_days, policy.max_age_days) == (27, 30, 90)
    assert (policy.same_draw.total_seconds(), policy.albumin_window_days) == (3600, 7)
    assert policy.accepted_statuses == {"final", "amended", "corrected"}
