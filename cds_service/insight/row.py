"""The one shape of a decision that is counted, whatever it comes from: the audit log, an export, a FHIR server.

A row holds codes, numbers and identifiers. It has no member for a name, a comment, a card's text or anything else that
somebody wrote, so that no figure made of rows can show it.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal, InvalidOperation
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from cds_service.audit.entries import incomplete_draw
from cds_service.audit.records import HookRecord
from cds_service.clinical.outcomes import AboveCutoff, NotAboveCutoff

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime, tzinfo

    from cds_service.audit.records import FeedbackRecord, ResultEntry, ViewRecord
    from cds_service.clinical.models import LabResult
    from cds_service.clinical.outcomes import Assessment
    from cds_service.clinical.timing import TimedDraw
    from cds_service.decision.flow import Decision

# Outcomes with a value that was compared with the cut-off.
DECIDED: Final = frozenset({"above-cutoff", "not-above-cutoff"})
NOT_ELIGIBLE: Final = "not-eligible"
INDETERMINATE: Final = "indeterminate"
UNAVAILABLE: Final = "data-unavailable"

# What asked for the decision: a hook call, a page of the trend app, or a chart that was read from a source.
Kind = Literal["hook", "view", "chart"]

# The unit of shares of the leukocytes in UCUM; counts have another scale.
_SHARE: Final = "1"
_NO_COUNTS: Final[Mapping[str, int]] = MappingProxyType({})


class Version(NamedTuple):
    """What decisions are made with: versions of the rule and of the mapping tables, hash of the configuration."""

    rule: str
    mappings: str
    configuration: str


class UsedResult(NamedTuple):
    """A result the decision rests on, as reported: its analyte and code, its value where the source keeps values.

    `value` in 10*9/L, or a share of the leukocytes (`is_share`); albumin in g/L.
    """

    analyte: str
    code: str
    value: Decimal | None = None
    is_share: bool = False


class Exclusion(NamedTuple):
    """A kind of result that was not used: reason and analyte (empty where the analyte could not be told)."""

    reason: str
    analyte: str


class DecisionRow(NamedTuple):
    """One decision of one service about one patient.

    `day` is the calendar day of `time` at the site. `patient` and `user` are identifiers or pseudonyms, whatever the
    source holds. `reasons` are those of the answer: why a patient is not eligible or SII cannot be told; `truncated`
    beside a decision. `missing` names the prefetch keys of an outcome `data-unavailable`. `value` is SII in 10*9/L as
    it was told, with `cutoff`; `basis`, `sampled` (the day of the draw as reported), `relation` and `days` as in the
    answer; all None or empty where there are none. `codes` are the results SII was computed from, and the albumin
    beside them. `exclusions` counts results that were not used by reason, `excluded` names their kinds; `newer` are
    the analytes of usable results newer than the newest complete draw. `presentation` tells what became of the card:
    shown, silent, snoozed or none; of a view: shown or refused. `ms` is how long the decision took.
    """

    kind: Kind
    service: str
    client: str
    time: datetime
    day: date
    patient: str
    outcome: str
    version: Version
    mode: str = ""
    user: str = ""
    card: str | None = None
    presentation: str = "none"
    reasons: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    value: Decimal | None = None
    cutoff: Decimal | None = None
    basis: str = ""
    sampled: date | None = None
    relation: str = ""
    days: int | None = None
    codes: tuple[UsedResult, ...] = ()
    exclusions: Mapping[str, int] = _NO_COUNTS
    excluded: tuple[Exclusion, ...] = ()
    newer: tuple[str, ...] = ()
    ms: float | None = None

    @property
    def is_decided(self) -> bool:
        """Whether SII was compared with the cut-off."""
        return self.outcome in DECIDED

    @property
    def is_shown(self) -> bool:
        """Whether a card, or the page of a view, left the service."""
        return self.presentation == "shown"


class AnswerRow(NamedTuple):
    """What a user did with a card: `outcome` is accepted or overridden, `reason` a code and `system` where it is of."""

    service: str
    client: str
    time: datetime
    day: date
    card: str
    outcome: str
    reason: str | None
    system: str | None


class Asked(NamedTuple):
    """Which service decided about whom, when, and with what; `day` is the calendar day of `time` at the site."""

    service: str
    client: str
    time: datetime
    day: date
    patient: str
    version: Version


def row_of_decision(decision: Decision, asked: Asked) -> DecisionRow:
    """Return the row of a decision that was made from a chart; nothing of it was shown to anybody."""
    assessment, laboratory = decision.assessment, decision.laboratory
    timed = _timed(assessment)
    counts = laboratory.counts if laboratory is not None else None
    return DecisionRow(
        "chart",
        *asked[:5],
        assessment.outcome,
        asked.version,
        reasons=tuple(map(str, assessment.reasons)),
        value=assessment.value,
        cutoff=assessment.cutoff,
        basis=str(timed.draw.basis) if timed is not None else "",
        sampled=_day_of(timed.draw.effective.isoformat()) if timed is not None else None,
        relation=str(timed.relation or "") if timed is not None else "",
        days=timed.days if timed is not None else None,
        codes=tuple(map(_used, _results(assessment))),
        exclusions={str(reason): count for reason, count in assessment.exclusions.items()},
        excluded=_kinds((each.reason, each.analyte) for each in counts.excluded) if counts is not None else (),
        newer=incomplete_draw(counts) if counts is not None else (),
    )


def row_of_unavailable(asked: Asked, missing: tuple[str, ...]) -> DecisionRow:
    """Return the row of a patient for whom required data cannot be had, by the prefetch keys nobody answered."""
    return DecisionRow("chart", *asked[:5], UNAVAILABLE, asked.version, missing=missing)


def row_of_record(record: HookRecord | ViewRecord, zone: tzinfo) -> DecisionRow:
    """Return the row of a recorded hook call or view; days are those of `zone`."""
    is_hook = isinstance(record, HookRecord)
    reasons = record.reasons or (("truncated",) if record.truncated and record.outcome in DECIDED else ())
    return DecisionRow(
        "hook" if is_hook else "view",
        record.service,
        record.client,
        record.time,
        record.time.astimezone(zone).date(),
        record.patient,
        record.outcome,
        Version(record.rule_version, record.mapping_version, record.configuration),
        record.mode if isinstance(record, HookRecord) else "",
        record.user,
        record.card,
        record.how_presented,
        reasons,
        record.missing,
        _number(record.sii),
        _number(record.cutoff),
        record.basis or "",
        _day_of(record.sample_time),
        record.relation or "",
        record.days_from_procedure,
        tuple(map(_recorded, record.used)),
        record.exclusion_counts if record.excluded or record.exclusions else _NO_COUNTS,
        _kinds((entry.reason, entry.analyte) for entry in record.excluded) if record.excluded else (),
        record.incomplete_draw,
        sum(record.timings_ms.values()) if record.timings_ms else None,
    )


def row_of_answer(record: FeedbackRecord, zone: tzinfo) -> AnswerRow:
    """Return the row of a feedback item, without its comment."""
    day = record.time.astimezone(zone).date()
    return AnswerRow(
        record.service,
        record.client,
        record.time,
        day,
        record.card,
        record.outcome,
        record.reason_code,
        record.reason_system,
    )


def _timed(assessment: Assessment) -> TimedDraw | None:
    """Return the draw an assessment is about; an indeterminate one may have none."""
    if isinstance(assessment, (AboveCutoff, NotAboveCutoff)):
        return assessment.timed
    return assessment.newest_draw if assessment.outcome == INDETERMINATE else None


def _results(assessment: Assessment) -> Iterable[LabResult]:
    """Yield what SII was computed from as the laboratory reported it (of a derived total its parts), and albumin."""
    if isinstance(assessment, (AboveCutoff, NotAboveCutoff)):
        for whole in assessment.timed.draw.results:
            yield from whole.parts or (whole,)
        if assessment.albumin is not None:
            yield assessment.albumin.result


def _used(result: LabResult) -> UsedResult:
    quantity = result.quantity
    return UsedResult(str(result.analyte), result.origin.code, quantity.value, quantity.unit == _SHARE)


def _recorded(entry: ResultEntry) -> UsedResult:
    return UsedResult(entry.analyte, entry.code, entry.value, entry.unit == _SHARE)


def _kinds(excluded: Iterable[tuple[str, str | None]]) -> tuple[Exclusion, ...]:
    """Name each kind once, in an order that does not depend on the source."""
    return tuple(sorted({Exclusion(str(reason), str(analyte or "")) for reason, analyte in excluded}))


def _number(text: str | None) -> Decimal | None:
    if not text:
        return None
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def _day_of(sample_time: str | None) -> date | None:
    """Return the day a sample was taken on, in the offset it was reported with; None where there is no such day."""
    try:
        return date.fromisoformat(sample_time[:10]) if sample_time else None
    except ValueError:
        return None
