"""Is this patient one the study speaks about? Alive, adult, liver cancer alone, treated, nothing known to be back."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cds_service.clinical.closed_days import closing_times, open_days
from cds_service.clinical.reasons import Reason
from cds_service.clinical.timing import TreatmentCalendar

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date, datetime

    from cds_service.clinical.chart_facts import ChartFacts, ConditionFact, PatientFact, ProcedureTime
    from cds_service.clinical.closed_days import OpenDays
    from cds_service.clinical.policy import ClinicalPolicy

# Categories of the condition tables (fhir_mappings/conditions.toml).
PRIMARY = "primary"
HISTORY = "history"
OTHER_HISTOLOGY = "other-histology"
CANCER_CATEGORIES = frozenset({PRIMARY, HISTORY})
# In the liver: a later procedure there may have treated it.
RECURRENCE_CATEGORIES = frozenset({"secondary", "recurrence"})
# Outside the liver: no interventional procedure there treats it.
METASTASIS = "metastasis"
TRANSPLANT_STATUS = "transplant-status"
LIVER_TRANSPLANT = "liver-transplant"


class Eligibility(NamedTuple):
    """The answer: `reason` is None for an eligible patient. `procedures` are the dated ones, latest end first.

    Of those that end together the one that began last comes first, whatever the order sent. `unsure` tells that the
    reason rests on a list of which a part is missing. `overdue` tells that every dated procedure is too long ago.
    `closing` are other procedures after which blood is not used.
    """

    reason: Reason | None
    procedures: tuple[ProcedureTime, ...]
    undated_procedures: int
    unsure: bool = False
    overdue: bool = False
    closing: tuple[ProcedureTime, ...] = ()

    def calendar(self, policy: ClinicalPolicy, now: datetime) -> TreatmentCalendar:
        """Return the days on which blood can be used, as of a moment."""
        return TreatmentCalendar(self.procedures, policy, now.astimezone(policy.timezone).date(), self.closing)

    def open_days(self, policy: ClinicalPolicy, now: datetime) -> OpenDays | None:
        """Return the days that the procedures leave open; None where none is dated."""
        today = now.astimezone(policy.timezone).date()
        return open_days(self.procedures, self.closing, policy, today) if self.procedures else None

    @property
    def latest_is_dated(self) -> bool:
        """Tell whether the latest procedure can be told; one without a date may be later than all others."""
        return not self.undated_procedures or bool(self.procedures and not self.overdue)


def judge_eligibility(facts: ChartFacts, policy: ClinicalPolicy, now: datetime) -> Eligibility:
    """Judge a patient by the facts of the chart; the first question that fails gives the reason.

    A patient whose birth date is not known is not excluded for age. With eligibility "assume" neither cancer nor
    procedure is asked for, since the CDS Client calls for the right patients only. What a truncated list does not hold
    is not known to be missing (`unsure`), unless what it holds excludes the patient all the same.
    """
    today = now.astimezone(policy.timezone).date()
    times = (p.performed for p in facts.procedures if p.performed is not None)
    dated = tuple(sorted(times, key=_latest_end, reverse=True))
    undated = sum(p.performed is None for p in facts.procedures)
    overdue = bool(dated) and _is_beyond_follow_up(dated[0].last_day(today), policy.follow_up_years, today)
    reasons = _reasons(facts, dated, policy, today, beyond=overdue and not undated)
    reason = next(reasons, None)
    unsure = (reason is Reason.NO_PRIMARY_LIVER_CANCER and facts.conditions_truncated) or (
        reason is Reason.NO_INTERVENTIONAL_PROCEDURE and facts.procedures_truncated
    )
    if unsure and Reason.METASTASIS_KNOWN in reasons:
        reason, unsure = Reason.METASTASIS_KNOWN, False
    return Eligibility(reason, dated, undated, unsure, overdue, closing_times(facts.operations))


def _reasons(
    facts: ChartFacts, dated: Sequence[ProcedureTime], policy: ClinicalPolicy, today: date, *, beyond: bool
) -> Iterator[Reason]:
    """Yield every reason against the patient, in the order of the questions."""
    # Not that of the latest end: a procedure known to the year may have been before all others of that year.
    treated = max((time.first.day for time in dated), default=None)
    yield from _reasons_of_the_patient(facts.patient, policy, today)
    if policy.eligibility_required:
        yield from _reasons_of_the_cancer(facts.conditions)
    if any(_is_metastasis(c, treated) for c in facts.conditions):
        yield Reason.METASTASIS_KNOWN
    if policy.eligibility_required and not facts.procedures:
        yield Reason.NO_INTERVENTIONAL_PROCEDURE
    if _is_transplanted(facts, treated):
        yield Reason.LIVER_TRANSPLANTED
    if any(_is_recurrence(c, treated) for c in facts.conditions):
        yield Reason.RECURRENCE_KNOWN
    if beyond:
        yield Reason.BEYOND_FOLLOW_UP


def _reasons_of_the_patient(patient: PatientFact | None, policy: ClinicalPolicy, today: date) -> Iterator[Reason]:
    if patient is None:
        return
    if patient.replaced:
        yield Reason.RECORD_REPLACED
    if patient.deceased:
        yield Reason.DECEASED
    if _is_under_age(patient, policy.minimum_age, today):
        yield Reason.UNDER_AGE


def _reasons_of_the_cancer(conditions: Sequence[ConditionFact]) -> Iterator[Reason]:
    """Ask for a cancer that the study speaks about; its mere history does not tell another kind from it."""
    categories = {c.category for c in conditions}
    if PRIMARY in categories:
        return
    if OTHER_HISTOLOGY in categories:
        yield Reason.HISTOLOGY_NOT_STUDIED
    elif HISTORY not in categories:
        yield Reason.NO_PRIMARY_LIVER_CANCER


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


def _is_beyond_follow_up(treated: date, years: int, today: date) -> bool:
    """Tell whether the anniversary that ends follow-up is over; that of 29 February is 28 February in other years."""
    return (today.year, today.month, today.day) > (treated.year + years, treated.month, treated.day)


def _is_metastasis(condition: ConditionFact, treated: date | None) -> bool:
    """Tell whether a metastasis outside the liver is known: at any date, unless it was over before the procedure."""
    return condition.category == METASTASIS and not (condition.over and _was_before(condition, treated))


def _is_transplanted(facts: ChartFacts, treated: date | None) -> bool:
    """Tell whether the treated liver is gone: a transplant on the day of the latest procedure or later.

    A dated transplant tells more than a status, whose day is when somebody wrote it down.
    """
    days = [
        o.performed.last.day
        for o in facts.operations
        if o.kind == LIVER_TRANSPLANT and o.completed and o.performed is not None
    ]
    if days:
        return treated is None or max(days) >= treated
    return any(c.category == TRANSPLANT_STATUS and not _was_before(c, treated) for c in facts.conditions)


def _is_recurrence(condition: ConditionFact, treated: date | None) -> bool:
    """Tell whether a Condition answers the question already: back in the liver, undated or after the procedure.

    `treated` is the first day on which the latest procedure may have been: none was surely later. What is recorded on
    that day is what the procedure was for.
    """
    if condition.category not in RECURRENCE_CATEGORIES and not condition.recurrence_status:
        return False
    return treated is None or condition.last_day is None or condition.last_day > treated


def _was_before(condition: ConditionFact, treated: date | None) -> bool:
    return treated is not None and condition.last_day is not None and condition.last_day < treated
