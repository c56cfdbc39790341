"""The figures of the model card: from the evidence of the rule and from the clinical policy that runs."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from cds_service.clinical import evidence

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

    from cds_service.clinical.policy import ClinicalPolicy

# Shown in this order, whatever order a set has.
_STATUSES = ("final", "amended", "corrected")


def site_figures(policy: ClinicalPolicy) -> dict[str, str]:
    """Return every figure that a text may name, as it is to be shown."""
    return {**_evidence_figures(), **_policy_figures(policy)}


def choose_variants(policy: ClinicalPolicy, variants: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Choose the words that depend on a setting. Raises KeyError when the texts lack one."""
    eligibility = "required" if policy.eligibility_required else "assumed"
    origin = "published" if policy.cutoff == evidence.PUBLISHED_CUTOFF else "site"
    return {
        "eligibility": variants["eligibility"][eligibility],
        "eligibility_question": variants["eligibility_question"][eligibility],
        "cutoff_origin": variants["cutoff_origin"][origin],
    }


def _evidence_figures() -> dict[str, str]:
    low, high = evidence.IMPRECISION_BAND
    return {
        "rule_version": evidence.RULE_VERSION,
        "published_cutoff": plain(evidence.PUBLISHED_CUTOFF),
        "study_patients": str(evidence.STUDY_PATIENTS),
        "study_recurrences": str(evidence.STUDY_RECURRENCES),
        "study_controls": str(evidence.STUDY_PATIENTS - evidence.STUDY_RECURRENCES),
        "study_auc": evidence.STUDY_AUC,
        "study_auc_interval": evidence.STUDY_AUC_INTERVAL,
        "study_sii_recurrence": plain(evidence.STUDY_SII_RECURRENCE),
        "study_sii_recurrence_sd": plain(evidence.STUDY_SII_RECURRENCE_SD),
        "study_sii_control_sd": plain(evidence.STUDY_SII_CONTROL_SD),
        "study_sii_control": plain(evidence.STUDY_SII_CONTROL),
        "study_albumin_recurrence": evidence.STUDY_ALBUMIN_RECURRENCE,
        "study_albumin_control": evidence.STUDY_ALBUMIN_CONTROL,
        "study_doi": evidence.STUDY_DOI,
        "study_url": evidence.STUDY_URL,
        "imprecision_low": plain(low),
        "imprecision_high": plain(high),
    }


def _policy_figures(policy: ClinicalPolicy) -> dict[str, str]:
    known = [status for status in _STATUSES if status in policy.accepted_statuses]
    return {
        "cutoff": plain(policy.cutoff),
        "cutoff_source": policy.cutoff_source,
        "minimum_age": str(policy.minimum_age),
        "post_procedure_exclusion_days": str(policy.post_procedure_exclusion_days),
        "first_usable_day": str(policy.post_procedure_exclusion_days + 1),
        "baseline_window_days": str(policy.baseline_window_days),
        "max_age_days": str(policy.max_age_days),
        "same_draw_minutes": str(policy.same_draw // timedelta(minutes=1)),
        "albumin_window_days": str(policy.albumin_window_days),
        "follow_up_years": str(policy.follow_up_years),
        "accepted_statuses": ", ".join([*known, *sorted(policy.accepted_statuses.difference(known))]),
        "timezone": str(policy.timezone),
    }


def plain(number: Decimal) -> str:
    """Write a number without exponent and without trailing zeros."""
    return f"{number.normalize():f}"
