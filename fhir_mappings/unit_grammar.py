"""Units of counts as laboratories write them: a multiple, an optional word for cells, a volume.

Multiples times volumes are some ten thousand spellings. Two small dictionaries hold them, so that nothing has to be
listed, and one spelling has one meaning because each half has one.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType

from fhir_mappings.unit_parts import UnitGrammar

_ANNOTATION = re.compile(r"\.?\{[^{}]*\}")
_SPACE = re.compile(r"\s+")
# A power whose sign was lost: 109 for 10^9. It is no number that a laboratory would count by.
_LOST = re.compile(r"[x*]?10(3|4|5|6|9|12)")
# From cells per liter to the canonical 10*9/L.
_CANONICAL = Decimal("1e9")


def compact(spelling: str) -> str:
    """Return a spelling without spaces and without UCUM annotations, which say nothing about the factor."""
    return _SPACE.sub("", _ANNOTATION.sub("", spelling))


@dataclass(frozen=True, slots=True)
class CountUnits:
    """Reads units of counts, where `UnitTable` has no row for them.

    `accepted` are the factors that counts of blood cells come in; `refused` gives a reason of its own to some others.
    """

    multiples: Mapping[str, Decimal]
    cased: Mapping[str, Decimal]
    volumes: Mapping[str, Decimal]
    words: tuple[str, ...]
    accepted: Mapping[Decimal, Decimal]
    refused: Mapping[Decimal, str]
    unclear: Mapping[str, str]

    def factor(self, spelling: str) -> Decimal | None:
        """Return the factor to 10*9/L, or None for what is no unit of blood cell counts."""
        found = self._product(spelling)
        return self.accepted.get(found) if found is not None else None

    def refusal(self, spelling: str) -> str | None:
        """Return why a unit is not read: unit of red cells, unclear multiple, lost superscript; None for others."""
        left, volume = self._halves(spelling)
        if volume is None:
            return None
        if left.casefold() in self.unclear:
            return self.unclear[left.casefold()]
        if _LOST.fullmatch(left.casefold()):
            return "lost superscript: could be a power of ten or a plain number"
        product = self._product(spelling)
        if product is None or product in self.accepted:
            return None
        return self.refused.get(product, "no unit in which blood cells are counted")

    def without_sign(self, spelling: str) -> Decimal | None:
        """Return the factor that a spelling with a lost superscript would have; None where none is lost."""
        left, volume = self._halves(spelling)
        lost = _LOST.fullmatch(left.casefold())
        return Decimal(10) ** int(lost[1]) / volume / _CANONICAL if lost and volume is not None else None

    def is_cased(self, spelling: str) -> bool:
        """Tell whether the case of the multiple decides what it means."""
        return self._halves(spelling)[0] in self.cased

    def _product(self, spelling: str) -> Decimal | None:
        left, volume = self._halves(spelling)
        if volume is None:
            return None
        multiple = self.cased.get(left)
        if multiple is None:
            multiple = self.multiples.get(left.casefold())
        return multiple / volume / _CANONICAL if multiple is not None else None

    def _halves(self, spelling: str) -> tuple[str, Decimal | None]:
        left, slash, right = compact(spelling).replace("per", "/").partition("/")
        folded = left.casefold()
        word = next((word for word in self.words if folded.endswith(word)), "")
        return left[: len(left) - len(word)].rstrip("."), self.volumes.get(right.casefold()) if slash else None


def build_count_units(grammar: UnitGrammar) -> CountUnits:
    """Make the dictionaries. The rows are checked before (`validate_rows`)."""
    multiples = {form.casefold(): Decimal(10) ** power for power, form in written_powers(grammar)}
    cased: dict[str, Decimal] = {}
    for row in grammar.multiples:
        for spelling in row.spellings:
            if row.cased:
                cased[spelling] = row.number
            else:
                multiples[spelling.casefold()] = row.number
    return CountUnits(
        multiples=MappingProxyType(multiples),
        cased=MappingProxyType(cased),
        volumes=MappingProxyType({text.casefold(): row.number for row in grammar.volumes for text in row.spellings}),
        # The longest first: "cells" ends with "s", and so might a shorter word.
        words=tuple(sorted((word.casefold() for word in grammar.words), key=len, reverse=True)),
        # To themselves: a product has zeros behind that would be shown as precision.
        accepted=MappingProxyType({factor: factor for factor in grammar.accepted}),
        refused=grammar.refused,
        unclear=MappingProxyType({text.casefold(): row.reason for row in grammar.unclear for text in row.spellings}),
    )


def written_powers(grammar: UnitGrammar) -> Iterable[tuple[int, str]]:
    """Yield every way of writing each power of ten: signs before it, notations of it."""
    for power in grammar.powers:
        for notation in grammar.notations:
            for sign in grammar.signs:
                yield power, sign + notation.replace("n", str(power))
