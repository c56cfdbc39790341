"""The clinical settings of a site: what its clinicians approve, as one frozen value the rule reads."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta, tzinfo
from decimal import Decimal  # noqa: TC003  the audit log reads the types of the members to decode them

from cds_service.clinical.evidence import PUBLISHED_CUTOFF, STUDY_FOLLOW_UP_YEARS


@dataclass(frozen=True, slots=True)
class ClinicalPolicy:
    """Cut-off, eligibility and timing of the rule. All limits are inclusive; days are calendar days in `timezone`.

    The audit log keeps every member under its name (`audit/policies.py`): plain values with a default each, so that
    a log from before a member existed is read under that default.

    The published abstract of Yu 2023 does not say when blood was drawn. The windows are a derived judgement that
    needs local clinical sign-off: comparable studies draw before treatment, or about one month after it
    (Wang BL et al., Clin Chem Lab Med 2016, cclm-2015-1191).
    """

    timezone: tzinfo
    cutoff: Decimal = PUBLISHED_CUTOFF
    cutoff_source: str = "published"
    # "assume": the CDS Client calls for the right patients only; Conditions and Procedures then only inform.
    eligibility_required: bool = True
    minimum_age: int = 18
    post_procedure_exclusion_days: int = 27
    baseline_window_days: int = 30
    max_age_days: int = 90
    same_draw: timedelta = timedelta(minutes=60)
    albumin_window_days: int = 7
    accepted_statuses: frozenset[str] = frozenset({"final", "amended", "corrected"})
    # Yu 2023 followed its patients for five years.
    follow_up_years: int = STUDY_FOLLOW_UP_YEARS
