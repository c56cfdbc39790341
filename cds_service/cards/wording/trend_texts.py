"""What a language must say on the pages of the trend app. Placeholders in braces are filled by the page."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003  msgspec reads the types

import msgspec


class TrendTexts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every sentence of the trend app in one language; what the cards say, it says in their words.

    `refusals` are the sentences of a launch that has no page, by reason.
    """

    title: str
    born: str
    record_number: str
    not_recorded: str
    read_line: str
    not_following: str
    outcomes: Mapping[str, str]
    none: str
    cutoff_label: str
    months: tuple[str, ...]
    axis_day: str
    axis_month: str
    axis_year: str
    picture_description: str
    legend: Mapping[str, str]
    picture_note: str
    why_heading: str
    procedures_heading: str
    diagnoses_heading: str
    draws_heading: str
    draws_columns: tuple[str, str, str, str]
    draws_cut: str
    counts_unread: str
    decides: str
    baseline: str
    older: str
    newest_undecided: str
    behind_newest: str
    not_used: str
    after: str
    before: str
    same_day: str
    unrelated: str
    loose_heading: str
    loose_columns: tuple[str, str, str, str]
    excluded_heading: str
    chart_excluded_heading: str
    not_delivered_heading: str
    earlier_heading: str
    earlier_columns: tuple[str, str, str, str]
    presented: Mapping[str, str]
    earlier_none: str
    earlier_all: str
    earlier_until: str
    earlier_cut: str
    earlier_unread: str
    detail_heading: str
    limits_heading: str
    model_card_link: str
    refused_title: str
    refusals: Mapping[str, str]
    open_again: str
    request_line: str
