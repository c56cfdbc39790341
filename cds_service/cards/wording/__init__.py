"""All wording of cards: one file for each language, named by its BCP 47 tag, with the same members in each.

A capital placeholder, such as {STUDY_PATIENTS}, is a figure of the study and is filled when the file is read, so that
figures stand in cds_service/clinical/evidence.py alone; small ones are filled by the card.
"""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final

import msgspec

from cds_service.cards.wording.english_trend import ENGLISH_TREND
from cds_service.cards.wording.texts import Texts
from cds_service.clinical import evidence

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cds_service.cards.wording.trend_texts import TrendTexts

LANGUAGES: Final = ("en",)
# Of the pages of the trend app.
TREND_TEXTS: Mapping[str, TrendTexts] = {"en": ENGLISH_TREND}

_FIGURE: Final = re.compile(r"\{([A-Z_]+)\}")
_FIGURES: Final = {
    **{name: str(value) for name, value in vars(evidence).items() if name.startswith(("STUDY_", "PUBLISHED_"))},
    "ROUNDED_CUTOFF": f"{evidence.PUBLISHED_CUTOFF:.0f}",
    "IMPRECISION": "{}\N{EN DASH}{}".format(*evidence.IMPRECISION_BAND),
}


@cache
def texts_in(language: str) -> Texts:
    """Return the texts of a language of LANGUAGES.

    Raises msgspec.ValidationError for a file in which a text is missing or unknown, KeyError for an unknown figure.
    """
    source = (files("cds_service.cards.wording") / f"{language}.toml").read_text(encoding="utf-8")
    filled = _FIGURE.sub(lambda found: _FIGURES[found[1]], source)
    return msgspec.convert(tomllib.loads(filled), Texts)
