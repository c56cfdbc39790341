"""What a language must say on the pages of the trend app. Placeholders in braces are filled by the page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class TrendTexts:
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
    excluded_heading: str
    refused_title: str
    refusals: Mapping[str, str]
    open_again: str
    request_line: str
