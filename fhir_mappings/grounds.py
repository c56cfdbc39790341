"""Where and why a procedure was done, by code and by whole words: rows, their reading, and the finder of words."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from fhir_mappings.errors import MappingError
from fhir_mappings.reader import RowReader

_Keys = tuple[str, ...]
LIVER = "liver"
LIVER_CANCER = "liver-cancer"
# A text is looked at so far: nobody writes an organ or a reason behind a page of words.
_LONGEST_TEXT = 1_000
# Scripts that put no space between words.
_UNSPACED = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
# In them the name of a vessel begins with that of its organ: 胃十二指肠动脉 is no stomach.
VESSEL = "[左右上下中小大短副总固有前后後内外十二指肠腸腺]{0,6}(?:动脉|静脉|動脈|静脈|靜脈)"


class GroundCode(NamedTuple):
    """A code of a body site or of a reason. `meaning` is an organ or a kind of reason."""

    system: str
    code: str
    meaning: str
    prefix: bool
    sources: tuple[str, ...]
    origin: str = ""


class GroundWord(NamedTuple):
    """A word that means an organ or a kind of reason."""

    word: str
    meaning: str
    sources: tuple[str, ...]
    origin: str = ""


class GroundRows(NamedTuple):
    """Where and why procedures were done: all rows of body_sites.toml and indications.toml."""

    site_codes: tuple[GroundCode, ...]
    site_words: tuple[GroundWord, ...]
    indication_codes: tuple[GroundCode, ...]
    indication_words: tuple[GroundWord, ...]


def read_ground_code(row: RowReader, sources: _Keys) -> Iterator[GroundCode]:
    """Yield the codes of a row: each of its codes in each of its systems."""
    systems, codes = row.one_or_more("system", "systems"), row.codes()
    meaning, prefix = row.text("meaning"), row.flag("prefix")
    for system in systems:
        for code in codes:
            yield GroundCode(system, code, meaning, prefix, sources, row.origin)


def read_ground_words(row: RowReader, sources: _Keys) -> Iterator[GroundWord]:
    """Yield the words of a row."""
    meaning = row.text("meaning")
    for word in row.texts("words"):
        yield GroundWord(comparable_text(word), meaning, sources, row.origin)


class WordFinder:
    """Finds listed words in a text; whole ones in scripts that separate words."""

    def __init__(self, rows: Iterable[GroundWord], unless_before: str = "(?!)") -> None:
        """Index the words. Raises MappingError for a word with two meanings.

        `unless_before` is a pattern before which a word of an unspaced script means something else, but for the liver:
        its vessels are treated for what is in it.
        """
        self._meanings: dict[str, str] = {}
        for row in rows:
            if self._meanings.setdefault(row.word, row.meaning) != row.meaning:
                raise MappingError(row.origin, f"{row.word!r} has two meanings")
        # Longest first: of two words that begin together the longer one is meant.
        words = sorted(self._meanings, key=lambda word: (-len(word), word))
        whole = "|".join(re.escape(word) for word in words if not _UNSPACED.search(word))
        patterns = [rf"(?<!\w)(?:{whole})(?!\w)"] if whole else []
        unspaced = [word for word in words if _UNSPACED.search(word)]
        for is_liver, tail in ((True, ""), (False, f"(?!{unless_before})")):
            named = "|".join(re.escape(word) for word in unspaced if (self._meanings[word] == LIVER) is is_liver)
            patterns += [f"(?:{named}){tail}"] if named else []
        self._pattern = re.compile("|".join(patterns) or r"(?!)")

    def find(self, text: str) -> dict[str, str]:
        """Return the listed words of a text, each with its meaning."""
        found = self._pattern.findall(comparable_text(text[:_LONGEST_TEXT]))
        return {word: self._meanings[word] for word in found}


def comparable_text(text: str) -> str:
    """Return a text as words are compared: composed, without case."""
    return unicodedata.normalize("NFKC", text).casefold()
