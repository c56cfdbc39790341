"""What SII was computed from, as a card shows it: the table of results, the timing of the blood, albumin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cds_service.cards import numbers
from cds_service.cards.gaps import Gap
from cds_service.cards.markdown import escape, table
from cds_service.clinical.models import Basis
from cds_service.clinical.timing import Relation

if TYPE_CHECKING:
    from collections.abc import Collection

    from cds_service.cards.wording.texts import Texts
    from cds_service.clinical.models import LabResult
    from cds_service.clinical.outcomes import AlbuminContext, Decided, EarlierSII

_CODE_SYSTEMS: Final = {"loinc": "LOINC"}


def inputs(assessment: Decided, texts: Texts) -> list[str]:
    """Return the table of the three results as reported, the formula with its numbers, and what percentages mean."""
    draw = assessment.timed.draw
    rows = [_row(result, numbers.reported(result, texts), texts) for result in draw.results]
    formula = texts.formula.format(
        platelets=numbers.factor_text(draw.platelets),
        neutrophils=numbers.factor_text(draw.neutrophils),
        lymphocytes=numbers.factor_text(draw.lymphocytes),
        sii=numbers.sii(assessment.sii, assessment.cutoff),
    )
    percent = [texts.percent_basis_note] if draw.basis is Basis.PERCENT else []
    return [texts.inputs_heading, table(texts.inputs_columns, rows), formula, *percent]


def brief_inputs(assessment: Decided, texts: Texts, gaps: Collection[Gap]) -> list[str]:
    """Return one table of the three results and albumin, in the units of the rule."""
    rows = [_row(result, numbers.canonical(result), texts) for result in assessment.timed.draw.results]
    albumin = assessment.albumin
    if albumin is not None:
        rows.append(_row(albumin.result, numbers.canonical_albumin(albumin.result, texts), texts))
        return [table(texts.inputs_columns_brief, rows), *_albumin_doubts(albumin, texts, gaps)]
    missing = texts.albumin_not_delivered if Gap.ALBUMIN in gaps else texts.albumin_missing
    return [table(texts.inputs_columns_brief, rows), missing]


def albumin_line(assessment: Decided, texts: Texts, gaps: Collection[Gap]) -> str:
    """Return albumin beside the means of the study's groups, or why there is none."""
    albumin = assessment.albumin
    if albumin is None:
        return texts.albumin_not_delivered if Gap.ALBUMIN in gaps else texts.albumin_missing
    line = texts.albumin_line.format(value=numbers.albumin(albumin.result, texts), date=albumin.result.effective.day)
    return texts.sentence_space.join([line, *_albumin_doubts(albumin, texts, gaps)])


def timing(assessment: Decided, texts: Texts, gaps: Collection[Gap]) -> str:
    """Return when the blood was drawn, and how that lies to the latest interventional procedure."""
    timed, latest = assessment.timed, assessment.latest_procedure
    if timed.days is None or latest is None:
        # Nobody can say what the chart does not hold when it was not delivered, or not readable.
        open_gaps = {Gap.PROCEDURES, Gap.SOME_PROCEDURES}.intersection(gaps)
        sentence = texts.sampled_unknown if open_gaps or assessment.doubts.unreadable else texts.sampled_unrelated
        return sentence.format(date=numbers.moment(timed.draw.effective))
    procedure = numbers.procedure_date(latest, texts)
    if timed.days == 0:
        # The day of the procedure itself is never read after it.
        return texts.sampled_same_day.format(procedure=procedure)
    after = timed.relation is Relation.AFTER
    days = numbers.days(timed.days, texts)
    if not latest.is_of_one_day:
        days = (texts.at_least if after else texts.at_most).format(days=days)
    return (texts.sampled_after if after else texts.sampled_before).format(days=days, procedure=procedure)


def earlier_line(earlier: EarlierSII, assessment: Decided, texts: Texts) -> str:
    """Return SII of an older draw."""
    line = texts.baseline_line if earlier.baseline else texts.earlier_line
    return line.format(sii=numbers.sii(earlier.sii, assessment.cutoff), date=earlier.effective.day)


def _row(result: LabResult, value: str, texts: Texts) -> tuple[str, str, str, str]:
    system = _CODE_SYSTEMS.get(result.origin.system, "")
    code = f"{system} {escape(result.origin.code)}".strip()
    return (texts.analytes[result.analyte], value, numbers.moment(result.effective), code)


def _albumin_doubts(albumin: AlbuminContext, texts: Texts, gaps: Collection[Gap]) -> list[str]:
    outside = texts.albumin_outside_note.format(days=numbers.days(albumin.days_from_draw, texts))
    return [
        *([] if albumin.within_window else [outside]),
        *([texts.albumin_incomplete] if Gap.ALBUMIN in gaps else []),
    ]
