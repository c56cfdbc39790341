"""Decisions that the service recorded, joined with what became of the patients: the design `recorded`.

What a recomputation from the export would have said stands beside each decision that it would have made otherwise, with
what differs between the record and the export.
"""

from __future__ import annotations

from datetime import datetime  # noqa: TC003  # msgspec looks it up when the struct is made
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import msgspec

from cds_service.audit.building import DATA_UNAVAILABLE
from cds_service.audit.entries import verdict_members
from cds_service.insight.cohort.as_of import decide_as_of, moment_of
from cds_service.insight.cohort.designs import RECORDED
from cds_service.insight.cohort.rows import AssessedRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from cds_service.audit.records import HookRecord, ResultEntry
    from cds_service.decision.flow import Decision
    from cds_service.insight.cohort.assessing import Course, Plan
    from cds_service.insight.cohort.patient_record import PatientRecord

_DECIDED: Final = frozenset({"above-cutoff", "not-above-cutoff"})
_ANALYTES: Final = ("neutrophils", "lymphocytes", "platelets", "albumin")

DISAGREEMENT_COLUMNS: Final = (
    *("record", "patient", "decision"),
    *("recorded_outcome", "recorded_reason", "recorded_sii"),
    *("recomputed_outcome", "recomputed_reason", "recomputed_sii"),
    "explanation",
)
# Why a recomputation may say something else.
NOT_IN_EXPORT: Final = "patient-not-in-export"
NOTHING_DECIDED: Final = "data-were-unavailable"
OTHER_VERSION: Final = "other-version"
OTHER_LIMITS: Final = "other-limits"
OTHER_RESULTS: Final = "other-results"
CHANGED_RESULTS: Final = "changed-results"
OTHER_DIAGNOSES: Final = "other-diagnoses"
OTHER_PROCEDURES: Final = "other-procedures"
UNEXPLAINED: Final = "unexplained"


class RecordedDecision(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the design needs of an audit record. `results` are those used, by reference, with version and value."""

    sequence: int
    time: datetime
    outcome: str
    reasons: tuple[str, ...]
    sii: str | None
    cutoff: str | None
    relation: str | None
    days: int | None
    basis: str | None
    rule_version: str
    mapping_version: str
    same_limits: bool
    values: dict[str, str]
    results: dict[str, tuple[str, str]]
    conditions: tuple[str, ...]
    procedures: tuple[str, ...]


_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final = msgspec.json.Decoder(RecordedDecision)


def encode_decision(sequence: int, record: HookRecord, *, same_limits: bool) -> bytes:
    """Return what the design needs of a record as one line; `same_limits`: decided under the limits of today."""
    counts = [entry for entry in record.used if entry.analyte in _ANALYTES]
    return _ENCODER.encode(
        RecordedDecision(
            sequence=sequence,
            time=record.time,
            outcome=record.outcome,
            reasons=record.reasons or record.missing,
            sii=record.sii,
            cutoff=record.cutoff,
            relation=record.relation,
            days=record.days_from_procedure,
            basis=record.basis,
            rule_version=record.rule_version,
            mapping_version=record.mapping_version,
            same_limits=same_limits,
            values=_values(counts),
            results={entry.reference: (entry.version, str(entry.value or "")) for entry in record.used},
            conditions=tuple(entry.reference for entry in record.conditions),
            procedures=tuple(entry.reference for entry in record.procedures),
        )
    )


def _values(entries: Sequence[ResultEntry]) -> dict[str, str]:
    """Return the value of each analyte that one result gives; of a total added up from parts nothing."""
    names = [entry.analyte for entry in entries]
    return {e.analyte: f"{e.value:f}" for e in entries if e.value is not None and names.count(e.analyte) == 1}


# A line about a decision of which the export says something else.
Disagreement = tuple[str, ...]


def recorded_rows(
    patient: str, record: PatientRecord | None, courses: Sequence[Course], lines: Iterable[bytes], plan: Plan
) -> tuple[list[AssessedRow], list[Disagreement]]:
    """Return a row for every decision about a patient, and what a recomputation disagrees with.

    `record` is None for a patient of whom the export holds nothing.
    """
    decisions = sorted(map(_DECODER.decode, lines), key=lambda decision: (decision.time, decision.sequence))
    rows = [_row(patient, decision, record, plan) for decision in decisions]
    entered: set[int] = set()
    for number, (row, decision) in enumerate(zip(rows, decisions, strict=True)):
        if decision.outcome in _DECIDED:
            rows[number] = _enter(row, courses, entered, plan)
    found = (_disagreement(row, decision, record, plan) for row, decision in zip(rows, decisions, strict=True))
    return rows, [one for one in found if one is not None]


def _row(patient: str, decision: RecordedDecision, record: PatientRecord | None, plan: Plan) -> AssessedRow:
    day = decision.time.astimezone(plan.site.policy.timezone).date()
    return AssessedRow(
        patient=plan.name(patient),
        design=RECORDED,
        decision=day,
        outcome=decision.outcome,
        reason=",".join(decision.reasons),
        sii=_number(decision.sii),
        relation=(decision.relation or "") if decision.outcome in _DECIDED else "",
        days=decision.days if decision.outcome in _DECIDED else None,
        cutoff=_number(decision.cutoff),
        basis=(decision.basis or "") if decision.outcome in _DECIDED else "",
        sex=record.sex if record is not None else "",
        age=record.age_on(day) if record is not None else None,
        record=decision.sequence,
        rule_version=decision.rule_version,
        mapping_version=decision.mapping_version,
        **{name: _number(decision.values.get(name)) for name in _ANALYTES},  # type: ignore[arg-type]
    )


def _enter(row: AssessedRow, courses: Sequence[Course], entered: set[int], plan: Plan) -> AssessedRow:
    """Enter the first decided row of each index procedure, if time can be counted from it."""
    begun = [number for number, course in enumerate(courses) if course.index.day <= row.decision]
    if not begun:
        return row
    course = courses[begun[-1]]
    row = row._replace(therapy=course.index.therapy)
    events = course.events
    if begun[-1] in entered or events.are_undatable(course.index.day):
        return row
    entered.add(begun[-1])
    if events.first_after(course.index.day, row.decision) is not None or events.is_dead(row.decision):
        return row
    followed = events.follow_up(course.index.day, row.decision, plan.follow_up)
    return row._replace(time=max((followed.end - row.decision).days, 0), event=followed.event, entered=1)


def _disagreement(
    row: AssessedRow, decision: RecordedDecision, record: PatientRecord | None, plan: Plan
) -> Disagreement | None:
    if record is None:
        return _told(row, decision, {}, (NOT_IN_EXPORT,))
    again = decide_as_of(record, moment_of(decision.time, plan.site), plan.site, plan.memory)
    members = verdict_members(again.assessment, keep_values=True)
    if _verdict(decision) == _verdict_again(members):
        return None
    return _told(row, decision, members, tuple(_explain(decision, again, members, plan)))


def _told(
    row: AssessedRow, decision: RecordedDecision, members: Mapping[str, Any], why: tuple[str, ...]
) -> Disagreement:
    reasons = ",".join(map(str, members.get("reasons", ())))
    recorded = (decision.outcome, row.reason, decision.sii or "")
    recomputed = (members.get("outcome", ""), reasons, members.get("sii") or "")
    day = row.decision.isoformat()
    return (str(decision.sequence), row.patient, day, *recorded, *recomputed, ",".join(why))


def _verdict(decision: RecordedDecision) -> tuple[Any, ...]:
    place = (decision.relation, decision.days, decision.basis) if decision.outcome in _DECIDED else ()
    return decision.outcome, sorted(decision.reasons), decision.sii, place


def _verdict_again(members: Mapping[str, Any]) -> tuple[Any, ...]:
    names = ("relation", "days_from_procedure", "basis")
    place = tuple(members.get(name) for name in names) if members["outcome"] in _DECIDED else ()
    return members["outcome"], sorted(map(str, members.get("reasons", ()))), members.get("sii"), place


def _explain(decision: RecordedDecision, again: Decision, members: Mapping[str, Any], plan: Plan) -> Iterator[str]:
    """Name what differs between the record and the export, or between then and now."""
    site = plan.site
    differences = {
        NOTHING_DECIDED: decision.outcome == DATA_UNAVAILABLE,
        OTHER_VERSION: (decision.rule_version, decision.mapping_version)
        != (site.service.rule_version, site.mappings.version),
        OTHER_LIMITS: not decision.same_limits,
        OTHER_DIAGNOSES: set(decision.conditions) != {fact.reference for fact in again.facts.conditions},
        OTHER_PROCEDURES: set(decision.procedures) != {fact.reference for fact in again.facts.procedures},
        **_results_differ(decision.results, members.get("used", ())),
    }
    found = [name for name, differs in differences.items() if differs]
    yield from found or [UNEXPLAINED]


def _results_differ(then: Mapping[str, tuple[str, str]], now: Iterable[ResultEntry]) -> dict[str, bool]:
    """Compare the draws by their results; versions and values only where both sides tell them."""
    again = {entry.reference: (entry.version, str(entry.value or "")) for entry in now}
    changed = any(
        old and new and old != new
        for reference in then.keys() & again.keys()
        for old, new in zip(then[reference], again[reference], strict=True)
    )
    return {OTHER_RESULTS: then.keys() != again.keys(), CHANGED_RESULTS: changed}


def _number(text: str | None) -> Decimal | None:
    return Decimal(text) if text else None
