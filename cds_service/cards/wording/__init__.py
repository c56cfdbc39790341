"""All texts a clinician reads, one file per language, so that each can be reviewed as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cds_service.cards.wording.english import ENGLISH

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cds_service.cards.wording.texts import Texts

TEXTS: Mapping[str, Texts] = {"en": ENGLISH}
