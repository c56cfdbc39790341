"""All wording of cards: one file for each language, named by its BCP 47 tag, with the same members in each.

A capital placeholder, such as {STUDY_PATIENTS}, is a figure of the study and is filled when the file is read, so that
figures stand in cds_service/clinical/evidence.py alone; small ones are filled by the card.
"""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib.resources import files
from typing import Any, Final, Literal, get_args

import msgspec

from cds_service.cards.wording.texts import Texts
from cds_service.cards.wording.trend_texts import TrendTexts
from cds_service.clinical import evidence

Language = Literal["en", "zh-Hans"]
LANGUAGES: Final[tuple[Language, ...]] = get_args(Language)
# Languages whose texts no clinician has reviewed yet: a site has to accept them outside silent mode.
UNREVIEWED: Final = frozenset({"zh-Hans"})
# msgspec learns a type when it is first read, and a process dies where two threads are the first (decision 0083).
_LEARNT: Final = msgspec.json.Decoder(tuple[Texts, TrendTexts])

_FIGURE: Final = re.compile(r"\{([A-Z_]+)\}")
_FIGURES: Final = {
    **{name: str(value) for name, value in vars(evidence).items() if name.startswith(("STUDY_", "PUBLISHED_"))},
    "ROUNDED_CUTOFF": f"{evidence.PUBLISHED_CUTOFF:.0f}",
    "IMPRECISION": "{}\N{EN DASH}{}".format(*evidence.IMPRECISION_BAND),
}


@cache
def texts_in(language: str) -> Texts:
    """Return the texts of cards in a language of LANGUAGES.

    Raises msgspec.ValidationError for a file in which a text is missing or unknown, KeyError for an unknown figure.
    """
    return msgspec.convert({name: text for name, text in _read(language).items() if name != "trend"}, Texts)


@cache
def trend_texts_in(language: str) -> TrendTexts:
    """Return the texts of the trend app's pages; as `texts_in`."""
    return msgspec.convert(_read(language)["trend"], TrendTexts)


def _read(language: str) -> dict[str, Any]:
    source = (files("cds_service.cards.wording") / f"{language}.toml").read_text(encoding="utf-8")
    return tomllib.loads(_FIGURE.sub(lambda found: _FIGURES[found[1]], source))
