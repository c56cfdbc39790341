"""From the lines of one patient to rows: pure, the same for every engine."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Context, Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from cds_service.clinical.outcomes import Indeterminate, NotEligible
from cds_service.clinical.reasons import Reason
from cds_service.clinical.timing import Relation
from cds_service.insight.cohort.as_of import decide_as_of, end_of
from cds_service.insight.cohort.designs import days_with_draws
from cds_service.insight.cohort.export_heads import RECORDED_DECISION
from cds_service.insight.cohort.happenings import adjudicate, find_events, find_index_procedures
from cds_service.insight.cohort.patient_record import read_record
from cds_service.insight.cohort.recorded import recorded_rows
from cds_service.insight.cohort.rows import LEFT_BEFORE, NO_EVENT, RECURRENCE, UNDATABLE, AssessedRow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from cds_service.clinical.outcomes import Assessment, Decided
    from cds_service.clinical.rule import Criterion
    from cds_service.decision.reading_memory import ReadingMemory
    from cds_service.decision.site import Site
    from cds_service.insight.cohort.adjudication import Adjudicated
    from cds_service.insight.cohort.designs import Design
    from cds_service.insight.cohort.export_heads import Kind
    from cds_service.insight.cohort.happenings import Events, IndexProcedure
    from cds_service.insight.cohort.patient_record import PatientRecord

# Of SII, which is a fraction.
_DIGITS: Final = Context(prec=28)
_OF_A_DECIDED_ROW: Final = (
    *("sii", "relation", "days", "time", "event", "entered"),
    *("basis", "neutrophils", "lymphocytes", "platelets", "albumin"),
)
# Only to read dates with: nothing is judged by it.
_NO_MOMENT: Final = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is asked of every patient. `until` is the last day that the export speaks of.

    `name` makes of a patient's id what stands in the rows. `adjudicated` is by id or by that name. `memory` is of what
    was read in other charts.
    """

    site: Site
    designs: tuple[Design, ...]
    name: Callable[[str], str]
    memory: ReadingMemory
    only_first: bool = True
    course: timedelta = timedelta(0)
    follow_up: timedelta = timedelta(days=1826)
    until: date | None = None
    adjudicated: Mapping[str, Adjudicated] = field(default_factory=lambda: MappingProxyType({}))

    def rulings(self, patient_id: str) -> Adjudicated | None:
        """Return what was adjudicated of a patient."""
        if not self.adjudicated:
            return None
        return self.adjudicated.get(patient_id) or self.adjudicated.get(self.name(patient_id))


class AssessedPatient(NamedTuple):
    """The rows of one patient; none where no procedure begins follow-up and nothing was recorded.

    `index_procedures` are those that rows were made for. `unclear` counts resources of which nothing tells the newest
    version, `disagreements` are lines about recorded decisions. `is_in_export`: the export holds something of them.
    """

    rows: tuple[AssessedRow, ...]
    index_procedures: int
    unclear: int = 0
    disagreements: tuple[tuple[str, ...], ...] = ()
    is_in_export: bool = True


@dataclass(frozen=True, slots=True)
class Course:
    """A patient from an index procedure on."""

    record: PatientRecord
    events: Events
    index: IndexProcedure


def assess_patient(patient_id: str, lines: Iterable[tuple[Kind, bytes]], plan: Plan) -> AssessedPatient:
    """Assess one patient from all lines that speak of the patient, in any order: of an export, and recorded decisions.

    A patient whom only records know goes by the name that the records have.
    """
    sent, recorded = [], []
    for kind, content in lines:
        if kind == RECORDED_DECISION:
            recorded.append(content)
        else:
            sent.append((kind, content))
    if not sent:
        rows, disagreements = recorded_rows(patient_id, None, (), recorded, plan)
        return AssessedPatient(_sorted(rows), 0, 0, tuple(disagreements), is_in_export=False)
    record, courses = follow_patient(patient_id, sent, plan)
    rows, disagreements = recorded_rows(patient_id, record, courses, recorded, plan) if recorded else ([], [])
    rows += [_assess(course, design, plan) for course in courses for design in plan.designs]
    return AssessedPatient(_sorted(rows), len(courses), record.unclear, tuple(disagreements))


def _sorted(rows: Iterable[AssessedRow]) -> tuple[AssessedRow, ...]:
    return tuple(sorted(rows, key=lambda row: (row.patient, row.design, row.decision, row.record or 0)))


def follow_patient(
    patient_id: str, lines: Iterable[tuple[Kind, bytes]], plan: Plan
) -> tuple[PatientRecord, tuple[Course, ...]]:
    """Return what is recorded of a patient, and what followed each index procedure."""
    record = read_record(patient_id, lines, plan.memory.times(_NO_MOMENT), plan.until)
    procedures = find_index_procedures(record, plan.site, plan.course)
    rulings = plan.rulings(patient_id)
    if rulings is not None:
        record = adjudicate(record, plan.site, rulings)
    events = find_events(record, plan.site, rulings) if procedures else None
    if events is None:
        return record, ()
    wanted = procedures[:1] if plan.only_first else procedures
    return record, tuple(Course(record, events, index) for index in wanted)


def _assess(course: Course, design: Design, plan: Plan) -> AssessedRow:
    if design.days is None:
        return _at_first_draw(course, design, plan)
    day = course.index.day + timedelta(days=design.days)
    return _put_out(course, design, day, plan) or _by_rule(course, design, day, plan)[0]


def _at_first_draw(course: Course, design: Design, plan: Plan) -> AssessedRow:
    """Ask on each day with a draw until one decides; else the row is that of the first, or of the first open day.

    Of the days after the first only whether they decide is asked, so that years of draws that cannot be used cost in
    proportion to their number.
    """
    first_open = course.index.day + timedelta(days=plan.site.policy.post_procedure_exclusion_days + 1)
    undecided: AssessedRow | None = None
    for day in days_with_draws(course.record, plan.site.mappings, first_open):
        out = _put_out(course, design, day, plan)
        if out is not None:
            return out
        row, assessment = _by_rule(course, design, day, plan, is_whole=undecided is None)
        if isinstance(assessment, NotEligible) or _decided_after(assessment, first_open):
            return row
        undecided = undecided or _without_draw(row)
    if undecided is not None:
        return undecided
    out = _put_out(course, design, first_open, plan)
    return out or _without_draw(_by_rule(course, design, first_open, plan)[0])


def _decided_after(assessment: Assessment, first: date) -> bool:
    if isinstance(assessment, Indeterminate | NotEligible):
        return False
    return assessment.timed.relation is not Relation.BEFORE and assessment.timed.draw.effective.day >= first


def _without_draw(row: AssessedRow) -> AssessedRow:
    """Return the row of a day on which no draw after the procedure decided; one before it is another design's."""
    if not row.entered:
        return row
    nothing: dict[str, Any] = AssessedRow._field_defaults
    cells = {name: nothing[name] for name in _OF_A_DECIDED_ROW}
    return row._replace(outcome="indeterminate", reason=str(Reason.NO_COMPLETE_DRAW), **cells)


def _put_out(course: Course, design: Design, day: date, plan: Plan) -> AssessedRow | None:
    """Return the row of a patient of whom the rule is not asked: undatable, or gone before; None for all others."""
    events, index_day = course.events, course.index.day
    if events.are_undatable(index_day):
        return frame(course, design.name, day, plan)._replace(outcome=UNDATABLE)
    gone = events.first_after(index_day, day)
    if gone is not None:
        return _left(course, design, day, plan, "recurred" if gone.event == RECURRENCE else "died")
    if design.is_landmark and not events.is_dead(day):
        followed = events.follow_up(index_day, day, plan.follow_up)
        if followed.event == NO_EVENT and followed.end <= day:
            return _left(course, design, day, plan, "lost")
    return None


def _left(course: Course, design: Design, day: date, plan: Plan, reason: str) -> AssessedRow:
    return frame(course, design.name, day, plan)._replace(outcome=LEFT_BEFORE, reason=reason)


def _by_rule(
    course: Course, design: Design, day: date, plan: Plan, *, is_whole: bool = True
) -> tuple[AssessedRow, Assessment]:
    decision = decide_as_of(course.record, end_of(day, plan.site), plan.site, plan.memory, is_whole=is_whole)
    assessment = decision.assessment
    row = frame(course, design.name, day, plan)._replace(outcome=assessment.outcome)
    if isinstance(assessment, Indeterminate | NotEligible):
        return row._replace(reason=",".join(assessment.reasons)), assessment
    followed = course.events.follow_up(course.index.day, day, plan.follow_up)
    time = max((followed.end - day).days, 0)
    return row._replace(
        **decided_cells(assessment, plan.site.criterion), time=time, event=followed.event, entered=1
    ), assessment


def frame(course: Course, design: str, day: date, plan: Plan) -> AssessedRow:
    """Return the row of a patient on a day before anything is decided."""
    record, site = course.record, plan.site
    return AssessedRow(
        patient=plan.name(record.patient_id),
        design=design,
        decision=day,
        outcome="",
        cutoff=site.policy.cutoff,
        sex=record.sex,
        age=record.age_on(day),
        therapy=course.index.therapy,
        rule_version=site.service.rule_version,
        mapping_version=site.mappings.version,
    )


def decided_cells(assessment: Decided, criterion: Criterion) -> dict[str, Any]:
    """Return what a decided row says of the draw that decided."""
    timed, albumin = assessment.timed, assessment.albumin
    sii = criterion.value(timed.draw)
    return {
        "sii": _DIGITS.divide(Decimal(sii.numerator), Decimal(sii.denominator)),
        "relation": str(timed.relation or ""),
        "days": timed.days,
        "basis": str(timed.draw.basis),
        "neutrophils": timed.draw.neutrophils.quantity.value,
        "lymphocytes": timed.draw.lymphocytes.quantity.value,
        "platelets": timed.draw.platelets.quantity.value,
        "albumin": albumin.result.quantity.value if albumin is not None and albumin.within_window else None,
    }
