"""What a language must say. Placeholders in braces are filled by the card builder; nothing else is added."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cds_service.clinical.models import Analyte, Basis
    from cds_service.clinical.reasons import Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """Every sentence of the cards in one language. The brief summaries serve where the others are too long."""

    source_label: str
    model_card_label: str
    trend_app_label: str
    above_summary: str
    above_summary_brief: str
    not_above_summary: str
    not_above_summary_brief: str
    indeterminate_summary: str
    indeterminate_dated: str
    indeterminate_more: str
    indeterminate_newest: str
    above_statement: str
    not_above_statement: str
    indeterminate_statement: str
    analytes: Mapping[Analyte, str]
    inputs_heading: str
    inputs_columns: tuple[str, str, str, str]
    percent_basis_note: str
    fraction_value: str
    converted_value: str
    approximate_value: str
    formula: str
    one_day: str
    several_days: str
    at_least: str
    at_most: str
    date_span: str
    sampled_after: str
    sampled_before: str
    sampled_same_day: str
    sampled_unrelated: str
    sampled_unknown: str
    timing_note: str
    baseline_line: str
    earlier_line: str
    near_cutoff_note: str
    other_readings_line: str
    contrary_readings_line: str
    reading: str
    reading_bases: Mapping[Basis, str]
    reading_methods: Mapping[bool, str]
    reading_parts: str
    joined: str
    derived_note: str
    parts_beside_note: str
    segmented_alone_note: str
    clumps_unreadable_note: str
    laboratory_note_line: str
    albumin_line: str
    albumin_outside_note: str
    albumin_missing: str
    albumin_not_delivered: str
    albumin_incomplete: str
    patient_not_delivered: str
    conditions_not_delivered: str
    procedures_not_delivered: str
    conditions_incomplete: str
    procedures_incomplete: str
    evidence: str
    site_cutoff_note: str
    consider: str
    not_checked: str
    not_checked_items: Mapping[str, str]
    and_more: str
    recorded_note: str
    recorded_kinds: Mapping[str, str]
    suspected_note: str
    suspected_kinds: Mapping[str, str]
    closing_note: str
    closing_kinds: Mapping[str, str]
    unplaced_procedures_note: str
    too_soon_note: str
    no_day_between_note: str
    between_note: str
    several_procedures_note: str
    diagnosed_later_note: str
    another_cancer_note: str
    low_platelets_note: str
    truncated_note: str
    undated_procedures_note: str
    unreadable_note: str
    newer_blood_note: str
    unplaced_blood_note: str
    dated_reason: str
    newest_result_line: str
    latest_procedure_line: str
    procedure_span_line: str
    readable_line: str
    readable_before_line: str
    readable_from: str
    readable_span: str
    readable_until_procedure: str
    either: str
    version_line: str
    reasons: Mapping[Reason, str]
    short_reasons: Mapping[Reason, str]
    override_reasons: Mapping[str, str]
