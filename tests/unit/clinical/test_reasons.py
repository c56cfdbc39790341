"""The vocabulary of reasons: sites, monitors and old audit records rely on its codes."""

from __future__ import annotations

from cds_service.clinical.reasons import Reason

PUBLISHED = [
    "no-primary-liver-cancer",
    "no-interventional-procedure",
    "under-age",
    "deceased",
    "recurrence-known",
    "missing-neutrophils",
    "missing-lymphocytes",
    "missing-platelets",
    "no-complete-draw",
    "stale",
    "post-procedure-window",
    "zero-lymphocytes",
    "status-not-accepted",
    "subject-mismatch",
    "subject-missing",
    "unit-missing",
    "unit-unknown",
    "unit-conflict",
    "property-conflict",
    "specimen-not-blood",
    "platelet-clumping",
    "value-missing",
    "value-not-numeric",
    "comparator",
    "data-absent",
    "no-effective-time",
    "imprecise-time",
    "future-time",
    "implausible",
    "conflicting-results",
    "differential-inconsistent",
    "malformed",
    "mixed-basis",
    "fraction-mislabelled",
    "outside-baseline-window",
    "code-conflict",
    "procedure-date-missing",
    "truncated",
    "metastasis-known",
    "record-replaced",
    "beyond-follow-up",
    "liver-transplanted",
    "histology-not-studied",
    "body-site-elsewhere",
    "other-indication",
    "diagnosis-after-procedure",
]


def test_reasons_are_the_published_codes() -> None:
    assert sorted(Reason) == sorted(PUBLISHED)


def test_reasons_are_named_like_their_codes() -> None:
    assert [reason.name for reason in Reason] == [reason.upper().replace("-", "_") for reason in Reason]
