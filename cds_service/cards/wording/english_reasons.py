"""English words for every reason code, and the reasons a user may give for overriding a card."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cds_service.clinical.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Mapping

# Sentences for the detail of a card and for `sii-cds explain`.
REASONS: Final[Mapping[Reason, str]] = {
    Reason.RECORD_REPLACED: "This patient record was merged into another one and is no longer to be used.",
    Reason.HISTOLOGY_NOT_STUDIED: "Only a kind of liver cancer is recorded that the study hardly holds.",
    Reason.METASTASIS_KNOWN: "A metastasis outside the liver is recorded.",
    Reason.LIVER_TRANSPLANTED: "The liver was transplanted on the day of the latest procedure or later.",
    Reason.BEYOND_FOLLOW_UP: "The latest procedure is longer ago than the study followed its patients.",
    Reason.BODY_SITE_ELSEWHERE: "A procedure is recorded at another organ.",
    Reason.OTHER_INDICATION: "A procedure was done for another reason than liver cancer.",
    Reason.DIAGNOSIS_AFTER_PROCEDURE: "A procedure of many uses came long before liver cancer was recorded.",
    Reason.NO_PRIMARY_LIVER_CANCER: "No confirmed diagnosis of primary liver cancer is in the data.",
    Reason.NO_INTERVENTIONAL_PROCEDURE: "No completed interventional procedure on the liver is in the data.",
    Reason.UNDER_AGE: "The patient is, or may be, younger than the minimum age.",
    Reason.DECEASED: "The patient is recorded as deceased.",
    Reason.RECURRENCE_KNOWN: "Recurrence in the liver is already recorded, after the latest procedure or undated.",
    Reason.MISSING_NEUTROPHILS: "No usable neutrophils (count or percentage).",
    Reason.MISSING_LYMPHOCYTES: "No usable lymphocytes (count or percentage).",
    Reason.MISSING_PLATELETS: "No usable platelet count.",
    Reason.NO_COMPLETE_DRAW: "Neutrophils, lymphocytes and platelets exist, but not from one blood draw.",
    Reason.MIXED_BASIS: "Neutrophils and lymphocytes are not given on one basis: one as count, one as percentage.",
    Reason.STALE: "The newest blood draw after the procedure is too old.",
    Reason.POST_PROCEDURE_WINDOW: "Blood was or may have been drawn too soon after a procedure: counts are unsettled.",
    Reason.OUTSIDE_BASELINE_WINDOW: "Blood was drawn too long before the latest procedure.",
    Reason.PROCEDURE_DATE_MISSING: "The procedure that may be the latest one carries no date that can be read.",
    Reason.ZERO_LYMPHOCYTES: "Lymphocytes are zero; SII is undefined.",
    Reason.CONFLICTING_RESULTS: "The blood draw holds different values for the same test, and none is marked as newer.",
    Reason.DIFFERENTIAL_INCONSISTENT: (
        "The differential of the draw contradicts itself, or its readings lie on both sides of the cut-off."
    ),
    Reason.TRUNCATED: "The chart holds more entries than were delivered.",
    Reason.CODE_CONFLICT: "A result carries codes of different meaning.",
    Reason.STATUS_NOT_ACCEPTED: "A result is not final (for example preliminary, cancelled or entered in error).",
    Reason.SUBJECT_MISMATCH: "A result belongs to another patient record.",
    Reason.SUBJECT_MISSING: "A result does not say which patient it belongs to.",
    Reason.UNIT_MISSING: "A result has no unit.",
    Reason.UNIT_UNKNOWN: "A result has a unit that is not in the reviewed table.",
    Reason.UNIT_CONFLICT: "A result gives two units of different meaning.",
    Reason.PROPERTY_CONFLICT: (
        "The code of a result says count and its unit says share, or the reverse: one of the two is wrong."
    ),
    Reason.SPECIMEN_NOT_BLOOD: "A result is of another material than blood, such as ascites or bone marrow.",
    Reason.PLATELET_CLUMPING: "The laboratory found platelet clumps: the platelet count may be too low.",
    Reason.FRACTION_MISLABELLED: (
        "One share of the differential is very small: it may be a fraction with the wrong unit, or truly that low."
    ),
    Reason.VALUE_MISSING: "A result has no value.",
    Reason.VALUE_NOT_NUMERIC: "A result is text, not a number.",
    Reason.COMPARATOR: "A result is only a bound (such as < or >).",
    Reason.DATA_ABSENT: "A result is recorded as not available.",
    Reason.NO_EFFECTIVE_TIME: "A result does not say when the blood was taken.",
    Reason.IMPRECISE_TIME: "A result does not say on which day the blood was taken.",
    Reason.FUTURE_TIME: "A result is dated in the future.",
    Reason.IMPLAUSIBLE: "A result lies outside the range that this rule reads.",
    Reason.MALFORMED: "A result could not be read.",
}

# A few words for the one-line summary.
SHORT_REASONS: Final[Mapping[Reason, str]] = {
    Reason.MISSING_NEUTROPHILS: "neutrophils missing",
    Reason.MISSING_LYMPHOCYTES: "lymphocytes missing",
    Reason.MISSING_PLATELETS: "platelets missing",
    Reason.NO_COMPLETE_DRAW: "no complete blood draw",
    Reason.MIXED_BASIS: "differential on mixed basis",
    Reason.STALE: "blood counts too old",
    Reason.POST_PROCEDURE_WINDOW: "too soon after a procedure",
    Reason.OUTSIDE_BASELINE_WINDOW: "too long before the procedure",
    Reason.PROCEDURE_DATE_MISSING: "procedure without a date",
    Reason.ZERO_LYMPHOCYTES: "lymphocytes are zero",
    Reason.CONFLICTING_RESULTS: "conflicting results",
    Reason.DIFFERENTIAL_INCONSISTENT: "differential contradicts itself",
    Reason.TRUNCATED: "chart not delivered in full",
    Reason.CODE_CONFLICT: "conflicting codes",
    Reason.STATUS_NOT_ACCEPTED: "result not final",
    Reason.SUBJECT_MISMATCH: "result of another record",
    Reason.SUBJECT_MISSING: "result without patient",
    Reason.UNIT_MISSING: "unit missing",
    Reason.UNIT_UNKNOWN: "unit unknown",
    Reason.UNIT_CONFLICT: "conflicting units",
    Reason.PROPERTY_CONFLICT: "count or share unclear",
    Reason.SPECIMEN_NOT_BLOOD: "result not of blood",
    Reason.PLATELET_CLUMPING: "platelet clumps",
    Reason.FRACTION_MISLABELLED: "fraction labeled as percentage",
    Reason.VALUE_MISSING: "value missing",
    Reason.VALUE_NOT_NUMERIC: "value is text",
    Reason.COMPARATOR: "value is only a bound",
    Reason.DATA_ABSENT: "result not available",
    Reason.NO_EFFECTIVE_TIME: "sample time missing",
    Reason.IMPRECISE_TIME: "sample day unknown",
    Reason.FUTURE_TIME: "sample time in the future",
    Reason.IMPLAUSIBLE: "implausible value",
    Reason.MALFORMED: "result unreadable",
}

# Codes are stable: sites map them in their EHR. Order is the order shown.
OVERRIDE_REASONS: Final[Mapping[str, str]] = {
    "already-considered": "Already considered in the follow-up plan",
    "other-explanation": "Another cause explains the blood counts (infection, steroids, transfusion, ...)",
    "does-not-apply": "Does not apply to this patient (residual disease, palliative care, ...)",
    "data-wrong": "The data shown are wrong or incomplete",
    "not-convinced": "The evidence is not sufficient for me",
    "other": "Other reason",
}
