"""Is this patient one the study speaks about? Adult, alive, primary liver cancer, treated, no known recurrence."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cds_service.clinical.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from cds_service.clinical.chart_facts import ConditionFact, PatientFact, ProcedureFact, ProcedureTime
    from cds_service.clinical.policy import ClinicalPolicy

# Categories of the condition tables (fhir_mappings/conditions.toml).
CANCER_CATEGORIES = frozenset({"primary", "history"})
RECURRENCE_CATEGORIES = frozenset({"secondary", "recurrence", "metastasis"})


class Eligibility(NamedTuple):
    """The answer: `reason` is None for an eligible patient. `procedures` are the dated ones, latest end first.

    Of those that end together the one that began last comes first, whatever the order sent.
    """

    reason: Reason | None
    procedures: tuple[ProcedureTime, ...]
    undated_procedures: int


def judge_eligibility(
    patient: PatientFact | None,
    conditions: Sequence[ConditionFact],
    procedures: Sequence[ProcedureFact],
    policy: ClinicalPolicy,
    now: datetime,
) -> Eligibility:
    """Judge a patient by the facts of the chart; the first question answered "no" gives the reason.

    A patient whose birth date is not known is not excluded for age. With eligibility "assume" neither cancer nor
    procedure is asked for, since the CDS Client calls for the right patients only.
    """
    times = (p.performed for p in procedures if p.performed is not None)
    dated = sorted(times, key=_latest_end, reverse=True)
    reason = _first_reason(patient, conditions, procedures, dated, policy, now)
    return Eligibility(reason, tuple(dated), sum(p.performed is None for p in procedures))


def _first_reason(
    patient: PatientFact | None,
    conditions: Sequence[ConditionFact],
    procedures: Sequence[ProcedureFact],
    dated: Sequence[ProcedureTime],
    policy: ClinicalPolicy,
    now: datetime,
) -> Reason | None:
    today = now.astimezone(policy.timezone).date()
    if patient is not None and _is_under_age(patient, policy.minimum_age, today):
        return Reason.UNDER_AGE
    if patient is not None and patient.deceased:
        return Reason.DECEASED
    if policy.eligibility_required and not any(c.category in CANCER_CATEGORIES for c in conditions):
        return Reason.NO_PRIMARY_LIVER_CANCER
    if policy.eligibility_required and not procedures:
        return Reason.NO_INTERVENTIONAL_PROCEDURE
    # Not that of the latest end: a procedure known to the year may have been before all others of that year.
    treated = max((time.first.day for time in dated), default=None)
    if any(_is_recurrence(c, treated) for c in conditions):
        return Reason.RECURRENCE_KNOWN
    return None


def _latest_end(time: ProcedureTime) -> tuple[object, ...]:
    """Key that leaves the order of delivery nothing to decide: times with the same key are the same."""
    return time.last.order, time.first.order, time.ended, time.began


def _is_under_age(patient: PatientFact, minimum_age: int, today: date) -> bool:
    """Tell whether the patient may be younger than the minimum; a partial birth date counts by its last day."""
    born = patient.youngest_birth_day
    if born is None:
        return False
    had_birthday = (today.month, today.day) >= (born.month, born.day)
    return today.year - born.year - (not had_birthday) < minimum_age


def _is_recurrence(condition: ConditionFact, treated: date | None) -> bool:
    """Tell whether a Condition answers the question already: spread or recurrence not before the latest procedure.

    `treated` is the first day on which the latest procedure may have been: none was surely later.
    """
    speaks_of_recurrence = condition.category in RECURRENCE_CATEGORIES or condition.recurrence_status
    if not speaks_of_recurrence:
        return False
    return treated is None or condition.last_day is None or condition.last_day >= treated
