"""The data file beside this module: names, words that change a meaning, and typical values of the analytes."""

from __future__ import annotations

import unicodedata
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from fhir_mappings.errors import MappingError
from fhir_mappings.files import DataFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from fhir_mappings.reader import RowReader

FILE_NAME: Final = "lookalikes.toml"
Kind = Literal["condition", "procedure"]


class Term(NamedTuple):
    """A term for an analyte, for "condition" or "procedure", or for a therapy. `is_stem`: any ending may follow."""

    stands_for: str
    words: tuple[str, ...]
    is_stem: bool = False


class Therapy(NamedTuple):
    """A therapy of the tables by its names. `hepatic`: the name alone says that the liver was treated."""

    therapy: str
    hepatic: bool
    terms: tuple[Term, ...]


class Typical(NamedTuple):
    """Values of an analyte in its canonical unit.

    `reference` is the adult reference interval, `median` where the median of a hospital's patients lies.
    """

    reference: tuple[float, float]
    median: tuple[float, float]


class Lookalikes(NamedTuple):
    """Everything the file says. Terms are folded (`fold`) and split into words."""

    names: tuple[Term, ...]
    others: tuple[Term, ...]
    tests: tuple[Term, ...]
    bases: tuple[Term, ...]
    eligibility: tuple[Term, ...]
    not_eligibility: tuple[Term, ...]
    therapies: tuple[Therapy, ...]
    liver: tuple[Term, ...]
    operations: tuple[Term, ...]
    typical: Mapping[tuple[str, str], Typical]


# Letters that no decomposition takes apart.
_LETTERS: Final = str.maketrans({"ł": "l", "ø": "o", "æ": "ae", "œ": "oe", "ı": "i", "đ": "d"})


def fold(text: str) -> str:
    """Return a text without case and accents, compatibility forms resolved."""
    spread = unicodedata.normalize("NFKD", text.casefold()).translate(_LETTERS)
    return unicodedata.normalize("NFC", "".join(c for c in spread if not unicodedata.combining(c)))


def words_of(folded: str) -> tuple[str, ...]:
    """Split a folded text at everything that is no letter and no digit."""
    return tuple("".join(c if c.isalnum() else " " for c in folded).split())


@cache
def load_lookalikes() -> Lookalikes:
    """Read and check the shipped file once. Raises MappingError when it is damaged."""
    return parse_lookalikes((Path(__file__).parent / FILE_NAME).read_bytes())


def parse_lookalikes(content: bytes) -> Lookalikes:
    """Read a file of this form. Raises MappingError with the row that is wrong."""
    file = DataFile(FILE_NAME, content)
    found = Lookalikes(
        names=file.rows("name", _names),
        others=file.rows("other", _others),
        tests=file.rows("test", _described),
        bases=file.rows("basis", _terms("basis")),
        eligibility=file.rows("eligibility", _terms("kind")),
        not_eligibility=file.rows("not_eligibility", _terms("kind")),
        therapies=file.rows("therapy", _therapy),
        liver=file.rows("liver", _described),
        operations=file.rows("operation", _terms("kind")),
        typical=dict(file.rows("typical", _typical)),
    )
    file.finish()
    return found


def _names(row: RowReader, _sources: tuple[str, ...]) -> Iterator[Term]:
    row.text("language")
    yield from _each(row, row.text("analyte"))


def _others(row: RowReader, _sources: tuple[str, ...]) -> Iterator[Term]:
    row.text("what")
    terms = row.texts("terms")
    for analyte in row.texts("analytes"):
        yield from (_term(analyte, term) for term in terms)


def _described(row: RowReader, _sources: tuple[str, ...]) -> Iterator[Term]:
    yield from _each(row, row.text("what"))


def _therapy(row: RowReader, _sources: tuple[str, ...]) -> Iterator[Therapy]:
    therapy = row.text("therapy")
    yield Therapy(therapy, row.flag("hepatic"), tuple(_each(row, therapy)))


def _terms(key: str) -> Callable[[RowReader, tuple[str, ...]], Iterator[Term]]:
    def read(row: RowReader, _sources: tuple[str, ...]) -> Iterator[Term]:
        yield from _each(row, row.text(key))

    return read


def _each(row: RowReader, stands_for: str) -> Iterator[Term]:
    for term in row.texts("terms"):
        yield _term(stands_for, term)


def _term(stands_for: str, term: str) -> Term:
    folded = fold(term)
    # "%" and "#" are no words, and stand for themselves.
    return Term(stands_for, words_of(folded) or (folded,), term.endswith("*"))


def _typical(row: RowReader, _sources: tuple[str, ...]) -> Iterator[tuple[tuple[str, str], Typical]]:
    key = row.text("analyte"), row.text("basis")
    yield key, Typical(_interval(row, "reference"), _interval(row, "median"))


def _interval(row: RowReader, key: str) -> tuple[float, float]:
    ends = tuple(float(end) for end in row.texts(key))
    if len(ends) != 2 or ends[0] >= ends[1]:
        raise MappingError(row.origin, f"{key} must be a lower and an upper end")
    return ends[0], ends[1]
