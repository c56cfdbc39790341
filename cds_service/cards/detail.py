"""The detail of a card: what the number is made of, what it rests on, and what it does not say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cds_service.cards import numbers
from cds_service.cards.markdown import escape, table
from cds_service.clinical.evidence import IMPRECISION_BAND, PUBLISHED_CUTOFF, RULE_VERSION
from cds_service.clinical.models import Basis
from cds_service.clinical.outcomes import AboveCutoff
from cds_service.clinical.timing import Relation

if TYPE_CHECKING:
    from cds_service.cards.wording.texts import Texts
    from cds_service.clinical.models import LabResult
    from cds_service.clinical.outcomes import AlbuminContext, Decided, EarlierSII, Indeterminate

_CODE_SYSTEMS: Final = {"loinc": "LOINC"}


def decided_detail(assessment: Decided, texts: Texts, mapping_version: str, cutoff_source: str) -> str:
    """Write the detail for a decided outcome, most important paragraph first."""
    above = isinstance(assessment, AboveCutoff)
    statement = texts.above_statement if above else texts.not_above_statement
    paragraphs = [
        statement.format(sii=assessment.sii, cutoff=assessment.cutoff),
        _site_cutoff(assessment, texts, cutoff_source),
        texts.truncated_note if assessment.truncated else "",
        _near_cutoff(assessment, texts),
        texts.consider if above else texts.low_platelets_note,
        _inputs(assessment, texts),
        _timing(assessment, texts),
        *(_earlier(earlier, texts) for earlier in assessment.earlier),
        _albumin(assessment.albumin, texts),
        texts.evidence,
        texts.not_checked,
        texts.version_line.format(rule=RULE_VERSION, mappings=mapping_version),
    ]
    return "\n\n".join(paragraph for paragraph in paragraphs if paragraph)


def indeterminate_detail(assessment: Indeterminate, texts: Texts, mapping_version: str) -> str:
    """Write the detail for an indeterminate outcome: every reason, and what the newest draw was."""
    reasons = "\n".join(f"* {texts.reasons[reason]}" for reason in assessment.reasons)
    newest, latest = assessment.newest_result, assessment.latest_procedure
    paragraphs = [
        texts.indeterminate_statement,
        reasons,
        texts.newest_result_line.format(date=numbers.moment(newest)) if newest else "",
        texts.latest_procedure_line.format(date=latest.day) if latest else "",
        texts.version_line.format(rule=RULE_VERSION, mappings=mapping_version),
    ]
    return "\n\n".join(paragraph for paragraph in paragraphs if paragraph)


def _site_cutoff(assessment: Decided, texts: Texts, cutoff_source: str) -> str:
    if assessment.cutoff == PUBLISHED_CUTOFF:
        return ""
    return texts.site_cutoff_note.format(cutoff=assessment.cutoff, source=escape(cutoff_source))


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
        numbers.reported(result),
        numbers.moment(result.effective),
        f"{system} {escape(result.origin.code)}".strip(),
    )


def _timing(assessment: Decided, texts: Texts) -> str:
    timed = assessment.timed
    sentence = {
        Relation.AFTER: texts.sampled_after,
        Relation.BEFORE: texts.sampled_before,
        None: texts.sampled_unrelated,
    }[timed.relation]
    latest = assessment.latest_procedure
    line = sentence.format(
        days=timed.days, procedure=latest.day if latest else "", date=numbers.moment(timed.draw.effective)
    )
    return f"{line} {texts.timing_note}"


def _earlier(earlier: EarlierSII, texts: Texts) -> str:
    line = texts.baseline_line if earlier.baseline else texts.earlier_line
    return line.format(sii=earlier.sii, date=earlier.effective.day)


def _albumin(albumin: AlbuminContext | None, texts: Texts) -> str:
    if albumin is None:
        return texts.albumin_missing
    line = texts.albumin_line.format(value=numbers.reported(albumin.result), date=albumin.result.effective.day)
    if albumin.within_window:
        return line
    return f"{line} {texts.albumin_outside_note.format(days=albumin.days_from_draw)}"
