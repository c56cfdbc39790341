"""What a site chooses about its cards."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CardOptions:
    """Which outcomes show a card, in which language, and where the model card stands."""

    model_card_url: str
    language: str = "en"
    show_not_above_cutoff: bool = False
    show_baseline_above: bool = True
    show_indeterminate: bool = True
    assessment_extension: bool = True
