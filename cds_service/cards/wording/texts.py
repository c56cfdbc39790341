"""What a language must say. Placeholders in braces are filled by the card builder; nothing else is added."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003  msgspec reads the types

import msgspec

from cds_service.clinical.models import Analyte, Basis  # noqa: TC001
from cds_service.clinical.reasons import Reason  # noqa: TC001


class Texts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every sentence of the cards and of discovery in one language.

    The brief summaries serve where the others are too long.
    `notes` are what is particular to a patient, by kind; `brief_notes` are the shorter words of some, `note_names` of
    all. `comma`, `between_items`, `sentence_space` and `joined` stand between items, lists, sentences and two names.
    """

    discovery_title: str
    discovery_description: str
    usage_requirements: str
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
    inputs_columns_brief: tuple[str, str, str, str]
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
    reading: str
    reading_bases: Mapping[Basis, str]
    reading_methods: Mapping[str, str]
    reading_parts: str
    joined: str
    albumin_line: str
    albumin_outside_note: str
    albumin_missing: str
    albumin_not_delivered: str
    albumin_incomplete: str
    evidence: str
    consider: str
    not_checked: str
    not_checked_items: Mapping[str, str]
    and_more: str
    recorded_kinds: Mapping[str, str]
    suspected_kinds: Mapping[str, str]
    closing_kinds: Mapping[str, str]
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
    further_notes: str
    brief_evidence: str
    read_on: str
    named: str
    comma: str
    between_items: str
    sentence_space: str
    notes: Mapping[str, str]
    brief_notes: Mapping[str, str]
    note_names: Mapping[str, str]
    reasons: Mapping[Reason, str]
    short_reasons: Mapping[Reason, str]
    override_reasons: Mapping[str, str]
