"""One plain sentence for every outcome and reason code of an assessment, for a reader of the chart."""

from __future__ import annotations

OUTCOMES = {
    "above-cutoff": "SII is above the published cut-off.",
    "not-above-cutoff": "SII is not above the published cut-off.",
    "indeterminate": "SII could not be judged.",
    "not-eligible": "The rule does not apply to this patient.",
}

REASONS = {
    "no-primary-liver-cancer": "No primary liver cancer is recorded among the conditions.",
    "no-interventional-procedure": "No completed interventional procedure for liver cancer is recorded.",
    "under-age": "The patient is younger than the rule's minimum age.",
    "deceased": "The patient is recorded as deceased.",
    "recurrence-known": "Recurrence or metastasis is already recorded, so the question is answered.",
    "missing-neutrophils": "No usable neutrophil result was found.",
    "missing-lymphocytes": "No usable lymphocyte result was found.",
    "missing-platelets": "No usable platelet count was found.",
    "no-complete-draw": "No single blood draw holds neutrophils, lymphocytes and platelets together.",
    "stale": "The newest complete blood count is too old.",
    "post-procedure-window": "The blood was drawn too soon after a procedure, while the reaction to it lasts.",
    "outside-baseline-window": "The blood count before the procedure was drawn too long before it.",
    "zero-lymphocytes": "The newest count found no lymphocytes, so SII is undefined.",
    "status-not-accepted": "A result is preliminary, cancelled or entered in error.",
    "subject-mismatch": "A result belongs to another patient.",
    "subject-missing": "A result does not say which patient it belongs to.",
    "unit-missing": "A result has no unit.",
    "unit-unknown": "A result has a unit that the service does not know.",
    "unit-conflict": "The unit code and the unit text of a result contradict each other.",
    "value-missing": "A result has no value.",
    "value-not-numeric": "A result has text where a number is needed.",
    "comparator": "A result is only a bound (such as less than 0.1), not a value.",
    "data-absent": "The laboratory states that it could not give a value.",
    "no-effective-time": "A result does not say when the blood was drawn.",
    "imprecise-time": "A result does not say on which day the blood was drawn.",
    "future-time": "A result is dated in the future.",
    "implausible": "A value lies outside the plausible range; its unit should be checked.",
    "conflicting-results": "Two results of equal rank for the newest draw have different values.",
    "differential-inconsistent": "Counts and percentages of the newest draw contradict each other.",
    "malformed": "A resource could not be read.",
    "mixed-basis": "Neutrophils and lymphocytes are not both counts or both percentages.",
    "fraction-mislabelled": "A percentage of at most 1 looks like a fraction with the wrong unit.",
    "code-conflict": "The codes of a result name different measurements.",
    "procedure-date-missing": "No procedure has a date, so the timing of the blood count is unknown.",
    "truncated": "The results were delivered incompletely.",
}


def explain(reason: str) -> str:
    """Return the sentence for a reason code; a code without one is shown as it is."""
    return REASONS.get(reason, f"The service gave the reason “{reason}”.")
