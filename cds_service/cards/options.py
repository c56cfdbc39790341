"""What a site chooses about its cards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class CardOptions:
    """Which outcomes show a card, in which language and length, and where the model card stands."""

    model_card_url: str
    language: str = "en"
    detail: Literal["short", "full"] = "short"
    show_not_above_cutoff: bool = False
    show_baseline_above: bool = True
    show_indeterminate: bool = True
    assessment_extension: bool = True
