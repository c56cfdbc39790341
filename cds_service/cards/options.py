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

    @property
    def model_card_link(self) -> str:
        """Return the address of the model card in the language of the cards."""
        return self.model_card_url if self.language == "en" else f"{self.model_card_url}?language={self.language}"
