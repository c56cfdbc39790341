"""Findings about platelet clumps: which codes ask for them, and what their values say."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from fhir_mappings.errors import MappingError
from fhir_mappings.reader import RowReader

PRESENT: Final = "present"
ABSENT: Final = "absent"
_STATES: Final = frozenset({PRESENT, ABSENT})
_LONGEST: Final = 200


@dataclass(frozen=True, slots=True)
class ClumpCode:
    """A code of results that tell whether platelets are clumped."""

    system: str
    code: str
    sources: tuple[str, ...]
    origin: str = field(default="", compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class ClumpValue:
    """A value of such a result: a code of `system`, or a word where `system` is empty."""

    system: str
    value: str
    state: str
    sources: tuple[str, ...]
    origin: str = field(default="", compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class ClumpRows:
    """All that the tables say of platelet clumps; `interpretations` are texts beside a platelet count."""

    codes: tuple[ClumpCode, ...]
    values: tuple[ClumpValue, ...]
    interpretations: tuple[str, ...]


class ClumpTable:
    """Answers what codes and words say of platelet clumps."""

    def __init__(self, rows: ClumpRows, uris: Mapping[str, tuple[str, ...]]) -> None:
        """Index the rows. Raises MappingError for an unknown system or state, or a value of two states."""
        _check(rows, uris)
        self._codes = frozenset((uri, row.code) for row in rows.codes for uri in uris[row.system])
        self._values = MappingProxyType(
            {(uri, row.value): row.state for row in rows.values if row.system for uri in uris[row.system]}
        )
        self._words = MappingProxyType({row.value.casefold(): row.state for row in rows.values if not row.system})
        self._interpretations = frozenset(text.casefold() for text in rows.interpretations)

    def is_asked_by(self, system_uri: str, code: str) -> bool:
        """Tell whether a result of this code says if platelets are clumped."""
        return (system_uri, code) in self._codes

    def of_code(self, system_uri: str, code: str) -> str:
        """Return present, absent, or nothing for a code that is not listed."""
        return self._values.get((system_uri, code), "")

    def of_text(self, text: str) -> str:
        """Return present, absent, or nothing for a text that is not listed."""
        return self._words.get(_comparable(text), "")

    def is_interpretation(self, text: str) -> bool:
        """Tell whether a text beside a platelet count says that platelets are clumped."""
        return _comparable(text) in self._interpretations


def read_clump_codes(row: RowReader, sources: tuple[str, ...]) -> Iterator[ClumpCode]:
    """Yield the codes of a row."""
    system = row.text("system", "loinc")
    for code in row.texts("codes"):
        yield ClumpCode(system, code, sources, row.origin)


def read_clump_values(row: RowReader, sources: tuple[str, ...]) -> Iterator[ClumpValue]:
    """Yield the coded values of a row."""
    system, state = row.text("system"), row.text("state")
    for code in row.texts("codes"):
        yield ClumpValue(system, code, state, sources, row.origin)


def read_clump_words(row: RowReader, sources: tuple[str, ...]) -> Iterator[ClumpValue]:
    """Yield the words of a row."""
    state = row.text("state")
    for word in row.texts("words"):
        yield ClumpValue("", word, state, sources, row.origin)


def read_clump_interpretations(row: RowReader, _sources: tuple[str, ...]) -> Iterator[str]:
    """Yield the texts of a row."""
    yield from row.texts("words")


def _comparable(text: str) -> str:
    return " ".join(text[:_LONGEST].casefold().split()).rstrip(".!")


def _check(rows: ClumpRows, uris: Mapping[str, tuple[str, ...]]) -> None:
    seen: set[tuple[str, str]] = set()
    for row in rows.values:
        key = (row.system, row.value.casefold())
        if row.state not in _STATES or (row.system and row.system not in uris) or key in seen:
            raise MappingError(row.origin, f"{row.value!r} has an unknown state or system, or stands twice")
        seen.add(key)
    for code in rows.codes:
        if code.system not in uris:
            raise MappingError(code.origin, f"unknown code system {code.system!r}")
