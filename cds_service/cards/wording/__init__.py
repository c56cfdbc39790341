"""All texts a clinician reads, one file per language, so that each can be reviewed as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cds_service.cards.wording.english import ENGLISH
from cds_service.cards.wording.english_trend import ENGLISH_TREND

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cds_service.cards.wording.texts import Texts
    from cds_service.cards.wording.trend_texts import TrendTexts

TEXTS: Mapping[str, Texts] = {"en": ENGLISH}
# Of the pages of the trend app.
TREND_TEXTS: Mapping[str, TrendTexts] = {"en": ENGLISH_TREND}
