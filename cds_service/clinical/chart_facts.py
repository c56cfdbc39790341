"""What the rule reads of a chart besides blood counts: the patient, diagnoses, procedures, operations."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from cds_service.clinical.models import EffectiveTime


class ConditionFact(NamedTuple):
    """A Condition that bears on eligibility, by its category in the mapping tables.

    `first_day` is the first day of which it may speak, `last_day` the last; None when undated. `over` tells that it is
    resolved, inactive or in remission, and was not written down for an encounter.
    """

    category: str
    reference: str
    version: str
    code: str
    recurrence_status: bool
    last_day: date | None
    first_day: date | None = None
    over: bool = False


class ProcedureTime(NamedTuple):
    """When a procedure was done: the first and the last moment at which it may have been.

    They differ for a Period and for a date precise to the month or year. `last` is that of the record and may lie
    ahead. `began` and `ended` are the limits as recorded, a date of any precision or a date-time at the site.
    """

    first: EffectiveTime
    last: EffectiveTime
    began: str
    ended: str

    @property
    def is_of_one_day(self) -> bool:
        """Tell whether the record leaves no doubt about the day."""
        return self.first.day == self.last.day

    @property
    def is_precise(self) -> bool:
        """Tell whether both limits are recorded to the day."""
        return min(len(self.began), len(self.ended)) >= len("2026-01-31")

    def last_day(self, today: date) -> date:
        """Return the last day on which it may have been: never one to come, since it is completed."""
        return min(self.last.day, today)

    def isoformat(self) -> str:
        """Return the date as recorded; both limits where they differ, with a solidus between them (ISO 8601)."""
        return self.ended if self.began == self.ended else f"{self.began}/{self.ended}"


class ProcedureFact(NamedTuple):
    """A completed qualifying procedure. `performed` is None when the chart does not date it.

    `weak` tells that its code means more than the therapy of tumors of the liver.
    """

    therapy: str
    reference: str
    version: str
    code: str
    performed: ProcedureTime | None
    weak: bool = False


class OperationFact(NamedTuple):
    """A procedure that does not qualify and yet changes blood counts.

    `kind` is `interventional` for one that qualifies by its code and was begun and not completed, else the kind of the
    operation in the mapping tables (liver-resection, liver-transplant, splenectomy, other). `completed` tells its
    status, `performed` is None when undated.
    """

    kind: str
    reference: str
    code: str
    completed: bool
    performed: ProcedureTime | None


class PatientFact(NamedTuple):
    """What the rule needs of the Patient. `youngest_birth_day` is None when the birth date is not known.

    `is_readable` is False where a birth date or a death is recorded and cannot be read. `replaced` tells that the
    record was merged into another one and must no longer be used (FHIR R4: Patient.link).
    """

    youngest_birth_day: date | None
    deceased: bool
    is_readable: bool = True
    replaced: bool = False


class ChartFacts(NamedTuple):
    """All that eligibility is judged by. `conditions_truncated` and `procedures_truncated`: more exist than came."""

    patient: PatientFact | None
    conditions: Sequence[ConditionFact]
    procedures: Sequence[ProcedureFact]
    operations: Sequence[OperationFact] = ()
    conditions_truncated: bool = False
    procedures_truncated: bool = False
