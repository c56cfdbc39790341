"""Reason codes: the closed, stable vocabulary of "why not" (published in the response and the audit record)."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """Why a patient, a draw or an Observation was not used. Codes never change their meaning."""

    # Eligibility
    RECORD_REPLACED = "record-replaced"
    DECEASED = "deceased"
    UNDER_AGE = "under-age"
    NO_PRIMARY_LIVER_CANCER = "no-primary-liver-cancer"
    HISTOLOGY_NOT_STUDIED = "histology-not-studied"
    METASTASIS_KNOWN = "metastasis-known"
    NO_INTERVENTIONAL_PROCEDURE = "no-interventional-procedure"
    LIVER_TRANSPLANTED = "liver-transplanted"
    RECURRENCE_KNOWN = "recurrence-known"
    BEYOND_FOLLOW_UP = "beyond-follow-up"
    # Single procedures
    BODY_SITE_ELSEWHERE = "body-site-elsewhere"
    OTHER_INDICATION = "other-indication"
    DIAGNOSIS_AFTER_PROCEDURE = "diagnosis-after-procedure"
    # Draws
    MISSING_NEUTROPHILS = "missing-neutrophils"
    MISSING_LYMPHOCYTES = "missing-lymphocytes"
    MISSING_PLATELETS = "missing-platelets"
    NO_COMPLETE_DRAW = "no-complete-draw"
    MIXED_BASIS = "mixed-basis"
    STALE = "stale"
    POST_PROCEDURE_WINDOW = "post-procedure-window"
    OUTSIDE_BASELINE_WINDOW = "outside-baseline-window"
    PROCEDURE_DATE_MISSING = "procedure-date-missing"
    ZERO_LYMPHOCYTES = "zero-lymphocytes"
    CONFLICTING_RESULTS = "conflicting-results"
    DIFFERENTIAL_INCONSISTENT = "differential-inconsistent"
    TRUNCATED = "truncated"
    # Single Observations
    CODE_CONFLICT = "code-conflict"
    STATUS_NOT_ACCEPTED = "status-not-accepted"
    SUBJECT_MISMATCH = "subject-mismatch"
    SUBJECT_MISSING = "subject-missing"
    UNIT_MISSING = "unit-missing"
    UNIT_UNKNOWN = "unit-unknown"
    UNIT_CONFLICT = "unit-conflict"
    PROPERTY_CONFLICT = "property-conflict"
    SPECIMEN_NOT_BLOOD = "specimen-not-blood"
    PLATELET_CLUMPING = "platelet-clumping"
    FRACTION_MISLABELLED = "fraction-mislabelled"
    VALUE_MISSING = "value-missing"
    VALUE_NOT_NUMERIC = "value-not-numeric"
    COMPARATOR = "comparator"
    DATA_ABSENT = "data-absent"
    NO_EFFECTIVE_TIME = "no-effective-time"
    IMPRECISE_TIME = "imprecise-time"
    FUTURE_TIME = "future-time"
    IMPLAUSIBLE = "implausible"
    MALFORMED = "malformed"

    # That of the text: the one of Enum is a Python function.
    __hash__ = str.__hash__
