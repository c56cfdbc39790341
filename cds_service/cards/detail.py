"""The full detail of a card: what the number is made of, what it rests on, and what it does not say."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cds_service.cards import notes, numbers
from cds_service.cards.blood_notes import notes_on_decided, notes_on_indeterminate
from cds_service.cards.chart_notes import not_checked, notes_on_chart
from cds_service.cards.inputs import albumin_line, earlier_line, inputs, timing
from cds_service.clinical.outcomes import AboveCutoff

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from cds_service.cards.gaps import Gap
    from cds_service.cards.notes import Note
    from cds_service.cards.wording.texts import Texts
    from cds_service.clinical.chart_facts import ProcedureTime
    from cds_service.clinical.closed_days import DaySpan, OpenDays
    from cds_service.clinical.outcomes import Decided, Indeterminate
    from cds_service.clinical.policy import ClinicalPolicy
    from cds_service.clinical.reasons import Reason
    from cds_service.clinical.rule import Rule


class Said(NamedTuple):
    """What every detail of a service is written with: its rule, language, limits, version of the mapping tables."""

    rule: Rule
    texts: Texts
    policy: ClinicalPolicy
    mapping_version: str

    @property
    def version_line(self) -> str:
        """The versions of the rule and of its tables, and what the card is not."""
        return self.texts.version_line.format(rule=self.rule.version, mappings=self.mapping_version)


def decided_detail(assessment: Decided, said: Said, gaps: Collection[Gap] = ()) -> str:
    """Write the detail for a decided outcome, most important paragraph first; `gaps` are data nobody delivered."""
    texts = said.texts
    return paragraphs(
        [
            statement(assessment, texts),
            *_in_full(notes_of_decided(assessment, said, gaps), texts),
            texts.consider if isinstance(assessment, AboveCutoff) else "",
            *inputs(assessment, texts),
            texts.sentence_space.join([timing(assessment, texts, gaps), texts.timing_note]),
            *(earlier_line(earlier, assessment, texts) for earlier in assessment.earlier),
            albumin_line(assessment, texts, gaps),
            texts.evidence,
            not_checked(assessment.notes, texts),
            said.version_line,
        ]
    )


def indeterminate_detail(assessment: Indeterminate, said: Said, gaps: Collection[Gap] = ()) -> str:
    """Write the detail for an indeterminate outcome: every reason, what is there, and which blood can be read."""
    texts = said.texts
    return paragraphs(
        [
            texts.indeterminate_statement,
            "\n".join(f"* {dated_reason(assessment, reason, texts)}" for reason in assessment.reasons),
            *_in_full(notes_on_indeterminate(assessment, texts), texts),
            *readable_blood(assessment, said),
            *_in_full([*notes_on_chart(assessment.notes, texts), *notes.of_delivery(gaps)], texts),
            said.version_line,
        ]
    )


def statement(assessment: Decided, texts: Texts) -> str:
    """Return on which side of the cut-off SII lies, and what that was associated with."""
    words = texts.above_statement if isinstance(assessment, AboveCutoff) else texts.not_above_statement
    return words.format(sii=numbers.sii(assessment.sii, assessment.cutoff), cutoff=f"{assessment.cutoff:f}")


def notes_of_decided(assessment: Decided, said: Said, gaps: Collection[Gap]) -> list[Note]:
    """Return everything that is particular to this patient, the weightiest first."""
    texts = said.texts
    return [
        *notes.of_cutoff(assessment, said.rule, said.policy.cutoff_source),
        *([notes.Note("truncated")] if assessment.truncated else []),
        *notes.of_delivery(gaps),
        *notes.of_doubts(assessment.doubts, texts),
        *notes_on_chart(assessment.notes, texts),
        *notes_on_decided(assessment, texts),
        *notes.of_nearness(assessment, said.rule),
        *notes.of_platelets(assessment),
    ]


def dated_reason(assessment: Indeterminate, reason: Reason, texts: Texts) -> str:
    """Return the sentence of a reason, after the day of the blood that it speaks of."""
    taken = assessment.taken.get(reason)
    sentence = texts.reasons[reason]
    return texts.dated_reason.format(date=taken.day, reason=sentence) if taken is not None else sentence


def readable_blood(assessment: Indeterminate, said: Said) -> list[str]:
    """Return the newest blood count, the latest procedure, and from when on blood can be read."""
    newest, latest = assessment.newest_result, assessment.latest_procedure
    newest_line = [said.texts.newest_result_line.format(date=numbers.moment(newest))] if newest else []
    return [*newest_line, *([_latest_procedure(latest, assessment.open_days, said)] if latest else [])]


def paragraphs(parts: Iterable[str]) -> str:
    """Join what there is to say as paragraphs of markdown."""
    return "\n\n".join(part for part in parts if part)


def _in_full(found: Iterable[Note], texts: Texts) -> list[str]:
    return [note.in_full(texts) for note in found]


def _latest_procedure(latest: ProcedureTime, days: OpenDays | None, said: Said) -> str:
    texts = said.texts
    lines = [texts.latest_procedure_line.format(date=numbers.procedure_date(latest, texts))]
    if not latest.is_of_one_day:
        lines.append(texts.procedure_span_line)
    if days is not None:
        lines.append(_open_days(days, latest, said))
    return texts.sentence_space.join(lines)


def _open_days(days: OpenDays, latest: ProcedureTime, said: Said) -> str:
    """Say from which days blood is read, without those that any procedure closes."""
    texts = said.texts
    after = [_span(span, latest, texts) for span in days.between]
    after.append(texts.readable_from.format(day=days.from_day))
    before = [_span(span, latest, texts) for span in days.before]
    line = texts.readable_before_line if before else texts.readable_line
    oldest = numbers.days(said.policy.max_age_days, texts)
    return line.format(after=texts.either.join(after), oldest=oldest, before=texts.either.join(before))


def _span(span: DaySpan, latest: ProcedureTime, texts: Texts) -> str:
    if span.last == latest.first.day:
        return texts.readable_until_procedure.format(began=span.first)
    return texts.readable_span.format(began=span.first, ended=span.last)
