"""Materials that are not blood: found by code, or by a word of a text.

Only what is listed is another material; every other text is blood.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from fhir_mappings.errors import MappingError
from fhir_mappings.reader import RowReader

# Names of materials are short; what stands behind is not looked at, so that long texts cost no more.
_LOOKED_AT: Final = 200
_IDEOGRAPH: Final = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


@dataclass(frozen=True, slots=True)
class MaterialWords:
    """The words of a material; a word that ends in * stands for all that begin so."""

    material: str
    words: tuple[str, ...]
    sources: tuple[str, ...]
    origin: str = field(default="", compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class MaterialCode:
    """A code that names a material."""

    system: str
    code: str
    material: str
    sources: tuple[str, ...]
    origin: str = field(default="", compare=False, repr=False)


class MaterialTable:
    """Answers which material a code or a text names; an empty text for blood and for what is not listed."""

    def __init__(
        self, words: tuple[MaterialWords, ...], codes: tuple[MaterialCode, ...], uris: Mapping[str, tuple[str, ...]]
    ) -> None:
        """Index the rows. Raises MappingError for a code of an unknown material, or a word that stands twice."""
        _check(words, codes, uris)
        self._codes = MappingProxyType({(uri, row.code): row.material for row in codes for uri in uris[row.system]})
        # By their own names as well, which is what records keep of a text.
        named = {row.material: row.material for row in words}
        self._by_word = MappingProxyType(named | {word.casefold(): row.material for row in words for word in row.words})
        self._pattern = _pattern(self._by_word)

    def of_code(self, system_uri: str, code: str) -> str:
        """Return the material that a code names."""
        return self._codes.get((system_uri, code), "")

    def of_text(self, text: str) -> str:
        """Return the material that a text names."""
        found = self._pattern.search(" ".join(text[:_LOOKED_AT].casefold().split()))
        if found is None:
            return ""
        word = found["whole"] or found["character"]
        return self._by_word[word] if word else self._by_word[f"{found['beginning']}*"]


def read_words(row: RowReader, sources: tuple[str, ...]) -> Iterator[MaterialWords]:
    """Yield the words of a row."""
    yield MaterialWords(row.text("name"), row.texts("words"), sources, row.origin)


def read_material_codes(row: RowReader, sources: tuple[str, ...]) -> Iterator[MaterialCode]:
    """Yield the codes of a row."""
    system, material = row.text("system"), row.text("material")
    for code in row.texts("codes"):
        yield MaterialCode(system, code, material, sources, row.origin)


def _pattern(words: Mapping[str, str]) -> re.Pattern[str]:
    longest_first = sorted(words, key=lambda word: (-len(word), word))
    characters = [word for word in longest_first if _IDEOGRAPH.search(word)]
    beginnings = [word[:-1] for word in longest_first if word.endswith("*")]
    whole = [word for word in longest_first if not word.endswith("*") and word not in characters]
    # Not behind a hyphen: G-CSF is no cerebrospinal fluid.
    return re.compile(
        rf"(?<![\w-])(?:(?P<whole>{_any(whole)})(?!\w)|(?P<beginning>{_any(beginnings)}))|(?P<character>{_any(characters)})"
    )


def _any(words: list[str]) -> str:
    return "|".join(map(re.escape, words)) or r"(?!)"


def _check(
    words: tuple[MaterialWords, ...], codes: tuple[MaterialCode, ...], uris: Mapping[str, tuple[str, ...]]
) -> None:
    seen: set[str] = set()
    for row in words:
        for word in row.words:
            if word.casefold() in seen or word != " ".join(word.split()):
                raise MappingError(row.origin, f"{word!r} stands twice, or holds blanks that are never met")
            seen.add(word.casefold())
    known = {row.material for row in words}
    listed: set[tuple[str, str]] = set()
    for code in codes:
        if code.material not in known or code.system not in uris or (code.system, code.code) in listed:
            problem = "names an unknown material or code system, or stands twice"
            raise MappingError(code.origin, f"{code.code} {problem}")
        listed.add((code.system, code.code))
