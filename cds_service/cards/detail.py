"""The detail of a card: what the number is made of, what it rests on, and what it does not say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cds_service.cards import numbers
from cds_service.cards.blood_notes import notes_on_decided, notes_on_indeterminate
from cds_service.cards.chart_notes import not_checked, note_paragraphs
from cds_service.cards.gaps import Gap
from cds_service.cards.markdown import escape, table
from cds_service.clinical.evidence import IMPRECISION_BAND, PUBLISHED_CUTOFF, RULE_VERSION
from cds_service.clinical.models import Basis
from cds_service.clinical.outcomes import AboveCutoff
from cds_service.clinical.timing import Relation

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import date

    from cds_service.cards.wording.texts import Texts
    from cds_service.clinical.chart_facts import ProcedureTime
    from cds_service.clinical.closed_days import DaySpan, OpenDays
    from cds_service.clinical.models import LabResult
    from cds_service.clinical.outcomes import (
        AlbuminContext,
        Decided,
        Doubts,
        EarlierSII,
        Indeterminate,
        UnusedBlood,
    )
    from cds_service.clinical.policy import ClinicalPolicy
    from cds_service.clinical.reasons import Reason

_CODE_SYSTEMS: Final = {"loinc": "LOINC"}


def decided_detail(
    assessment: Decided, texts: Texts, mapping_version: str, cutoff_source: str, gaps: Collection[Gap] = ()
) -> str:
    """Write the detail for a decided outcome, most important paragraph first; `gaps` are data nobody delivered."""
    above = isinstance(assessment, AboveCutoff)
    statement = texts.above_statement if above else texts.not_above_statement
    paragraphs = [
        statement.format(sii=assessment.sii, cutoff=f"{assessment.cutoff:f}"),
        _site_cutoff(assessment, texts, cutoff_source),
        texts.truncated_note if assessment.truncated else "",
        *_gaps(gaps, texts),
        *_doubts(assessment.doubts, texts),
        *note_paragraphs(assessment.notes, texts),
        *notes_on_decided(assessment, texts),
        _near_cutoff(assessment, texts),
        texts.consider if above else texts.low_platelets_note,
        _inputs(assessment, texts),
        _timing(assessment, texts, gaps),
        *(_earlier(earlier, texts) for earlier in assessment.earlier),
        _albumin(assessment.albumin, texts, complete=Gap.ALBUMIN not in gaps),
        texts.evidence,
        not_checked(assessment.notes, texts),
        texts.version_line.format(rule=RULE_VERSION, mappings=mapping_version),
    ]
    return "\n\n".join(paragraph for paragraph in paragraphs if paragraph)


def indeterminate_detail(
    assessment: Indeterminate,
    texts: Texts,
    mapping_version: str,
    policy: ClinicalPolicy,
    gaps: Collection[Gap] = (),
) -> str:
    """Write the detail for an indeterminate outcome: every reason, what is there, and which blood can be read."""
    newest, latest = assessment.newest_result, assessment.latest_procedure
    paragraphs = [
        texts.indeterminate_statement,
        "\n".join(f"* {_dated_reason(assessment, reason, texts)}" for reason in assessment.reasons),
        *notes_on_indeterminate(assessment, texts),
        texts.newest_result_line.format(date=numbers.moment(newest)) if newest else "",
        _latest_procedure(latest, assessment.open_days, texts, policy) if latest else "",
        *note_paragraphs(assessment.notes, texts),
        *_gaps(gaps, texts),
        texts.version_line.format(rule=RULE_VERSION, mappings=mapping_version),
    ]
    return "\n\n".join(paragraph for paragraph in paragraphs if paragraph)


def _dated_reason(assessment: Indeterminate, reason: Reason, texts: Texts) -> str:
    taken = assessment.taken.get(reason)
    sentence = texts.reasons[reason]
    return texts.dated_reason.format(date=taken.day, reason=sentence) if taken is not None else sentence


def _latest_procedure(latest: ProcedureTime, days: OpenDays | None, texts: Texts, policy: ClinicalPolicy) -> str:
    lines = [texts.latest_procedure_line.format(date=numbers.procedure_date(latest, texts))]
    if not latest.is_of_one_day:
        lines.append(texts.procedure_span_line)
    if days is not None:
        lines.append(_open_days(days, latest, texts, policy))
    return " ".join(lines)


def _open_days(days: OpenDays, latest: ProcedureTime, texts: Texts, policy: ClinicalPolicy) -> str:
    """Say from which days blood is read, without those that any procedure closes."""
    after = [_span(span, latest, texts) for span in days.between]
    after.append(texts.readable_from.format(day=days.from_day))
    before = [_span(span, latest, texts) for span in days.before]
    line = texts.readable_before_line if before else texts.readable_line
    oldest = _days(policy.max_age_days, texts)
    return line.format(after=texts.either.join(after), oldest=oldest, before=texts.either.join(before))


def _span(span: DaySpan, latest: ProcedureTime, texts: Texts) -> str:
    if span.last == latest.first.day:
        return texts.readable_until_procedure.format(began=span.first)
    return texts.readable_span.format(began=span.first, ended=span.last)


def _days(count: int, texts: Texts) -> str:
    return texts.one_day if count == 1 else texts.several_days.format(count=count)


def _site_cutoff(assessment: Decided, texts: Texts, cutoff_source: str) -> str:
    if assessment.cutoff == PUBLISHED_CUTOFF:
        return ""
    return texts.site_cutoff_note.format(cutoff=f"{assessment.cutoff:f}", source=escape(cutoff_source))


def _near_cutoff(assessment: Decided, texts: Texts) -> str:
    near = abs(assessment.sii - assessment.cutoff) <= IMPRECISION_BAND[1]
    return texts.near_cutoff_note if near else ""


def _inputs(assessment: Decided, texts: Texts) -> str:
    draw = assessment.timed.draw
    rows = [_input_row(result, texts) for result in draw.results]
    formula = texts.formula.format(
        platelets=numbers.factor_text(draw.platelets),
        neutrophils=numbers.factor_text(draw.neutrophils),
        lymphocytes=numbers.factor_text(draw.lymphocytes),
        sii=assessment.sii,
    )
    parts = [texts.inputs_heading, table(texts.inputs_columns, rows), formula]
    if draw.basis is Basis.PERCENT:
        parts.append(texts.percent_basis_note)
    return "\n\n".join(parts)


def _input_row(result: LabResult, texts: Texts) -> tuple[str, str, str, str]:
    system = _CODE_SYSTEMS.get(result.origin.system, "")
    return (
        texts.analytes[result.analyte],
        numbers.reported(result, texts),
        numbers.moment(result.effective),
        f"{system} {escape(result.origin.code)}".strip(),
    )


def _timing(assessment: Decided, texts: Texts, gaps: Collection[Gap]) -> str:
    timed, latest = assessment.timed, assessment.latest_procedure
    if timed.days is None or latest is None:
        # Nobody can say what the chart does not hold when it was not delivered, or not readable.
        open_gaps = {Gap.PROCEDURES, Gap.SOME_PROCEDURES}.intersection(gaps)
        sentence = texts.sampled_unknown if open_gaps or assessment.doubts.unreadable else texts.sampled_unrelated
        line = sentence.format(date=numbers.moment(timed.draw.effective))
    elif timed.days == 0:
        # The day of the procedure itself is never read after it.
        line = texts.sampled_same_day.format(procedure=numbers.procedure_date(latest, texts))
    else:
        after = timed.relation is Relation.AFTER
        days = _days(timed.days, texts)
        if not latest.is_of_one_day:
            days = (texts.at_least if after else texts.at_most).format(days=days)
        sentence = texts.sampled_after if after else texts.sampled_before
        line = sentence.format(days=days, procedure=numbers.procedure_date(latest, texts))
    return f"{line} {texts.timing_note}"


def _earlier(earlier: EarlierSII, texts: Texts) -> str:
    line = texts.baseline_line if earlier.baseline else texts.earlier_line
    return line.format(sii=earlier.sii, date=earlier.effective.day)


def _gaps(gaps: Collection[Gap], texts: Texts) -> list[str]:
    """Name what was not delivered; albumin has a paragraph of its own."""
    sentences = {
        Gap.PATIENT: texts.patient_not_delivered,
        Gap.CONDITIONS: texts.conditions_not_delivered,
        Gap.SOME_CONDITIONS: texts.conditions_incomplete,
        Gap.PROCEDURES: texts.procedures_not_delivered,
        Gap.SOME_PROCEDURES: texts.procedures_incomplete,
    }
    return [sentence for gap, sentence in sentences.items() if gap in gaps]


def _doubts(doubts: Doubts, texts: Texts) -> list[str]:
    notes = _newer_blood(doubts, texts)
    if doubts.unplaced_counts:
        notes.append(texts.unplaced_blood_note)
    if doubts.undated_procedures:
        notes.append(texts.undated_procedures_note)
    if doubts.unreadable:
        notes.append(texts.unreadable_note)
    return notes


def _newer_blood(doubts: Doubts, texts: Texts) -> list[str]:
    """Say for each day why its blood was not used, newest first, with the time of the newest blood of that day."""
    days: dict[date, list[UnusedBlood]] = {}
    for unused in sorted(doubts.newer, key=lambda unused: unused.taken.order, reverse=True):
        days.setdefault(unused.taken.day, []).append(unused)
    return [
        texts.newer_blood_note.format(
            date=numbers.moment(of_day[0].taken), reasons=" ".join(texts.reasons[unused.reason] for unused in of_day)
        )
        for of_day in days.values()
    ]


def _albumin(albumin: AlbuminContext | None, texts: Texts, *, complete: bool) -> str:
    if albumin is None:
        return texts.albumin_missing if complete else texts.albumin_not_delivered
    line = texts.albumin_line.format(value=numbers.albumin(albumin.result, texts), date=albumin.result.effective.day)
    if not albumin.within_window:
        line = f"{line} {texts.albumin_outside_note.format(days=_days(albumin.days_from_draw, texts))}"
    return line if complete else f"{line} {texts.albumin_incomplete}"
